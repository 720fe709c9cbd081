"""Folders in memory for the files that emulated devices exchange.

Replacing a file on a disk sometimes waits for the file system's journal: a third of a second on a busy
machine, which is longer than a driver waits for its device.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from dasha_ros.system.shared_memory import SHARED_MEMORY

PREFIX = "dasha_emulated_"


def memory_folder(parent: Path | None = None) -> TemporaryDirectory[str]:
    """Make a folder for this process, and remove the folders of killed processes.

    Its `cleanup`, or the end of the process, removes it.

    Args:
        parent: Where to make it; by default in memory, or among temporary files if that is impossible.
    """
    if parent is None:
        parent = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else Path(gettempdir())
    for folder in parent.glob(f"{PREFIX}*"):
        owner = folder.name.removeprefix(PREFIX).partition("_")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            shutil.rmtree(folder, ignore_errors=True)
    return TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}_", dir=parent, ignore_cleanup_errors=True)
