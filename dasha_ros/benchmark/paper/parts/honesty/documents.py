"""Reads the lists that documentation and report share: ``readings.md``, ``unmeasured.md``, ``twin.md``.

They lie in ``config/paper``.
"""

from __future__ import annotations

from dasha_ros.files.documents import read_text
from dasha_ros.system.paths import config_dir


def readings() -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Titles and rows of the table of readings: what the paper leaves open, and how it is read.

    Raises:
        FileError: The file can't be read.
    """
    return _table("readings.md")


def unmeasured() -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Titles and rows of the table of claims that nothing was measured for, and why.

    Raises:
        FileError: The file can't be read.
    """
    return _table("unmeasured.md")


def _table(name: str) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    lines = read_text(config_dir() / "paper" / name).splitlines()
    head, _, *rows = (_cells(line) for line in lines if line.startswith("|"))
    return head, rows


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip().replace("`", "") for cell in line.strip().strip("|").split("|"))


def twin_limits() -> list[str]:
    """What the twin does not model, a text each.

    Raises:
        FileError: The file can't be read.
    """
    text = read_text(config_dir() / "paper" / "twin.md")
    return [" ".join(item.split()) for item in f"\n{text}".split("\n- ")[1:]]
