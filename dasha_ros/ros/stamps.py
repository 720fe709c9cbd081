"""Stamps as integer nanoseconds, and the ROS clock behind the devices' `Clock`."""

from __future__ import annotations

import threading

from builtin_interfaces.msg import Time
from rclpy.clock import Clock as RclClock
from rclpy.clock import ClockType

_POLL_S = 0.001
"""How often simulated time is looked at: it arrives in steps of a message, so finer brings nothing."""


def to_ns(stamp: Time) -> int:
    """Nanoseconds of a ROS stamp."""
    return stamp.sec * 1_000_000_000 + stamp.nanosec


def to_stamp(nanoseconds: int) -> Time:
    """ROS stamp of nanoseconds."""
    return Time(sec=nanoseconds // 1_000_000_000, nanosec=nanoseconds % 1_000_000_000)


class RosClock:
    """A node's clock as `timing.clock.Clock`: system time, or ``/clock`` with ``use_sim_time``."""

    def __init__(self, clock: RclClock) -> None:
        self._clock = clock

    def now_ns(self) -> int:
        """The time now."""
        return self._clock.now().nanoseconds

    @property
    def is_simulated(self) -> bool:
        """Whether time comes from ``/clock``."""
        return self._clock.clock_type == ClockType.ROS_TIME and self._clock.ros_time_is_active

    def wait_until(self, stamp_ns: int, interrupt: threading.Event | None = None) -> bool:
        """Wait until ``stamp_ns``; ``False`` when ``interrupt`` was set before."""
        event = interrupt or threading.Event()
        while (left_ns := stamp_ns - self.now_ns()) > 0:
            if event.wait(_POLL_S if self.is_simulated else left_ns / 1e9):
                return False
        return not event.is_set()
