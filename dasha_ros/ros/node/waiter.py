"""Waiting for what another thread's callbacks bring."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from rclpy.task import Future

T = TypeVar("T")

POLL_S = 0.05
"""How often a wait looks at the clock and at whether it was interrupted; news wake it at once."""


class Waiter:
    """Lets threads wait until something is true of what callbacks brought."""

    def __init__(self) -> None:
        self._condition = threading.Condition()

    def notify(self) -> None:
        """Something changed."""
        with self._condition:
            self._condition.notify_all()

    def wait_for(self, find: Callable[[], T | None], keep_waiting: Callable[[], bool]) -> T | None:
        """The first result of ``find`` that is not `None`, or `None` once ``keep_waiting`` says no.

        ``find`` is tried after each `notify`; ``keep_waiting`` at least every `POLL_S`, and may raise.
        """
        with self._condition:
            while (found := find()) is None:
                if not keep_waiting():
                    return None
                self._condition.wait(POLL_S)
            return found

    def within(self, seconds: float, condition: Callable[[], object]) -> bool:
        """Wait until ``condition`` is true, for ``seconds`` of real time at most; whether it came true."""
        deadline = time.monotonic() + seconds
        return bool(self.wait_for(lambda: bool(condition()) or None, lambda: time.monotonic() < deadline))


def result_of(future: Future, timeout_s: float, interrupted: Callable[[], bool] = bool) -> object | None:
    """Result of a future that an executor in another thread completes.

    Returns:
        The result, or `None` on a time-out, an interruption, or a cancelled future.
    """
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    deadline = time.monotonic() + timeout_s
    while not done.wait(POLL_S):
        if time.monotonic() > deadline or interrupted():
            return None
    return future.result()
