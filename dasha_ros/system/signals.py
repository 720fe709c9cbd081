"""Signals that a program counts instead of dying of them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def signals_counted() -> Iterator[list[int]]:
    """SIGINT, SIGTERM and SIGHUP only add their number to a list: nothing is left half-done."""
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    ends = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda n, _: came.append(n)) for number in ends}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
