"""Stamps as integer nanoseconds, the ROS clock they come from, and the steady clock to wait on."""

from __future__ import annotations

import threading
import time

from builtin_interfaces.msg import Time
from rclpy.clock import Clock as RclClock
from rclpy.clock import ClockType

_POLL_S = 0.001
"""How often simulated time is read [s]. It advances by one step per message, so less would gain nothing."""


def to_ns(stamp: Time) -> int:
    """Nanoseconds of a ROS stamp."""
    return int(stamp.sec * 1_000_000_000 + stamp.nanosec)


def to_stamp(nanoseconds: int) -> Time:
    """ROS stamp of nanoseconds."""
    return Time(sec=nanoseconds // 1_000_000_000, nanosec=nanoseconds % 1_000_000_000)


class RosClock:
    """A node's clock for stamps: system time, or ``/clock`` with ``use_sim_time``.

    People and NTP set the system time, so stamps are for people only; nothing waits for one.

    Attributes:
        steady: The clock for waiting and measuring.
    """

    def __init__(self, clock: RclClock) -> None:
        self._clock = clock
        self.steady = SteadyRosClock(self)

    def now_ns(self) -> int:
        """The current time, as a stamp."""
        return int(self._clock.now().nanoseconds)

    @property
    def is_simulated(self) -> bool:
        """Whether time comes from ``/clock``."""
        return bool(self._clock.clock_type == ClockType.ROS_TIME and self._clock.ros_time_is_active)

    def stamp_of(self, steady_ns: int) -> int:
        """The stamp of a steady time, never later than that moment itself."""
        now_ns = self.now_ns()
        return now_ns - (self.steady.now_ns() - steady_ns)


class SteadyRosClock:
    """A node's steady time as `freshness.clock.Clock`: real time, or ``/clock``, which never goes back."""

    def __init__(self, clock: RosClock) -> None:
        self._clock = clock

    def now_ns(self) -> int:
        """The current time."""
        return self._clock.now_ns() if self._clock.is_simulated else time.monotonic_ns()

    def wait_until(self, until_ns: int, interrupt: threading.Event | None = None) -> bool:
        """Wait until ``until_ns``; ``False`` if ``interrupt`` was set before."""
        event = interrupt or threading.Event()
        while (left_ns := until_ns - self.now_ns()) > 0:
            if event.wait(_POLL_S if self._clock.is_simulated else left_ns / 1e9):
                return False
        return not event.is_set()
