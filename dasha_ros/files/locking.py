"""Locks a folder, so that two processes never fill it at once."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dasha_ros.files.writing import disk_errors


@contextmanager
def folder_locked(folder: Path, kind: type[Exception], busy: str, remedy: str = "") -> Iterator[None]:
    """Make a folder and hold its lock until the block ends, or the process does.

    Args:
        folder: The folder.
        kind: Type of the error to raise.
        busy: The sentence if another process holds the lock.
        remedy: What else to do if the disk is full; see `disk_errors`.

    Raises:
        Exception: One of ``kind``: another process holds the lock, or the folder can't be written.
    """
    with disk_errors(kind, folder, remedy):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    with lock:
        # A disk of the network may have no locks.
        with disk_errors(kind, folder, remedy):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise kind(busy) from error
        yield
