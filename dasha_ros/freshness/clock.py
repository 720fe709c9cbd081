"""The clock that devices wait on: real time for devices, compressed time in tests and in the twin.

The clock is steady: setting the machine's time, by hand or by NTP, changes no exposure and no wait.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """A steady clock in nanoseconds that can be waited on. Its zero has no meaning."""

    def now_ns(self) -> int:
        """The time now."""
        ...

    def wait_until(self, until_ns: int, interrupt: threading.Event | None = None) -> bool:
        """Wait until ``until_ns``; ``False`` when ``interrupt`` was set before."""
        ...


class SteadyClock:
    """Real time from `time.monotonic_ns`, which is the same in all processes of a machine."""

    def now_ns(self) -> int:
        """The time now."""
        return time.monotonic_ns()

    def wait_until(self, until_ns: int, interrupt: threading.Event | None = None) -> bool:
        """Wait until ``until_ns``; ``False`` when ``interrupt`` was set before."""
        event = interrupt or threading.Event()
        while (left_ns := until_ns - time.monotonic_ns()) > 0:
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

    def wait_until(self, until_ns: int, interrupt: threading.Event | None = None) -> bool:
        """Jump to ``until_ns``; ``False`` when ``interrupt`` was set before."""
        if interrupt is not None and interrupt.is_set():
            return False
        self._now_ns = max(self._now_ns, until_ns)
        return True
