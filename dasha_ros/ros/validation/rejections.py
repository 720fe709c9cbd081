"""Which messages a node rejected, and why: the log, the counts and the warning in its diagnostics."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakSet

from rclpy.node import Node

from dasha_ros.ros.node.condition import Condition, warning

_WARNING_LASTS_S = 10.0
"""How long the status warns after the last rejected message [s]."""
_MOST_CHARACTERS = 200
"""Longest reason that is kept."""


class Follower(Protocol):
    """A filter of messages that expects a certain publisher."""

    def look(self, node: Node) -> None:
        """Check whether the expected publisher is still there."""
        ...


@dataclass
class _Rejected:
    times: int = 0
    reason: str = ""
    at_s: float = 0.0


class Rejections:
    """Counts the messages that a node rejected. Callable from any thread."""

    def __init__(self, logger: Any, now_s: Callable[[], float] = time.monotonic) -> None:
        self._logger, self.now_s = logger, now_s
        self._lock = threading.Lock()
        self._rejected: dict[str, _Rejected] = {}
        # A filter lives as long as its subscription.
        self._filters: WeakSet[Follower] = WeakSet()

    def add(self, topic: str, reason: str) -> None:
        """Count a rejected message. The log reports the 1st, 2nd, 4th, ... of a topic."""
        # The reason may quote a stranger's message; no control characters may reach terminals and logs.
        reason = "".join(c if c.isprintable() else "?" for c in reason[:_MOST_CHARACTERS])
        with self._lock:
            rejected = self._rejected.setdefault(topic, _Rejected())
            rejected.times += 1
            rejected.reason, rejected.at_s = reason, self.now_s()
            times = rejected.times
        if times & (times - 1) == 0:
            self._logger.warning(f"rejected a message on {topic}: {reason} ({times} so far)")

    def condition(self) -> Condition | None:
        """A warning while bad messages keep coming."""
        since_s = self.now_s() - _WARNING_LASTS_S
        recent = [
            f"messages on {topic} are rejected: {rejected.reason} ({rejected.times} so far)"
            for topic, rejected in list(self._rejected.items())
            if rejected.at_s >= since_s
        ]
        return warning("; ".join(sorted(recent))) if recent else None

    def values(self) -> dict[str, str]:
        """For each topic: how many messages were rejected, and why the last one was."""
        return {
            f"rejected on {topic}": f"{rejected.times}: {rejected.reason}"
            for topic, rejected in list(self._rejected.items())
        }

    def follow(self, message_filter: Follower) -> None:
        """Have `look` tell a filter whether the publisher it expects is there."""
        with self._lock:
            self._filters.add(message_filter)

    def look(self, node: Node) -> None:
        """Check which of the expected publishers are still there. Call it about once a second."""
        with self._lock:
            filters = list(self._filters)
        for message_filter in filters:
            message_filter.look(node)


def rejections_of(node: Node) -> Rejections:
    """The rejections that a node counts; for any other node a new object that only logs."""
    rejections = getattr(node, "rejections", None)
    return rejections if isinstance(rejections, Rejections) else Rejections(node.get_logger())
