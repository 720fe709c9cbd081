"""Computes parts and writes what came of them; every part has its own files, so none waits for another."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dasha_ros.benchmark.paper.drawing import save
from dasha_ros.benchmark.paper.part import Context, Data, Part, PartMissingError
from dasha_ros.files.documents import read_json
from dasha_ros.files.errors import FileError
from dasha_ros.files.writing import disk_errors, write_whole

MISSING = "missing"
"""Key of the file of a part that could not be computed: the reason."""


class ReportError(ValueError):
    """The results can't be written or read; the message says why."""


def run_part(part: Part, context: Context, made: Mapping[str, str]) -> bool:
    """Compute a part, and write ``NAME.json``, ``NAME.csv`` and its figures.

    Args:
        part: What to compute.
        context: How.
        made: How the numbers are made: command, versions, machine.

    Returns:
        Whether it could be computed. If not, ``NAME.json`` holds the reason, unless it held something else:
        then the reason is told, and the file stays.

    Raises:
        ReportError: The folder can't be written.
    """
    begun, goes_on = time.monotonic(), (context.folder / f"{part.name}.jsonl").exists()
    try:
        data = part.compute(context)
    except PartMissingError as error:
        context.note(f"{part.name} is left out: {error}")
        try:
            if read_part(part, context.folder) is None:
                _write(context.folder, part.name, {"made": dict(made), MISSING: str(error)})
        except ReportError as damage:
            context.note(str(damage))  # The parts after this one can be computed all the same.
        return False
    spent = f"{time.monotonic() - begun:.0f} s" + (", after an earlier run" if goes_on else "")
    drawings = part.draw(data, context.folder)
    with disk_errors(ReportError, context.folder):
        write_whole(context.folder / f"{part.name}.csv", _csv(part.rows(data)))
        for drawing in drawings:
            save(drawing.figure, drawing.name, context.folder)
    held = {"made": {**made, "time": spent}, "figures": {d.name: d.caption for d in drawings}, "data": data}
    _write(context.folder, part.name, held)
    return True


def read_part(part: Part, folder: Path) -> dict[str, Any] | None:
    """What `run_part` wrote: ``made``, ``figures`` (captions by name) and ``data``; ``None``: nothing.

    Raises:
        ReportError: The file can't be read.
    """
    held = _read(part, folder)
    return held if held is not None and "data" in held else None


def written_again(part: Part) -> str:
    """What to do where a file of a part is missing or damaged; what its journal holds is not played anew."""
    return f"write it again with `dasha benchmark paper --out DIR --part {part.name}`"


@contextmanager
def taken_from(part: Part) -> Iterator[None]:
    """Read numbers out of a part's data.

    Raises:
        ReportError: They are not there: another version of the package wrote the file.
    """
    try:
        yield
    except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise ReportError(
            f"the results of {part.name} are of another version ({error!r} is not in them): "
            f"{written_again(part)}"
        ) from error


def why_missing(part: Part, folder: Path) -> str:
    """Why a part has no data in a folder.

    Raises:
        ReportError: The file can't be read.
    """
    held = _read(part, folder)
    if held is None:
        return f"not computed yet: dasha benchmark paper --out DIR --part {part.name}"
    return str(held.get(MISSING, ""))


def _read(part: Part, folder: Path) -> dict[str, Any] | None:
    path = folder / f"{part.name}.json"
    if not os.path.lexists(path):
        return None
    try:
        held = read_json(path)
    except FileError as error:
        raise ReportError(f"the results {error}: {written_again(part)}") from error
    if not isinstance(held, dict) or not (MISSING in held or _is_whole(held)):
        raise ReportError(
            f"{path} holds no results of {part.name}: name another folder, or {written_again(part)}"
        )
    return held


def _is_whole(held: Mapping[str, Any]) -> bool:
    """Whether a file holds all that `run_part` writes."""
    return "data" in held and all(isinstance(held.get(key), dict) for key in ("made", "figures"))


def _write(folder: Path, name: str, content: Data) -> None:
    with disk_errors(ReportError, folder):
        write_whole(folder / f"{name}.json", json.dumps(content, indent=1) + "\n")


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
