"""How the command prints: results to standard output, everything else to standard error."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, NoReturn

import typer

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
    TERMINATED = 143
    """SIGTERM."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, which acts like Ctrl-C but has an exit code of its own."""


def interrupted(reason: KeyboardInterrupt) -> Exit:
    """The exit code of a command that was interrupted."""
    return Exit.TERMINATED if isinstance(reason, Terminated) else Exit.INTERRUPTED


@contextmanager
def sigterm_like_ctrl_c() -> Iterator[None]:
    """Make SIGTERM raise `Terminated`, as Ctrl-C raises ``KeyboardInterrupt``."""

    def terminate(number: int, frame: object) -> NoReturn:
        raise Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def out() -> Console:
    """Console for results."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def err() -> Console:
    """Console for progress and errors."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def fail(sentence: str, code: Exit = Exit.FAILED) -> NoReturn:
    """Print a sentence and exit."""
    from rich.text import Text

    err().print(Text.assemble(("error: ", "bold red"), sentence))
    raise typer.Exit(code)
