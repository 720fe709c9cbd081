"""Reads the names and paths that people write, and says why one names nothing that can be used."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from dasha_ros.files.errors import FileError, shown


def expanded(path: str | Path, kind: Callable[[str], Exception] | None = None) -> Path:
    """A path with ``~`` or ``~USER`` at its beginning replaced by the home folder.

    Only for what a person wrote: the name of a file that was found in a folder may begin with ``~``, too.

    Args:
        path: The path.
        kind: Type of the error to raise; by default `FileError`.

    Raises:
        Exception: One of ``kind``: there is no such user, or no home folder.
    """
    path = Path(path)
    try:
        return path.expanduser()
    except RuntimeError as error:
        if os.path.lexists(path):
            return path
        user = path.parts[0][1:]
        why = f"there is no user {shown(user)!r}" if user else "this user has no home folder"
        refusal = FileError(path, f"{why} for its {shown(path.parts[0])}: give the whole path")
        raise refusal if kind is None else kind(str(refusal)) from error


def what_lies_at(text: str, wanted: str) -> str:
    """What a text is the path of, where it is not the path of what was wanted.

    Args:
        text: What the user gave as a name or a path.
        wanted: Ending of the names of usable files, such as ``.yaml``.

    Returns:
        A clause such as ``'x.txt' is a file whose name does not end in .yaml``; empty if nothing lies there.
    """
    try:
        path = expanded(text)
        if path.is_dir():
            return f"{shown(text)!r} is a folder"
        if path.exists():
            return f"{shown(text)!r} is a file whose name does not end in {wanted}"
    except (OSError, ValueError):  # No path: too long, ``~nobody``, or a zero byte in it.
        pass
    return ""


def no_such(what: str, text: str, names: Iterable[str]) -> str:
    """The sentence about a text that names nothing of a kind that ships, and is no YAML file.

    Args:
        what: The kind, such as ``scene``.
        text: What the user gave.
        names: What ships.
    """
    problem = what_lies_at(text, ".yaml") or f"no {what} {text!r}"
    return f"{problem}; give the path of a YAML file, or one of: {', '.join(names)}"
