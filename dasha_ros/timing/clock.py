"""The clock that devices wait on: real time here, compressed time in tests and in the twin."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """A clock in nanoseconds that can be waited on."""

    def now_ns(self) -> int:
        """The time now."""
        ...

    def wait_until(self, stamp_ns: int, interrupt: threading.Event | None = None) -> bool:
        """Wait until ``stamp_ns``; ``False`` when ``interrupt`` was set before."""
        ...


class SystemClock:
    """Wall-clock time: what ROS calls system time."""

    def now_ns(self) -> int:
        """The time now."""
        return time.time_ns()

    def wait_until(self, stamp_ns: int, interrupt: threading.Event | None = None) -> bool:
        """Wait until ``stamp_ns``; ``False`` when ``interrupt`` was set before."""
        event = interrupt or threading.Event()
        while (left_ns := stamp_ns - time.time_ns()) > 0:
            if event.wait(left_ns / 1e9):
                return False
        return not event.is_set()


class ManualClock:
    """A clock that jumps: waiting costs no time, so an in-process twin runs as fast as it computes."""

    def __init__(self, start_ns: int = 1_000_000_000) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """The time now."""
        return self._now_ns

    def advance(self, nanoseconds: int) -> None:
        """Let time pass."""
        self._now_ns += max(0, nanoseconds)

    def wait_until(self, stamp_ns: int, interrupt: threading.Event | None = None) -> bool:
        """Jump to ``stamp_ns``; ``False`` when ``interrupt`` was set before."""
        if interrupt is not None and interrupt.is_set():
            return False
        self._now_ns = max(self._now_ns, stamp_ns)
        return True
