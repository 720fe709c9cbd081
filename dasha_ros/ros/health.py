"""A node's diagnostics: one status, its counters, and everything a person asks first."""

from __future__ import annotations

import os
import threading
from collections import Counter
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node

from dasha_ros.ros.qos import DIAGNOSTICS

_PERIOD_S = 1.0


class Health:
    """Publishes ``/diagnostics`` once a second, and at once when the level changes.

    Callable from any thread.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._level = DiagnosticStatus.STALE
        self._message = "starting"
        self._counts: Counter[str] = Counter()
        self._values: dict[str, Any] = {}
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", DIAGNOSTICS)
        # Simulated time stands still when its source dies, which is when somebody looks here.
        node.create_timer(_PERIOD_S, self.publish, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def ok(self, message: str = "ok") -> None:
        """Everything works."""
        self._set(DiagnosticStatus.OK, message)

    def warn(self, message: str) -> None:
        """It works, but someone should look."""
        self._set(DiagnosticStatus.WARN, message)

    def error(self, message: str) -> None:
        """It does not work. Say what happened and what to do."""
        self._set(DiagnosticStatus.ERROR, message)

    def count(self, name: str, by: int = 1) -> int:
        """Count an event and return how many there were."""
        with self._lock:
            self._counts[name] += by
            return self._counts[name]

    def values(self, **values: Any) -> None:
        """Facts to show beside the status."""
        with self._lock:
            self._values.update(values)

    @property
    def level(self) -> bytes:
        """Level of the status: a constant of ``DiagnosticStatus``."""
        return self._level

    def _set(self, level: bytes, message: str) -> None:
        with self._lock:
            changed = (level, message) != (self._level, self._message)
            news = changed and level != self._level
            self._level, self._message = level, message
        if news:
            self.publish()
        # Not in one line: rclpy raises when the severity of a line of code changes.
        if changed and level == DiagnosticStatus.ERROR:
            self._node.get_logger().error(message)
        elif changed and level == DiagnosticStatus.WARN:
            self._node.get_logger().warning(message)

    def publish(self) -> None:
        """Publish the status now."""
        with self._lock:
            pairs = {"pid": os.getpid(), **self._values, **self._counts}
            status = DiagnosticStatus(
                level=self._level,
                name=self._node.get_fully_qualified_name().lstrip("/"),
                message=self._message,
                hardware_id=str(self._values.get("hardware_id", "")),
                values=[KeyValue(key=str(k), value=_text(v)) for k, v in pairs.items()],
            )
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._node.get_clock().now().to_msg()
        if self._node.context.ok():
            self._publisher.publish(array)


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
