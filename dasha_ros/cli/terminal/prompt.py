"""Questions to a person at the terminal."""

from __future__ import annotations

import typer


def prompt(question: str) -> str:
    """Ask, and return the answer without blanks around it; empty for Enter alone.

    Raises:
        KeyboardInterrupt: Ctrl-C, or a signal that acts like it (`console.Terminated`).
        typer.Abort: The input has ended.
    """
    try:
        return str(typer.prompt(question, default="", show_default=False, err=True)).strip()
    except typer.Abort as end:
        # Click makes one of both; only its cause tells a signal from the end of the input.
        if isinstance(reason := end.__context__, KeyboardInterrupt):
            raise reason from None
        raise
