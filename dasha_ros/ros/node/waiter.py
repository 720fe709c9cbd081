"""Waiting for the effects of another thread's callbacks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from rclpy.task import Future

T = TypeVar("T")

POLL_S = 0.05
"""How often a wait checks the time and interruptions [s]; `Waiter.notify` wakes it at once."""


class Waiter:
    """Lets threads wait until a callback has made a condition true."""

    def __init__(self) -> None:
        self._condition = threading.Condition()

    def notify(self) -> None:
        """Wake all waiting threads: something changed."""
        with self._condition:
            self._condition.notify_all()

    def wait_for(self, find: Callable[[], T | None], keep_waiting: Callable[[], bool]) -> T | None:
        """Return the first result of ``find`` that is not `None`, or `None` once ``keep_waiting`` is false.

        ``find`` is called after each `notify`, ``keep_waiting`` at least every `POLL_S`; it may raise.
        """
        with self._condition:
            while (found := find()) is None:
                if not keep_waiting():
                    return None
                self._condition.wait(POLL_S)
            return found

    def within(self, seconds: float, condition: Callable[[], object]) -> bool:
        """Wait up to ``seconds`` of real time until ``condition`` is true, and return whether it was."""
        deadline = time.monotonic() + seconds
        return bool(self.wait_for(lambda: bool(condition()) or None, lambda: time.monotonic() < deadline))


def result_of(future: Future, timeout_s: float, interrupted: Callable[[], bool] = bool) -> object | None:
    """Wait for a future that another thread's executor completes.

    Returns:
        The result, or `None` after a timeout, an interruption or a cancellation.
    """
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    deadline = time.monotonic() + timeout_s
    while not done.wait(POLL_S):
        if time.monotonic() > deadline or interrupted():
            return None
    result: object | None = future.result()
    return result
