"""A node's diagnostics: what stands, its counters, and everything a person asks first."""

from __future__ import annotations

import os
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

_PERIOD_S = 1.0
_AT_ONCE = 10
"""Changes of the level in a second that are published at once: a flapping cause must not flood the topic."""


class Health:
    """Publishes ``/diagnostics`` once a second, and at once when the level changes.

    The status is computed from what stands whenever it is published; nobody sets it. Every
    condition belongs to one cause, which alone may set and clear it:

    - `warn`, `error` and `clear` for what events bring (a lost device);
    - `watch` for what can be read off a state at any time (the faults that the lens reports).

    Callable from any thread. What is given to `watch`, `does` and `show` is called from any
    thread too, and must neither wait nor take a lock.
    """

    def __init__(self, node: Node, now_s: Callable[[], float] = time.monotonic) -> None:
        self._node, self._now_s = node, now_s
        self._lock = threading.Lock()
        self._set: dict[str, Condition] = {}
        self._watched: dict[str, Callable[[], Condition | None]] = {}
        self._activity: Callable[[], str] | None = None
        self._shown: dict[str, Callable[[], Mapping[str, Any]]] = {}
        self._counts: Counter[str] = Counter()
        # No older status may follow a newer one.
        self._publishing = threading.RLock()
        self._published: Level | None = None
        self._times: deque[float] = deque(maxlen=_AT_ONCE)
        self._logged: dict[str, tuple[Condition, float]] = {}
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", DIAGNOSTICS)
        # Simulated time stands still when its source dies, which is when somebody looks here.
        node.create_timer(_PERIOD_S, self.publish, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def warn(self, cause: str, sentence: str) -> None:
        """It works, but someone should look. Stands until ``cause`` says something else, or `clear`."""
        self._stands(cause, warning(sentence))

    def error(self, cause: str, sentence: str) -> None:
        """It does not work: what happened, and what to do. Stands like `warn`."""
        self._stands(cause, failure(sentence))

    def clear(self, *causes: str) -> None:
        """Nothing is wrong with these any more."""
        with self._lock:
            found = [self._set.pop(cause) for cause in causes if cause in self._set]
        if found:
            self.update()

    def watch(self, cause: str, look: Callable[[], Condition | None]) -> None:
        """Let a condition be read off its owner's state; ``None``: nothing is wrong.

        Its owner calls `update` after a change.
        """
        with self._lock:
            self._watched[cause] = look

    def does(self, activity: str | Callable[[], str]) -> None:
        """What the node does while nothing is wrong."""
        with self._lock:
            self._activity = activity if callable(activity) else lambda: activity
        self.update()

    def show(self, topic: str, values: Callable[[], Mapping[str, Any]]) -> None:
        """Facts to show beside the status, as they are whenever it is published.

        ``hardware_id`` among them names the device. Of two facts of one name the one that was
        given first is shown.
        """
        with self._lock:
            self._shown[topic] = values

    def count(self, name: str, by: int = 1) -> int:
        """Count an event and return how many there were."""
        with self._lock:
            self._counts[name] += by
            return self._counts[name]

    def standing(self) -> dict[str, Condition]:
        """Everything that stands now, by its cause."""
        with self._lock:
            standing, watched = dict(self._set), dict(self._watched)
        for cause, look in watched.items():
            try:
                condition = look()
            except Exception as error:  # What can't be told of must not silence the rest.
                condition = failure(f"{cause} can't be told of: {error!r}")
            if condition is not None:
                standing[cause] = condition
        return standing

    def status(self) -> Condition:
        """The status now, computed from what stands."""
        return self._summary(self.standing())

    def _summary(self, standing: Mapping[str, Condition]) -> Condition:
        activity = self._activity
        try:
            doing = None if activity is None else activity()
        except Exception as error:
            doing, standing = "", {**standing, "activity": failure(f"what it does can't be told: {error!r}")}
        return summary(standing, doing)

    @property
    def level(self) -> Level:
        """Level of the status."""
        return self.status().level

    @property
    def message(self) -> str:
        """Sentence of the status."""
        return self.status().sentence

    def _stands(self, cause: str, condition: Condition) -> None:
        with self._lock:
            changed = self._set.get(cause) != condition
            self._set[cause] = condition
        if changed:
            self.update()

    def update(self) -> None:
        """Something changed: publish if the level did, and log what is new."""
        with self._publishing:
            standing = self.standing()
            self._log(standing)
            now_s = self._now_s()
            burst = len(self._times) == _AT_ONCE and now_s - self._times[0] < _PERIOD_S
            if self._summary(standing).level != self._published and not burst:
                self._times.append(now_s)
                self._publish(standing)

    def publish(self) -> None:
        """Publish the status now."""
        with self._publishing:
            standing = self.standing()
            self._log(standing)
            self._publish(standing)

    def values(self) -> dict[str, Any]:
        """Everything that is shown beside the status, as it is now."""
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

    def _publish(self, standing: Mapping[str, Condition]) -> None:
        status, values = self._summary(standing), self.values()
        self._published = status.level
        message = DiagnosticStatus(
            level=bytes([status.level]),
            name=self._node.get_fully_qualified_name().lstrip("/"),
            message=status.sentence,
            hardware_id=str(values.pop("hardware_id", "")),
            values=[KeyValue(key=str(k), value=_text(v)) for k, v in values.items()],
        )
        array = DiagnosticArray(status=[message])
        array.header.stamp = self._node.get_clock().now().to_msg()
        if self._node.context.ok():
            self._publisher.publish(array)

    def _log(self, standing: Mapping[str, Condition]) -> None:
        """Log what is new, but of one cause no more than one sentence in a period."""
        now_s = self._now_s()
        for cause, condition in standing.items():
            logged, at_s = self._logged.get(cause, (None, -_PERIOD_S))
            if condition == logged or now_s - at_s < _PERIOD_S:
                continue
            self._logged[cause] = condition, now_s
            # Not in one line: rclpy raises when the severity of a line of code changes.
            if condition.level == Level.ERROR:
                self._node.get_logger().error(condition.sentence)
            elif condition.level == Level.WARN:
                self._node.get_logger().warning(condition.sentence)
        for cause, (_, at_s) in list(self._logged.items()):
            if cause not in standing and now_s - at_s >= _PERIOD_S:
                del self._logged[cause]


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
