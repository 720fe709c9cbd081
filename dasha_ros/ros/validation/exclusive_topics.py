"""Topics that only this node should publish: it reports other publishers and repeats itself against them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from rclpy.node import Node

from dasha_ros.ros.node.condition import Condition, warning
from dasha_ros.ros.validation.publishers import conflict_of, publishers_of

_REPEATS = 3
"""How often the node repeats itself once the other publisher is gone: its last message may have been lost."""


@dataclass
class _Topic:
    repeat: Callable[[], None]
    conflict: str = ""
    repeats_left: int = 0


class ExclusiveTopics:
    """Watches the topics that only this node should publish. Callable from any thread."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._topics: dict[str, _Topic] = {}

    def add(self, topic: str, repeat: Callable[[], None]) -> None:
        """Watch a topic until `clear`.

        Args:
            topic: Its name, as the code spells it.
            repeat: Publishes the current state again.
        """
        with self._lock:
            self._topics[topic] = _Topic(repeat)

    def clear(self) -> None:
        """Stop watching. A repetition that has begun is finished."""
        with self._lock:
            self._topics = {}

    def condition(self) -> Condition | None:
        """A warning while other nodes publish these topics."""
        conflicts = [topic.conflict for topic in list(self._topics.values()) if topic.conflict]
        return warning("; ".join(conflicts)) if conflicts else None

    def look(self) -> None:
        """Look for other publishers. Call it about once a second."""
        with self._lock:
            topics = list(self._topics.items())
        for name, topic in topics:
            topic.conflict = conflict_of(name, publishers_of(self._node, name))
            if topic.conflict:
                topic.repeats_left = _REPEATS
            if topic.repeats_left:
                topic.repeats_left -= 1
                topic.repeat()
