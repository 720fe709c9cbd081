"""A small disk that a test can fill: a file system in memory, if this user may mount one."""

from __future__ import annotations

import errno
import shutil
import subprocess
from pathlib import Path

SIZE_KB = 4096
"""Room for a few reports."""
_FILLER = "filler"


class SmallDisk:
    """Mounts a small file system on a folder while it is used, or uses an ordinary folder if it may not.

    Attributes:
        folder: The folder.
        why_not: Why the disk can't be filled; empty if it can.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.why_not = ""

    def __enter__(self) -> SmallDisk:
        """Mount the file system."""
        self.folder.mkdir(parents=True, exist_ok=True)
        mount = shutil.which("mount")
        if mount is None:
            self.why_not = "there is no mount command"
            return self
        command = [mount, "-t", "tmpfs", "-o", f"size={SIZE_KB}k", "tmpfs", str(self.folder)]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        if said.returncode:
            self.why_not = f"a small disk can't be mounted ({said.stderr.strip()}): run it as root"
        return self

    def __exit__(self, *error: object) -> None:
        """Unmount the file system, even while one of its files is open."""
        if not self.why_not:
            subprocess.run(["umount", "--lazy", str(self.folder)], capture_output=True, check=False)

    def fill(self) -> None:
        """Fill the disk to the last byte."""
        with (self.folder / _FILLER).open("wb", buffering=0) as file:
            block = bytes(64 * 1024)
            while block:
                try:
                    file.write(block)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    block = block[: len(block) // 2]

    def free(self) -> None:
        """Free the disk."""
        (self.folder / _FILLER).unlink(missing_ok=True)
