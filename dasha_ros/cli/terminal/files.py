"""Files that commands write: refused before the work begins, and written with one sentence for any error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from dasha_ros.cli.terminal.console import Exit, fail

Json = Annotated[Path | None, typer.Option("--json", help="Also write the numbers to this file.")]


def refuse_unwritable(*paths: Path | None) -> None:
    """End the command now, and not after minutes of work, if the folder of a file does not exist."""
    for path in paths:
        if path is not None and not path.absolute().parent.is_dir():
            fail(f"{path} can't be written: there is no folder {path.absolute().parent}", Exit.REFUSED)


def write(path: Path | None, text: str) -> None:
    """Write a text to a file, if one was asked for."""
    if path is None:
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{path} can't be written: {error.strerror}")


def write_json(path: Path | None, numbers: Any, indent: int = 1) -> None:
    """Write numbers as JSON, if a file was asked for."""
    write(path, json.dumps(numbers, indent=indent) + "\n")
