"""Shared memory, which ROS images travel through: is there enough, and what did killed processes leave."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import stat
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")


def shortage(needed: int, folder: Path = SHARED_MEMORY) -> str:
    """A warning if shared memory has less room than ``needed`` bytes; empty if it has enough."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"can't use {folder} ({error.strerror}): frames may not arrive. Mount shared memory there"
    if free >= needed:
        return ""
    return (
        f"{folder} has {free / 1e6:.0f} MB left, and a graph needs {needed / 1e6:.0f} MB there: frames may "
        "not arrive. Stop other graphs, or make it larger (for a container: --shm-size=256m)"
    )


FAST_DDS = ("fastrtps_", "fastdds_")
"""How the names of its files begin, in versions 2 and 3."""


def files_of_fast_dds(folder: Path = SHARED_MEMORY) -> dict[Path, int]:
    """Segments, ports and locks of all processes that use or used the middleware, and the bytes of each.

    Processes end meanwhile, and their files with them.
    """
    found = {}
    for path in (path for prefix in FAST_DDS for path in folder.glob(f"{prefix}*")):
        with contextlib.suppress(OSError):
            about = path.stat()
            if stat.S_ISREG(about.st_mode):
                found[path] = about.st_blocks * 512
    return found


def remove_dead_segments(folder: Path = SHARED_MEMORY) -> list[Path]:
    """Remove shared-memory segments that killed Fast DDS processes left behind.

    A living owner holds a lock on the segment's ``_el`` file, so whoever gets that lock knows that the
    owner is dead. ``fastdds shm clean`` of Fast DDS does the same. Ports stay: they are small, and the
    next process on the same domain takes them over.

    Args:
        folder: Where the system keeps shared memory.

    Returns:
        The segments that were removed.
    """
    removed = []
    for prefix in FAST_DDS:
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
