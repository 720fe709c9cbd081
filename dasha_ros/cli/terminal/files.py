"""Files that commands write: refused before the work begins, and written with one sentence for any error."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

import typer

from dasha_ros.cli.terminal.console import Exit, fail

Json = Annotated[Path | None, typer.Option("--json", help="Also write the numbers to this file.")]


def refuse_unwritable(*files: Path | None, folder: Path | None = None) -> None:
    """End the command now, and not after minutes of work, if what it makes can't be written.

    Two of its files may not be one: the second would take the first one's place.

    Args:
        *files: Files that it will write.
        folder: A folder that it will make or fill.
    """
    wanted = [path for path in (*files, folder) if path is not None]
    for number, path in enumerate(wanted):
        if any(_is_same(path, other) for other in wanted[:number]):
            fail(
                f"{path} is asked for twice: give each of the command's files a name of its own", Exit.REFUSED
            )
    for path in wanted:
        home = path.absolute().parent
        if not home.is_dir():
            fail(f"{path} can't be written: there is no folder {home}", Exit.REFUSED)
        if path is not folder and path.is_dir():
            fail(
                f"{path} can't be written: it is a folder; name a file, such as {path / 'FILE'}", Exit.REFUSED
            )
        if path is folder and path.exists() and not path.is_dir():
            fail(f"{path} can't be made: a file of this name is there; name a folder", Exit.REFUSED)
        if not os.access(path if path.exists() else home, os.W_OK):
            fail(f"{path} can't be written: you have no permission; name another place", Exit.REFUSED)


def _is_same(one: Path, other: Path) -> bool:
    # A terminal or a pipe takes both, one after the other.
    is_one = os.path.realpath(one) == os.path.realpath(other)
    return is_one and (one.is_file() or not one.exists())


def refuse_foreign_ending(picture: Path, endings: Collection[str]) -> None:
    """End the command now if a picture's name ends in none of the endings (with their dots)."""
    if picture.suffix.lower() not in endings:
        known = ", ".join(endings)
        fail(f"{picture} can't be drawn: its name must end in one of {known}", Exit.REFUSED)


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
