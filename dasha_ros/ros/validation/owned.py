"""Topics that a node alone should speak on: it says who else does, and speaks again while they do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from rclpy.node import Node

from dasha_ros.ros.node.condition import Condition, warning
from dasha_ros.ros.validation.owners import publishers_of, too_many

_AGAIN = 3
"""How often a node speaks again when the stranger has left: what it said last may have been crowded out."""


@dataclass
class _Topic:
    again: Callable[[], None]
    trouble: str = ""
    left: int = 0


class Owned:
    """Watches the topics that a node owns. Callable from any thread."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._topics: dict[str, _Topic] = {}

    def add(self, topic: str, again: Callable[[], None]) -> None:
        """Watch a topic until `clear`.

        Args:
            topic: Its name, as the code calls it.
            again: Says again what is in force.
        """
        with self._lock:
            self._topics[topic] = _Topic(again)

    def clear(self) -> None:
        """The node speaks no more. What is being said again meanwhile is said to the end."""
        with self._lock:
            self._topics = {}

    def condition(self) -> Condition | None:
        """Who else speaks on the node's topics."""
        troubles = [topic.trouble for topic in list(self._topics.values()) if topic.trouble]
        return warning("; ".join(troubles)) if troubles else None

    def look(self) -> None:
        """Look who is there; to be called about once a second."""
        with self._lock:
            topics = list(self._topics.items())
        for name, topic in topics:
            topic.trouble = too_many(name, publishers_of(self._node, name))
            if topic.trouble:
                topic.left = _AGAIN
            if topic.left:
                topic.left -= 1
                topic.again()
