"""Folders in memory: what emulated devices show each other must not wait for a disk.

A file that is replaced on a disk waits for the file system's journal now and then, for a
third of a second on a busy machine: longer than a driver waits for its device.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from dasha_ros.system.shared_memory import SHARED_MEMORY

PREFIX = "dasha_emulated_"


def memory_folder(parent: Path | None = None) -> TemporaryDirectory[str]:
    """Make a folder of this process's, and remove those of processes that were killed.

    It goes with its `cleanup`, or with the end of the process.

    Args:
        parent: Where; in memory by default, or where temporary files go if there is none.
    """
    if parent is None:
        parent = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else Path(gettempdir())
    for folder in parent.glob(f"{PREFIX}*"):
        owner = folder.name.removeprefix(PREFIX).partition("_")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            shutil.rmtree(folder, ignore_errors=True)
    return TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}_", dir=parent, ignore_cleanup_errors=True)
