"""The results of a study on disk, each under the key of its task: a killed study goes on from them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.studies.task import Result, StudyError
from dasha_ros.files.documents import read_json
from dasha_ros.files.locking import folder_locked
from dasha_ros.files.writing import disk_errors, write_whole

ROW_KEYS = frozenset(
    {"cache", "setting", "policy", "split", "episodes", "reference_based", "sampled", "arena"}
)
"""What every row of a task that plays holds, whoever plays."""


class Results:
    """A folder with ``KEY.json`` for each finished task, and ``KEY.NAME`` for each of its files.

    Only the driver of a study writes here, and each file whole or not at all.
    """

    def __init__(self, folder: Path, caches: Collection[str] = ()) -> None:
        """Use a folder; `opened` makes and locks it."""
        self.folder, self._caches = folder, caches

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, caches: Collection[str] = ()) -> Iterator[Results]:
        """Make the folder if it is not there, and keep other drivers away until the block ends.

        Args:
            folder: The folder.
            caches: Keys of the percept caches on which tasks play: results with other rows count as damaged.
                Left out: tasks give rows of any kind.

        Raises:
            StudyError: Another driver uses it, or it can't be written.
        """
        busy = f"another study is writing to {folder}: wait for it, or give another folder with --out"
        with folder_locked(folder, StudyError, busy):
            yield cls(folder, caches)

    def __contains__(self, key: str) -> bool:
        """Whether the task was finished; one whose rows can't be read any more was not."""
        try:
            self._read(key)
        except ValueError:
            return False
        return True

    def put(self, key: str, result: Result) -> None:
        """Keep a result.

        Raises:
            StudyError: The disk is full, or the folder can't be written.
        """
        remedy = "; what was computed is kept, and the same command goes on"
        with disk_errors(StudyError, self.folder, remedy):
            for name, content in sorted(result.files.items()):
                write_whole(self.file(key, name), content, durable=True)
            # Last: a task is finished when its rows are there.
            write_whole(self._rows(key), json.dumps(result.rows, indent=1) + "\n", durable=True)

    def rows(self, key: str) -> list[Row]:
        """The rows of a finished task.

        Raises:
            StudyError: They can't be read, or are not of this study.
        """
        try:
            return self._read(key)
        except ValueError as error:
            raise StudyError(f"{error}: delete it, and the same command computes it again") from error

    def _read(self, key: str) -> list[Row]:
        rows = read_json(self._rows(key))
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValueError(f"{self._rows(key)} holds no rows")
        if self._caches and not (rows and all(map(self._was_played, rows))):
            raise ValueError(f"{self._rows(key)} holds no rows of this study")
        return rows

    def _was_played(self, row: Row) -> bool:
        """Whether a task that plays may have given the row; one from a damaged file may hold anything."""
        return row.keys() >= ROW_KEYS and isinstance(row["cache"], str) and row["cache"] in self._caches

    def file(self, key: str, name: str) -> Path:
        """Where a file of a finished task is."""
        return self.folder / f"{key}.{name}"

    def _rows(self, key: str) -> Path:
        return self.folder / f"{key}.json"
