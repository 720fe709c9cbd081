"""How the command speaks: results to standard output, everything else to standard error."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console


class Exit(IntEnum):
    """Exit codes of the command."""

    OK = 0
    FAILED = 1
    """It was tried and did not work."""
    REFUSED = 2
    """It was not tried: bad arguments, or the goal was rejected."""
    UNREACHABLE = 3
    """Nobody answers."""
    INTERRUPTED = 130
    """Ctrl-C."""


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
