"""Combines pictures with captions into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.files.errors import FileError
from dasha_ros.files.jpeg import jpeg_pixels
from dasha_ros.files.pictures import read_picture

WIDTH = 640
"""Width of one picture [px]."""
CAPTION = 28
GAP = 8
_PAPER, _INK = (255, 255, 255), (30, 30, 30)

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Row:
    """Pictures side by side, with captions."""

    pictures: tuple[tuple[str, Path | bytes], ...]
    """Caption, and a JPEG or its path."""

    @classmethod
    def of_report(cls, label: str, report: Path) -> Row:
        """The pictures before and after from a report's folder."""
        return cls(((f"{label}: before", report / "before.jpg"), (f"{label}: after", report / "after.jpg")))


def montage(rows: Sequence[Row], path: Path) -> None:
    """Write all rows, one below another, as a PNG.

    Raises:
        OSError: A picture is missing or damaged, or the PNG can't be written.
    """
    lines = [_line(row) for row in rows]
    if not lines:
        raise FileNotFoundError("there is no report with pictures")
    width = max(line.shape[1] for line in lines)
    encoded, png = cv2.imencode(
        ".png", _join([_padded(line, line.shape[0], width) for line in lines], axis=0)
    )
    if not encoded:
        raise OSError("the pictures can't be encoded as PNG")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png.tobytes())


def _line(row: Row) -> Picture:
    pictures = [_captioned(_read(source), caption) for caption, source in row.pictures]
    height = max(picture.shape[0] for picture in pictures)
    return _join([_padded(picture, height, picture.shape[1]) for picture in pictures], axis=1)


def _read(source: Path | bytes) -> Picture:
    picture = _of_file(source) if isinstance(source, Path) else _of_topic(source)
    height = max(1, round(picture.shape[0] * WIDTH / picture.shape[1]))
    return np.asarray(cv2.resize(picture, (WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)


def _of_file(path: Path) -> Picture:
    try:
        return np.ascontiguousarray(read_picture(path).rgb[:, :, ::-1])
    except FileError as error:
        raise OSError(str(error)) from error


def _of_topic(jpeg: bytes) -> Picture:
    picture = jpeg_pixels(jpeg, grey=False)
    if picture is None:
        raise OSError("a picture that the graph published is not a JPEG")
    return picture


def _captioned(picture: Picture, text: str) -> Picture:
    strip = np.full((CAPTION, picture.shape[1], 3), _PAPER, np.uint8)
    cv2.putText(strip, text, (4, CAPTION - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.6, _INK, 1, cv2.LINE_AA)
    return np.vstack([strip, picture])


def _padded(picture: Picture, height: int, width: int) -> Picture:
    """The picture in the upper left corner of a larger sheet."""
    sheet = np.full((height, width, 3), _PAPER, np.uint8)
    sheet[: picture.shape[0], : picture.shape[1]] = picture
    return sheet


def _join(pictures: Sequence[Picture], axis: int) -> Picture:
    gap = list(pictures[0].shape)
    gap[axis] = GAP
    parts = [pictures[0]]
    for picture in pictures[1:]:
        parts += [np.full(gap, 255, np.uint8), picture]
    return np.concatenate(parts, axis=axis)
