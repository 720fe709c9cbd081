"""Reads NumPy archives (``.npz``) from untrusted sources: no pickles, no zip bombs."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.files.content import kind_of, placeholder
from dasha_ros.files.errors import FileError, first_line
from dasha_ros.files.regular import MEGABYTE, open_regular

MOST_BYTES = 2**28
"""Limit for all arrays of a file together, unpacked; policies have a few megabytes."""
MOST_ARRAYS = 4096


def read_arrays(path: str | Path, most_bytes: int = MOST_BYTES) -> dict[str, NDArray[Any]]:
    """Read every array of an archive, by name, in the file's order.

    Args:
        path: The ``.npz`` file.
        most_bytes: Limit for all arrays together, unpacked.

    Raises:
        FileError: The file does not exist, is not an archive of arrays, is damaged, holds Python objects, or
            unpacks to more than ``most_bytes``.
    """
    with open_regular(path, most_bytes) as file:
        try:
            head = file.read(4096)
            if why := placeholder(head):
                raise FileError(path, why)
            if not head.startswith(b"PK"):
                raise FileError(
                    path, f"is {kind_of(head) or 'something else'}, not an archive of arrays (.npz)"
                )
            with zipfile.ZipFile(file) as archive:
                _check(path, archive, most_bytes)
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                found = {name: arrays[name] for name in arrays.files}
        except FileError:
            raise
        except Exception as error:  # zipfile, zlib, NumPy and its header parser raise errors of their own
            raise FileError(path, _why(error)) from error
    if wrong := [name for name, value in found.items() if not isinstance(value, np.ndarray)]:
        raise FileError(path, f"holds {wrong[0]!r}, which is not an array: it is not an .npz file")
    return found


def _check(path: str | Path, archive: zipfile.ZipFile, most_bytes: int) -> None:
    members = archive.infolist()
    if len(members) > MOST_ARRAYS:
        raise FileError(path, f"holds {len(members)} files; an archive of arrays holds at most {MOST_ARRAYS}")
    size = sum(member.file_size for member in members)
    if size > most_bytes:
        raise FileError(
            path, f"unpacks to {size / MEGABYTE:,.0f} MB; at most {most_bytes / MEGABYTE:,.0f} MB are read"
        )


def _why(error: Exception) -> str:
    said = first_line(error)
    if "allow_pickle" in said or "pickled" in said:
        return "holds Python objects (a pickle), which could run code: save plain arrays of numbers"
    if isinstance(error, zipfile.BadZipFile | EOFError):
        return f"is cut short or damaged ({said}): copy it again"
    if isinstance(error, MemoryError):
        return "claims to hold more than fits into memory"
    return f"is damaged, or not an archive of arrays (.npz): {said}"
