"""A file that only grows, with space kept back on the disk so that it can be closed when the disk is full."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT)
KEPT_BYTES = 32_000_000
"""What is kept back: a picture that is being written, and the index of the file."""


class Reserve:
    """Space on the disk that is given back when it is full."""

    def __init__(self, folder: Path, size: int = KEPT_BYTES) -> None:
        """Take the space.

        Raises:
            OSError: The disk has not that much.
        """
        self._path = folder / ".space-for-the-end"
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.posix_fallocate(handle, 0, size)
        except OSError:
            self.release()
            raise
        finally:
            os.close(handle)
        self.is_used = False
        """Whether the disk was full and the space is in use."""

    def use(self) -> bool:
        """Give the space back because the disk is full; returns whether there was any left."""
        if self.is_used:
            return False
        self.is_used = True
        self.release()
        return True

    def release(self) -> None:
        """Give the space back."""
        self._path.unlink(missing_ok=True)


class GrowingFile:
    """The stream of an MCAP writer. Every write reaches the system at once: a killed process loses none."""

    def __init__(self, path: Path, reserve: Reserve) -> None:
        """Create the file.

        Raises:
            OSError: It exists already or can't be created.
        """
        self.path, self._reserve, self._size = path, reserve, 0
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Append; uses the reserve when the disk is full.

        Raises:
            OSError: The disk is full and the reserve is used up, or the disk failed.
        """
        rest = memoryview(data)
        while rest:
            try:
                count = os.write(self._handle, rest)
            except OSError as error:
                if error.errno in _FULL and self._reserve.use():
                    continue
                raise
            self._size += count
            rest = rest[count:]
        return len(data)

    def tell(self) -> int:
        """Bytes written."""
        return self._size

    def flush(self) -> None:
        """Nothing is kept back."""

    def close(self) -> None:
        """Wait until the disk has everything, and close."""
        try:
            os.fsync(self._handle)
        finally:
            os.close(self._handle)
