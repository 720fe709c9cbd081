"""Writes files whole or not at all, and explains why a disk refuses.

A process may be killed during a write, and a disk may be full: readers must see the old content or the new,
never half of it.
"""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from dasha_ros.files.errors import shown

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FAILED = (*_FULL, errno.EFBIG, errno.EIO)


@contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of ``path`` when the block ends without an error.

    Args:
        path: The file to replace; its folder must exist.
        durable: Wait until the content is on the disk, so that it survives a power failure.

    Yields:
        The new file, open for writing.

    Raises:
        OSError: The file can't be written; ``path`` is unchanged.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            if durable:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_whole(path: Path, content: bytes | str, *, durable: bool = False) -> None:
    """Replace a file with ``content``; text is written as UTF-8. See `replacing`."""
    with replacing(path, durable=durable) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def disk_errors(kind: type[Exception], place: Path, remedy: str = "") -> Iterator[None]:
    """Turn errors of the disk inside the block into an error with a helpful message.

    Args:
        kind: Type of the error to raise.
        place: The folder or file to write.
        remedy: What else to do if the disk is full; begins with a blank or a comma.

    Raises:
        Exception: One of ``kind``: the disk is full, or ``place`` can't be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise kind(f"the disk of {shown(place)} is full: free space{remedy}") from error
        raise kind(f"{shown(place)} can't be written: {error.strerror or error}") from error


def disk_failed(error: BaseException) -> bool:
    """Whether an error, or what it came from, is that of a disk that is full or broken.

    Nobody can tell that before the work begins, unlike a place where this user may not write.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _FAILED:
            return True
        cause = cause.__cause__
    return False


def json_lines(rows: Sequence[Mapping[str, Any]]) -> str:
    """JSON with one row per line, so that a changed number changes one line."""
    return "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"
