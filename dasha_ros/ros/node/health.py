"""A node's diagnostics: its active conditions, its counters, and what a person asks first."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node

from dasha_ros.ros.node.condition import Condition, Level, failure, summary, warning
from dasha_ros.ros.transport.qos import DIAGNOSTICS
from dasha_ros.system.text import sendable

_PERIOD_S = 1.0
_COMPUTER = socket.gethostname()
"""The hardware of a node that owns no device."""
_AT_ONCE = 10
"""Most level changes per second that are published at once: a flapping cause must not flood the topic."""


class Health:
    """Publishes ``/diagnostics`` once a second, and at once when the level changes.

    The status is computed from the active conditions each time; nothing sets it directly. Every
    condition belongs to one cause, and only that cause sets and clears it:

    - `warn`, `error` and `clear` are for events (a lost device);
    - `watch` is for conditions that follow from a state (the faults that the lens reports).

    Callable from any thread. The functions given to `watch`, `set_activity` and `show` are also called
    from any thread; they must neither wait nor take a lock.
    """

    def __init__(self, node: Node, now_s: Callable[[], float] = time.monotonic) -> None:
        self._node, self._now_s = node, now_s
        self._lock = threading.Lock()
        self._set: dict[str, Condition] = {}
        self._watched: dict[str, Callable[[], Condition | None]] = {}
        self._activity: Callable[[], str] | None = None
        self._shown: dict[str, Callable[[], Mapping[str, Any]]] = {}
        self._counts: Counter[str] = Counter()
        # Keeps an older status from being published after a newer one.
        self._publishing = threading.RLock()
        self._published: Level | None = None
        self._times: deque[float] = deque(maxlen=_AT_ONCE)
        self._logged: dict[str, tuple[Condition, float]] = {}
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", DIAGNOSTICS)
        # Simulated time stops when its source dies, and that is when people look at the diagnostics.
        node.create_timer(_PERIOD_S, self.publish, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def warn(self, cause: str, sentence: str) -> None:
        """Warn until ``cause`` sets another condition or is cleared."""
        self._set_condition(cause, warning(sentence))

    def error(self, cause: str, sentence: str) -> None:
        """Report an error, with what happened and what to do, for as long as `warn` would."""
        self._set_condition(cause, failure(sentence))

    def clear(self, *causes: str) -> None:
        """End the conditions of these causes."""
        with self._lock:
            found = [self._set.pop(cause) for cause in causes if cause in self._set]
        if found:
            self.update()

    def watch(self, cause: str, look: Callable[[], Condition | None]) -> None:
        """Compute a condition from a state whenever it is needed; ``None``: nothing is wrong.

        Call `update` after the state changed.
        """
        with self._lock:
            self._watched[cause] = look

    def set_activity(self, activity: str | Callable[[], str]) -> None:
        """Say what the node does while nothing is wrong."""
        with self._lock:
            self._activity = activity if callable(activity) else lambda: activity
        self.update()

    def show(self, topic: str, values: Callable[[], Mapping[str, Any]]) -> None:
        """Show values beside the status, computed whenever it is published.

        ``hardware_id`` among them names the device; without one, the computer is named. If two topics have a
        key of the same name, the first one added is shown.
        """
        with self._lock:
            self._shown[topic] = values

    def count(self, name: str, by: int = 1) -> int:
        """Count an event and return the new count."""
        with self._lock:
            self._counts[name] += by
            return self._counts[name]

    def conditions(self) -> dict[str, Condition]:
        """All active conditions, by cause."""
        with self._lock:
            conditions, watched = dict(self._set), dict(self._watched)
        for cause, look in watched.items():
            try:
                condition = look()
            except Exception as error:  # The other conditions must be shown all the same.
                condition = failure(f"the state of {cause} can't be read: {error!r}")
            if condition is not None:
                conditions[cause] = condition
        # Neither a message nor a log can hold names of files that are no text.
        return {cause: Condition(each.level, sendable(each.sentence)) for cause, each in conditions.items()}

    def status(self) -> Condition:
        """The current status, computed from the active conditions."""
        return self._summary(self.conditions())

    def _summary(self, conditions: Mapping[str, Condition]) -> Condition:
        activity = self._activity
        try:
            doing = None if activity is None else sendable(activity())
        except Exception as error:
            doing, conditions = (
                "",
                {**conditions, "activity": failure(f"the activity can't be read: {error!r}")},
            )
        return summary(conditions, doing)

    def _set_condition(self, cause: str, condition: Condition) -> None:
        with self._lock:
            changed = self._set.get(cause) != condition
            self._set[cause] = condition
        if changed:
            self.update()

    def update(self) -> None:
        """Take note of a change: log what is new, and publish if the level changed."""
        with self._publishing:
            conditions = self.conditions()
            self._log(conditions)
            now_s = self._now_s()
            burst = len(self._times) == _AT_ONCE and now_s - self._times[0] < _PERIOD_S
            if self._summary(conditions).level != self._published and not burst:
                self._times.append(now_s)
                self._publish(conditions)

    def publish(self) -> None:
        """Publish the status now."""
        with self._publishing:
            conditions = self.conditions()
            self._log(conditions)
            self._publish(conditions)

    def values(self) -> dict[str, Any]:
        """All values that are shown beside the status."""
        with self._lock:
            shown, counts = list(self._shown.values()), dict(self._counts)
        pairs: dict[str, Any] = {"pid": os.getpid()}
        for values in shown:
            try:
                for key, value in values().items():
                    pairs.setdefault(key, value)
            except Exception as error:
                pairs["not shown"] = repr(error)
        return pairs | counts

    def _publish(self, conditions: Mapping[str, Condition]) -> None:
        status, values = self._summary(conditions), self.values()
        self._published = status.level
        message = DiagnosticStatus(
            level=bytes([status.level]),
            name=self._node.get_fully_qualified_name().lstrip("/"),
            message=status.sentence,
            hardware_id=_text(values.pop("hardware_id", "") or _COMPUTER),
            values=[KeyValue(key=str(k), value=_text(v)) for k, v in values.items()],
        )
        array = DiagnosticArray(status=[message])
        array.header.stamp = self._node.get_clock().now().to_msg()
        if self._node.context.ok():
            self._publisher.publish(array)

    def _log(self, conditions: Mapping[str, Condition]) -> None:
        """Log what is new, at most one sentence per cause and period."""
        now_s = self._now_s()
        for cause, condition in conditions.items():
            logged, at_s = self._logged.get(cause, (None, -_PERIOD_S))
            if condition == logged or now_s - at_s < _PERIOD_S:
                continue
            self._logged[cause] = condition, now_s
            # Two calls, because rclpy raises if one line of code logs with two severities.
            if condition.level == Level.ERROR:
                self._node.get_logger().error(condition.sentence)
            elif condition.level == Level.WARN:
                self._node.get_logger().warning(condition.sentence)
        for cause, (_, at_s) in list(self._logged.items()):
            if cause not in conditions and now_s - at_s >= _PERIOD_S:
                del self._logged[cause]


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else sendable(str(value))
