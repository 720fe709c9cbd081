"""How the command prints: results to standard output, everything else to standard error."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, NoReturn

import typer

from dasha_ros.files.writing import disk_failed
from dasha_ros.system.signals import hangup

if TYPE_CHECKING:
    from rich.console import Console


class Exit(IntEnum):
    """Exit codes of the command."""

    OK = 0
    FAILED = 1
    """The command tried and failed."""
    REFUSED = 2
    """The command did not try: bad arguments, or the goal was rejected."""
    UNREACHABLE = 3
    """No node or device answers."""
    INTERRUPTED = 130
    """Ctrl-C."""
    HUNG_UP = 129
    """SIGHUP: the terminal was closed."""
    TERMINATED = 143
    """SIGTERM."""


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP, which act like Ctrl-C but have exit codes of their own."""

    def __init__(self, code: Exit) -> None:
        """End with this exit code."""
        super().__init__()
        self.code = code


def signalled(signals: Sequence[int]) -> Exit:
    """The exit code of a command that collected these signals."""
    return Exit(128 + signals[0])


def interrupted(reason: KeyboardInterrupt) -> Exit:
    """The exit code of a command that was interrupted."""
    return reason.code if isinstance(reason, Terminated) else Exit.INTERRUPTED


def refused_or_failed(error: Exception) -> Exit:
    """The exit code for an error of names, files and values: the work failed only if the disk did."""
    return Exit.FAILED if disk_failed(error) else Exit.REFUSED


@contextmanager
def ends_like_ctrl_c() -> Iterator[None]:
    """Make SIGTERM and SIGHUP raise `Terminated`, as Ctrl-C raises ``KeyboardInterrupt``.

    Under ``nohup``, SIGHUP stays ignored. Outside the main thread, where Python allows no signal handlers,
    nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: object) -> NoReturn:
        raise Terminated(signalled([number]))

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, *hangup())}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def out() -> Console:
    """Console for results."""
    return _console(stderr=False)


def err() -> Console:
    """Console for progress and errors."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    # Paths and names of users may hold [brackets] and :colons:, which rich would take for its own.
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


def fail(sentence: str, code: Exit = Exit.FAILED) -> NoReturn:
    """Print a sentence and exit."""
    from rich.text import Text

    err().print(Text.assemble(("error: ", "bold red"), sentence))
    raise typer.Exit(code)
