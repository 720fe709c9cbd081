"""Whether somebody outside the graph listens to a node's topics."""

from __future__ import annotations

from collections.abc import Callable, Collection

from rclpy.node import Node
from rclpy.publisher import Publisher

_AGAIN_NS = 2_000_000_000
"""A listener may have taken the place of another one, which the number of listeners does not show."""
_UNKNOWN = "_NODE_NAME_UNKNOWN_"
"""The name of a node that is not discovered yet (rcl)."""


class Audience:
    """The listeners of a few topics that are not nodes of the graph: people's tools.

    The focus server subscribes to the annotated picture for its reports, so the mere number of subscriptions
    says nothing.
    """

    def __init__(
        self, node: Node, publishers: Collection[Publisher], own: Collection[str], now_ns: Callable[[], int]
    ) -> None:
        """Watch topics.

        Args:
            node: The publishers' node.
            publishers: Publishers of the topics.
            own: Names, without the namespace, of the graph's nodes.
            now_ns: A steady clock [ns].
        """
        space = node.get_namespace().rstrip("/")
        self._node, self._publishers, self._now_ns = node, tuple(publishers), now_ns
        self._own = {f"{space}/{name}" for name in own}
        self._counts: tuple[int, ...] = ()
        self._looked_ns, self._is_there = -_AGAIN_NS, False

    def is_there(self) -> bool:
        """Whether somebody listens now. Costs a few microseconds while the listeners stay the same."""
        counts = tuple(publisher.get_subscription_count() for publisher in self._publishers)
        now_ns = self._now_ns()
        if not any(counts):
            self._counts, self._is_there = counts, False
        elif counts != self._counts or now_ns - self._looked_ns >= _AGAIN_NS:
            self._looked_ns = now_ns
            names = [name for publisher in self._publishers for name in self._listeners(publisher)]
            self._is_there = any(name not in self._own and not name.endswith(_UNKNOWN) for name in names)
            # Whoever is not known by name yet is looked up again the next time.
            self._counts = () if any(name.endswith(_UNKNOWN) for name in names) else counts
        return self._is_there

    def _listeners(self, publisher: Publisher) -> list[str]:
        return [
            f"{info.node_namespace.rstrip('/')}/{info.node_name}"
            for info in self._node.get_subscriptions_info_by_topic(publisher.topic_name)
        ]
