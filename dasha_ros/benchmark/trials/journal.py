"""Rows of episodes in a file, one a line, from which an interrupted evaluation goes on."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from pydantic import BaseModel, ValidationError

from dasha_ros.benchmark.rows import Row
from dasha_ros.files.documents import parse_json, read_text
from dasha_ros.files.errors import FileError, shown
from dasha_ros.files.validation import reasons
from dasha_ros.files.writing import disk_errors

ID = "id"
"""Key of a row that names its episode."""
_BEGINNING = json.dumps({ID: ""})[:-2]
"""How every row begins that `Journal.add` writes."""


def key_of(*what: object) -> str:
    """A key for the row of an episode, made of all that decides how it goes.

    Args:
        what: Can be written as JSON.
    """
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]


class JournalError(ValueError):
    """A file of rows can't be used; the message says why."""


class Journal:
    """Remembers the rows of episodes; with a file, also those of earlier runs.

    A context manager. Each row is in the file as soon as it is added: a killed run loses the episode that it
    was playing, and no other.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Read what a file holds; a last row that was cut off is dropped.

        Args:
            path: The file, made if it does not exist; ``None``: nothing is kept.

        Raises:
            JournalError: The file is not one of these, or can't be written.
        """
        self._path = path
        self._file: io.FileIO | None = None
        self._needs_newline = False
        self.rows: dict[str, Row] = {}
        """All rows, by id."""
        self.played: list[Row] = []
        """The rows that this run asked for or added, in order."""
        self.resumed = 0
        """How many of them were there before."""
        if path is not None:
            cut_off = self._read(path) if path.exists() else 0
            with disk_errors(JournalError, path):
                # Unbuffered: what a full disk refused is not tried again when the file is closed.
                self._file = path.open("ab", buffering=0)
                if cut_off:
                    self._file.truncate(path.stat().st_size - cut_off)
                elif self._needs_newline:
                    self._write("\n")

    def take(
        self, name: str, keys: Iterable[str] = (), *, model: type[BaseModel] | None = None
    ) -> Row | None:
        """The row of an episode that was played before; ``None``: play it, and `add` the row.

        Args:
            name: Id of the episode.
            keys: What the caller reads from the row; a row without one of them counts as not played.
            model: The same, with the kind of each value.

        Raises:
            JournalError: A value is of another kind.
        """
        row = self.rows.get(name)
        if row is None or not row.keys() >= {*keys, *(model.model_fields if model else ())}:
            return None
        if model is not None:
            try:
                model.model_validate(row)
            except ValidationError as error:
                raise JournalError(
                    f"{shown(self._path or '')}: the row with the id {name} does not describe an episode "
                    f"({reasons(error)}): remove the line, and the others are kept; or name another file"
                ) from error
        self.played.append(row)
        self.resumed += 1
        return row

    def add(self, name: str, row: Row) -> Row:
        """Keep a row under the id of its episode, and return it with the id.

        Raises:
            JournalError: The disk is full.
        """
        self.rows[name] = row = {ID: name, **row}
        self.played.append(row)
        if self._path is not None:
            with disk_errors(JournalError, self._path):
                self._write(json.dumps(row) + "\n")
        return row

    def __enter__(self) -> Journal:
        """Use it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file.

        Raises:
            JournalError: A disk elsewhere refuses only now what it took before.
        """
        if self._file is not None and self._path is not None:
            with disk_errors(JournalError, self._path):
                self._file.close()

    def _write(self, text: str) -> None:
        assert self._file is not None
        rest = text.encode()
        while rest:  # A disk that is nearly full takes a part.
            rest = rest[self._file.write(rest) :]

    def _read(self, path: Path) -> int:
        """Remember all whole rows; returns the length of a row at the end that was cut off [bytes]."""
        try:
            text = read_text(path)
        except FileError as error:
            raise JournalError(f"rows of episodes {error}: name another file, or remove it") from error
        *lines, last = text.split("\n")
        for number, line in enumerate([*lines, last] if last else lines, start=1):
            if not line.strip():
                continue
            try:
                row = parse_json(line)
                self.rows[row[ID]] = row
            except (ValueError, TypeError, KeyError) as error:
                # A file of somebody else may lack its last newline, too: only what begins like a row of
                # ours is one that was cut off.
                if number > len(lines) and (line.startswith(_BEGINNING) or _BEGINNING.startswith(line)):
                    return len(line.encode())
                raise JournalError(
                    f"{shown(path)}: line {number} is no row of an episode: remove the line, and the others "
                    "are kept; or name another file"
                ) from error
        self._needs_newline = bool(last)
        return 0
