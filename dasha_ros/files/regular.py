"""Opens regular files only, and says what everything else is.

A path from a user may be a folder, a pipe that nobody writes to, an endless device, a broken link, or a file
of 100 GB. None of them may block a process or fill its memory.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from dasha_ros.files.errors import FileError

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
MEGABYTE = 10**6


def check_regular(path: str | Path) -> os.stat_result:
    """Return the status of a regular file that this user may read.

    Raises:
        FileError: The file does not exist, is not a regular file, or may not be read.
    """
    path = Path(path)
    try:
        status = path.stat()
    except FileNotFoundError as error:
        if path.is_symlink():
            raise FileError(path, f"is a link to {os.readlink(path)}, which does not exist") from error
        raise FileError(path, "there is no such file") from error
    except (OSError, ValueError) as error:
        raise FileError(path, f"can't be read: {_why(error)}") from error
    if not stat.S_ISREG(status.st_mode):
        raise FileError(path, f"is {_KINDS.get(stat.S_IFMT(status.st_mode), 'something else')}, not a file")
    if not os.access(path, os.R_OK):
        raise FileError(path, f"may not be read by this user: `chmod +r {path}` or copy it")
    return status


def open_regular(path: str | Path, most_bytes: int) -> BinaryIO:
    """Open a regular file for reading.

    Args:
        path: The file.
        most_bytes: Longer files are refused.

    Raises:
        FileError: The file does not exist, is not a regular file, is too long, or may not be read.
    """
    status = check_regular(path)
    if status.st_size > most_bytes:
        raise FileError(
            path,
            f"has {status.st_size / MEGABYTE:,.0f} MB; at most {most_bytes / MEGABYTE:,.0f} MB are read",
        )
    try:
        # Non-blocking, in case a pipe has replaced the file since the check.
        return os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    except OSError as error:
        raise FileError(path, f"can't be read: {_why(error)}") from error


def read_bytes(path: str | Path, most_bytes: int) -> bytes:
    """Read a whole regular file.

    Raises:
        FileError: See `open_regular`; or the file grew meanwhile, or the disk failed.
    """
    with open_regular(path, most_bytes) as file:
        try:
            content = file.read(most_bytes + 1)
        except (OSError, MemoryError) as error:
            raise FileError(path, f"can't be read: {_why(error)}") from error
    if len(content) > most_bytes:
        raise FileError(path, f"grew while it was read; at most {most_bytes / MEGABYTE:,.0f} MB are read")
    return content


def read_head(path: str | Path, count: int = 4096) -> bytes:
    """Read the first bytes of a regular file of any length.

    Raises:
        FileError: See `open_regular`.
    """
    with open_regular(path, 2**63) as file:
        try:
            return file.read(count)
        except OSError as error:
            raise FileError(path, f"can't be read: {_why(error)}") from error


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
