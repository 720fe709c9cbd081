"""Signals that a program collects instead of ending at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def hangup() -> tuple[signal.Signals, ...]:
    """SIGHUP, which the end of a terminal sends, unless whoever started the program wants it ignored."""
    ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    return () if ignored else (signal.SIGHUP,)


def end_quietly() -> None:
    """Have SIGINT, SIGTERM and SIGHUP end a process that has not begun anything yet with code 0.

    A node's libraries take a second to load. Python's own handler of SIGINT would print where they were then.
    """
    for number in (signal.SIGINT, signal.SIGTERM, *hangup()):
        signal.signal(number, lambda *_: os._exit(0))


@contextmanager
def signals_collected() -> Iterator[list[int]]:
    """Collect SIGINT, SIGTERM and SIGHUP in a list, so that the block can finish what it began.

    Under ``nohup``, SIGHUP stays ignored. Outside the main thread, where Python allows no signal handlers,
    the list stays empty.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    ends = (signal.SIGINT, signal.SIGTERM, *hangup())
    before = {number: signal.signal(number, lambda n, _: came.append(n)) for number in ends}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
