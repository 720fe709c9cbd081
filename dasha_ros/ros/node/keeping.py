"""What a node's `configure` makes, and its release, whatever fails after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any, TypeVar

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile

T = TypeVar("T")


class Keeping(Node):
    """A node that knows how to release what it keeps."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._kept = ExitStack()
        super().__init__(*arguments, **options)

    def keep(self, thing: T, release: Callable[[], object]) -> T:
        """Have a thing that `configure` makes released in the clean-up, also if `configure` then fails.

        What was kept last is released first.
        """
        self._kept.callback(release)
        return thing

    def keep_publisher(self, kind: Any, topic: str, profile: QoSProfile) -> Publisher:
        """Create a publisher that is destroyed in the clean-up; see `keep`."""
        publisher = self.create_publisher(kind, topic, profile)
        return self.keep(publisher, lambda: self.destroy_publisher(publisher))

    def release_kept(self) -> None:
        """Release all that was kept; one that fails keeps no other from it."""
        self._kept.close()

    def endpoints(self) -> dict[Any, Callable[[Any], object]]:
        """Topics and services of this node, and what destroys each. Actions and timers are not among them."""
        made: tuple[tuple[Iterable[Any], Callable[[Any], object]], ...] = (
            (self.publishers, self.destroy_publisher),
            (self.subscriptions, self.destroy_subscription),
            (self.services, self.destroy_service),
            (self.clients, self.destroy_client),
        )
        return {endpoint: destroy for endpoints, destroy in made for endpoint in endpoints}
