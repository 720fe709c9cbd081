"""Says why a text names neither anything that ships nor a file that can be used."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dasha_ros.files.errors import shown


def what_lies_at(text: str, wanted: str) -> str:
    """What a text is the path of, where it is not the path of what was wanted.

    Args:
        text: What the user gave as a name or a path.
        wanted: Ending of the names of usable files, such as ``.yaml``.

    Returns:
        A clause such as ``'x.txt' is a file whose name does not end in .yaml``; empty if nothing lies there.
    """
    try:
        path = Path(text).expanduser()
        if path.is_dir():
            return f"{shown(text)!r} is a folder"
        if path.exists():
            return f"{shown(text)!r} is a file whose name does not end in {wanted}"
    except (OSError, RuntimeError, ValueError):  # No path: too long, ``~nobody``, or a zero byte in it.
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
