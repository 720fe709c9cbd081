"""The percept cache on disk: a folder that can be killed, resumed, moved and checked.

``meta.json`` says what it is, ``views.json`` which views it holds, one ``FIELD.bin`` for each
field holds the cells one after the other, and ``journal.jsonl`` gains a line with a checksum
when the cells of a view are complete. Views without a line are computed again.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.files.documents import MOST_JSON_BYTES, parse_json, read_json, read_text
from dasha_ros.files.errors import FileError
from dasha_ros.files.locking import folder_locked
from dasha_ros.files.regular import read_bytes
from dasha_ros.files.writing import disk_errors, write_whole
from dasha_ros.learning.dataset.cache.layout import Layout, Meta
from dasha_ros.learning.dataset.scenes.splits import learned_from
from dasha_ros.learning.dataset.scenes.views import View

_REMEDY = "delete the folder and run `dasha cache build` again"
_FULL = ", or give another folder with --path; what is computed is kept, and the same command goes on"


class CacheError(Exception):
    """A cache that can't be made or used; the message says why and what to do."""


class Store:
    """A cache's folder."""

    def __init__(self, folder: Path, meta: Meta, views: tuple[View, ...]) -> None:
        """Use a folder that `create` or `load` has checked."""
        self.folder, self.meta, self.views = folder, meta, views
        self.layout = Layout.of(meta.grids, views)

    @classmethod
    def load(cls, folder: Path) -> Store:
        """Read what a folder holds; its cells may be incomplete.

        Raises:
            CacheError: No cache, or a damaged one.
        """
        if not (folder / "meta.json").exists():
            raise CacheError(f"{folder} is no percept cache: make one with `dasha cache build`")
        try:
            meta = Meta.from_json(read_text(folder / "meta.json"))
            views = read_json(folder / "views.json")
            store = cls(folder, meta, tuple(View.from_dict(view) for view in views))
            for name in meta.fields:
                store._size(name)
            return store
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise CacheError(f"the percept cache {folder} is damaged ({error}): {_REMEDY}") from error

    @classmethod
    def create(cls, folder: Path, meta: Meta, views: Sequence[View]) -> Store:
        """Write down what the cache is, and reserve its space.

        Raises:
            CacheError: The disk is full or the folder can't be written.
        """
        store = cls(folder, meta, tuple(views))
        with _disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / "views.json", json.dumps([view.as_dict() for view in views]))
            write_whole(folder / "meta.json", meta.as_json())
        return store

    def reserve(self) -> None:
        """Reserve space for all cells, so that a full disk shows now and not during a write.

        If a file is missing or has another size, all views count as not computed.

        Raises:
            CacheError: The disk is full or the folder can't be written.
        """
        with _disk_errors(self.folder):
            for name in self.meta.fields:
                path, size = self._path(name), self._size(name)
                if not path.is_file() or path.stat().st_size != size:
                    (self.folder / "journal.jsonl").unlink(missing_ok=True)
                    with path.open("wb") as file:
                        os.posix_fallocate(file.fileno(), 0, size)

    def arrays(self, mode: str = "r") -> dict[str, NDArray[Any]]:
        """Every field, mapped from its file: shape (rows of its table, ...).

        Raises:
            CacheError: A file is missing or of another size.
        """
        arrays: dict[str, NDArray[Any]] = {}
        for name, field in self.meta.fields.items():
            path, size = self._path(name), self._size(name)
            found = path.stat().st_size if path.is_file() else 0
            if found != size:
                raise CacheError(f"{path} holds {found} bytes, not {size}: {_REMEDY}")
            shape = (self.layout.rows[field.table], *field.shape)
            arrays[name] = np.memmap(path, np.dtype(field.dtype), mode, shape=shape)  # type: ignore[call-overload]
        return arrays

    def done(self) -> dict[int, int]:
        """Checksum of every view whose cells are complete.

        Raises:
            CacheError: The journal can't be read.
        """
        journal, done = self.folder / "journal.jsonl", dict[int, int]()
        if not journal.exists():
            return done
        try:
            content = read_bytes(journal, MOST_JSON_BYTES)
        except FileError as error:
            raise CacheError(f"the percept cache {self.folder} is damaged ({error}): {_REMEDY}") from error
        for line in content.splitlines():
            # The last line may be incomplete, and the disk may spoil any: its view then counts as not done.
            with contextlib.suppress(ValueError, KeyError, TypeError, OverflowError):
                entry = parse_json(line.decode())
                done[int(entry["view"])] = int(entry["crc"])
        return {view: crc for view, crc in done.items() if 0 <= view < len(self.views)}

    def whole(
        self,
        arrays: Mapping[str, NDArray[Any]],
        views: frozenset[int],
        told: Callable[[str, int, int], None] = lambda what, done, total: None,
    ) -> frozenset[int]:
        """Those of some views whose cells are complete and as they were written (about 1 GB/s).

        Args:
            arrays: From `arrays`.
            views: The views to read; see `needed`.
            told: Called with what is counted, how many are read, and of how many.

        Raises:
            CacheError: The journal can't be read.
        """
        done = {view: crc for view, crc in self.done().items() if view in views}
        whole = set()
        for number, (view, crc) in enumerate(sorted(done.items()), 1):
            if self.checksum(arrays, view) == crc:
                whole.add(view)
            told("verified views", number, len(done))
        return frozenset(whole)

    def needed(self, split: int | None) -> frozenset[int]:
        """The views that training on a split reads; all of them without one.

        Raises:
            CacheError: There is no such split.
        """
        if split is None:
            return frozenset(range(len(self.views)))
        return _learned_from(str(self.folder), self.views, split)

    def put(self, arrays: Mapping[str, NDArray[Any]], view: int, cells: Mapping[str, NDArray[Any]]) -> None:
        """Write all cells of a view, and then note that it is complete.

        Args:
            arrays: From `arrays`, to be written.
            view: Its number.
            cells: From `cell_content.view_cells`.

        Raises:
            CacheError: The disk is full, or the cells are of other fields or of another shape.
        """
        parts = {name: self.layout.part(field.table, view) for name, field in self.meta.fields.items()}
        shapes = {name: (p.stop - p.start, *self.meta.fields[name].shape) for name, p in parts.items()}
        if shapes != {name: rows.shape for name, rows in cells.items()}:
            raise CacheError(
                f"cells of view {view} have not the shape of the percept cache {self.folder}: are all "
                "machines of one version?"
            )
        for name, rows in cells.items():
            arrays[name][parts[name]] = rows
        for array in arrays.values():
            if isinstance(array, np.memmap):
                array.flush()
        self.mark_done(view, self.checksum(arrays, view))

    def mark_done(self, view: int, crc: int) -> None:
        """Note that a view is complete, with the checksum of its cells.

        Raises:
            CacheError: The disk is full.
        """
        with (
            _disk_errors(self.folder),
            (self.folder / "journal.jsonl").open("a", encoding="utf-8") as journal,
        ):
            # Start a new line: the last one may be incomplete.
            journal.write("\n" + json.dumps({"view": view, "crc": crc}) + "\n")

    def checksum(self, arrays: Mapping[str, NDArray[Any]], view: int) -> int:
        """CRC-32 of all cells of a view."""
        crc = 0
        for name in sorted(arrays):
            part = self.layout.part(self.meta.fields[name].table, view)
            crc = zlib.crc32(np.ascontiguousarray(arrays[name][part]).tobytes(), crc)
        return crc

    def _path(self, field: str) -> Path:
        return self.folder / f"{field}.bin"

    def _size(self, name: str) -> int:
        field = self.meta.fields[name]
        return self.layout.rows[field.table] * int(np.prod(field.shape)) * np.dtype(field.dtype).itemsize


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock the folder against other builders.

    Raises:
        CacheError: Another process builds this cache.
    """
    busy = f"another process is building {folder}; wait for it, or end it"
    with folder_locked(folder, CacheError, busy, _FULL):
        yield


def _disk_errors(folder: Path) -> AbstractContextManager[None]:
    return disk_errors(CacheError, folder, _FULL)


def refuse_unknown_split(whose: str, views: Sequence[View], split: int | None) -> None:
    """Refuse a split before a cache is begun for it.

    Args:
        whose: Who has the views, for the message.
        views: All views of the cache.
        split: Of which a build is asked for; ``None``: all views.

    Raises:
        CacheError: There is no such split.
    """
    if split is not None:
        _learned_from(f"scene set {whose}", views, split)


def _learned_from(whose: str, views: Sequence[View], split: int) -> frozenset[int]:
    try:
        return learned_from([view.info for view in views], split)
    except ValueError as error:
        raise CacheError(f"{whose} has no split {split}: {error}") from error
