"""Finds the pictures in a folder by name, and says why some kinds of pictures are not read."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dasha_ros.files.content import kind_of
from dasha_ros.files.errors import FileError, shown
from dasha_ros.files.regular import check_regular, read_head

READ = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".jp2",
    ".ppm", ".pgm",
)  # fmt: skip
"""Endings of pictures that can be read."""

_RAW = (
    ".dng", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".orf", ".rw2", ".raf", ".pef", ".srw",
    ".x3f", ".3fr", ".iiq", ".raw",
)  # fmt: skip
_FOREIGN = {
    **dict.fromkeys(_RAW, "is a raw picture of a camera: develop it to a JPEG or PNG"),
    **dict.fromkeys(
        (".heic", ".heif", ".hif"),
        "is a HEIC picture of a phone, which is not read: export it as a JPEG (iPhone: Settings, Camera, "
        "Formats, Most Compatible)",
    ),
    ".jxl": "is a JPEG XL picture, which is not read: convert it to a JPEG or PNG",
    ".svg": "is a drawing without pixels: export it as a PNG",
    ".psd": "is a Photoshop document: export it as a JPEG or PNG",
    ".xcf": "is a GIMP document: export it as a JPEG or PNG",
    ".exr": "is an OpenEXR picture, which is not read: convert it to a PNG",
    ".hdr": "is a Radiance picture, which is not read: convert it to a PNG",
    **dict.fromkeys(
        (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v"), "is a video: save single pictures of it"
    ),
}  # fmt: skip
PICTURES = (*READ, *_FOREIGN)
"""Endings of everything that a user would call a picture, whether it can be read or not."""


def foreign_by_name(path: str | Path) -> str:
    """Why a file with this ending can't be read; empty for all other endings."""
    return _FOREIGN.get(Path(path).suffix.lower(), "")


def foreign_by_content(head: bytes) -> str:
    """Why a file with these first bytes can't be read, whatever its name; empty for all others."""
    kind = kind_of(head)
    for word, ending in (
        ("HEI", ".heic"), ("raw picture", ".dng"), ("JPEG XL", ".jxl"), ("SVG", ".svg"),
        ("Photoshop", ".psd"), ("OpenEXR", ".exr"), ("video", ".mp4"),
    ):  # fmt: skip
        if word in kind:
            return _FOREIGN[ending]
    return ""


def pictures_below(folder: Path) -> tuple[list[str], dict[str, str]]:
    """List the pictures in a folder and its subfolders.

    Args:
        folder: Where to look; links to other folders are not followed.

    Returns:
        The names of the pictures, sorted and relative to ``folder``; and everything else that the user may
        have meant, with the reason why it is left out.
    """
    names: list[str] = []
    left_out: dict[str, str] = {}
    others = 0

    def unreadable(error: OSError) -> None:
        left_out[_relative(Path(error.filename), folder)] = (
            f"is a folder that can't be read: {error.strerror}"
        )

    for where, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            path = Path(where, name)
            if path.is_symlink():
                left_out[_relative(path, folder)] = "is a link to a folder, which is not followed"
            elif path.suffix.lower() in PICTURES:
                left_out[_relative(path, folder)] = "is a folder; the pictures in it are read"
        for name in sorted(files):
            if name.startswith("."):
                continue
            path = Path(where, name)
            why = _left_out(path)
            if why is None:
                others += 1
            elif why:
                left_out[_relative(path, folder)] = why
            else:
                names.append(path.relative_to(folder).as_posix())
    if others:
        left_out[f"{others} other file{'s' * (others > 1)}"] = "not a picture by name or content"
    return sorted(names), left_out


def _left_out(path: Path) -> str | None:
    """Why a picture is left out; empty if it is not, ``None`` if the file is not a picture at all."""
    if why := _unreadable_name(path.name):
        return why
    ending = path.suffix.lower()
    if ending in PICTURES:
        try:
            check_regular(path)
        except FileError as error:
            return error.reason
        return foreign_by_name(path)
    try:
        kind = kind_of(read_head(path))
    except FileError:
        return None
    if not kind.endswith("picture"):
        return None
    return f"is {kind} by its content, but its name does not end like one: rename it"


def _unreadable_name(name: str) -> str:
    """Why a name is no text; empty if it is one."""
    try:
        name.encode()
    except UnicodeEncodeError:
        try:
            os.fsencode(name).decode("utf-8")
        except UnicodeDecodeError:
            return "has a name that is not UTF-8: rename it"
        return f"has a name that the locale's {sys.getfilesystemencoding()} lacks: set LC_ALL=C.UTF-8"
    return ""


def _relative(path: Path, folder: Path) -> str:
    return shown(path.relative_to(folder).as_posix()) if path.is_relative_to(folder) else shown(path)
