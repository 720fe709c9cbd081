"""Clocks that can be waited on."""

from __future__ import annotations

import threading
import time

from dasha_ros.freshness.clock import ManualClock, SteadyClock


def test_system_clock_waits_and_can_be_interrupted() -> None:
    clock = SteadyClock()
    target = clock.now_ns() + 2_000_000
    assert clock.wait_until(target)
    assert time.monotonic_ns() >= target
    interrupt = threading.Event()
    threading.Timer(0.01, interrupt.set).start()
    assert not clock.wait_until(clock.now_ns() + 60_000_000_000, interrupt)


def test_manual_clock_jumps() -> None:
    clock = ManualClock(100)
    assert clock.wait_until(5_000_000_000)
    assert clock.now_ns() == 5_000_000_000
    assert clock.wait_until(7)
    assert clock.now_ns() == 5_000_000_000
    clock.advance(-5)
    assert clock.now_ns() == 5_000_000_000
    interrupt = threading.Event()
    interrupt.set()
    assert not clock.wait_until(9_000_000_000, interrupt)
    assert clock.now_ns() == 5_000_000_000
