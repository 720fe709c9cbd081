"""Shared memory that killed processes leave behind."""

from __future__ import annotations

import contextlib
import fcntl
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")


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
