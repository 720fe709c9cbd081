"""Shared memory that killed processes leave behind."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")


def shortage(needed: int, folder: Path = SHARED_MEMORY) -> str:
    """What to say when so many bytes do not fit into shared memory any more, empty when they do."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"{folder} can't be used ({error.strerror}): frames may not arrive. Mount shared memory there"
    if free >= needed:
        return ""
    return (
        f"{folder} has {free / 1e6:.0f} MB left, and a graph needs {needed / 1e6:.0f} MB there: frames may "
        "not arrive. Stop other graphs, or make it larger (for a container: --shm-size=256m)"
    )


def remove_dead_segments(folder: Path = SHARED_MEMORY) -> list[Path]:
    """Remove shared-memory segments that killed Fast DDS processes left behind.

    A living owner holds a lock on the segment's ``_el`` file; who gets that lock
    knows that the owner is dead. It is the rule of Fast DDS's own ``fastdds shm
    clean``. Ports are left alone: they are small, and the next process on the
    same domain takes them over.

    Args:
        folder: Where the system keeps shared memory.

    Returns:
        The segments that were removed.
    """
    removed = []
    for prefix in ("fastrtps_", "fastdds_"):  # Fast DDS 2 and 3
        for lock in folder.glob(f"{prefix}*_el"):
            segment = lock.with_name(lock.name.removesuffix("_el"))
            if "_port" in segment.name:
                continue
            with contextlib.suppress(OSError), lock.open("rb") as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                segment.unlink(missing_ok=True)
                lock.unlink(missing_ok=True)
                removed.append(segment)
    return removed
