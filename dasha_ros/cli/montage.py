"""The pictures before and after of several goals in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH = 640
"""Of one picture [px]."""
CAPTION = 28
GAP = 8
_PAPER, _INK = (255, 255, 255), (30, 30, 30)

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Row:
    """One goal."""

    label: str
    report: Path
    """Folder of its report."""


def montage(rows: Sequence[Row], path: Path) -> None:
    """Write a PNG with one row for each goal: before on the left, after on the right.

    Raises:
        OSError: A picture is missing or damaged, or the PNG can't be written.
    """
    lines = []
    for row in rows:
        pair = [
            _captioned(_read(row.report / f"{name}.jpg"), f"{row.label}: {name}")
            for name in ("before", "after")
        ]
        height = max(picture.shape[0] for picture in pair)
        lines.append(_join([_padded(picture, height) for picture in pair], axis=1))
    if not lines:
        raise FileNotFoundError("there is no report with pictures")
    encoded, png = cv2.imencode(".png", _join(lines, axis=0))
    if not encoded:
        raise OSError("the pictures can't be encoded as PNG")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png.tobytes())


def _read(path: Path) -> Picture:
    data = np.frombuffer(path.read_bytes(), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if picture is None:
        raise OSError(f"{path} is no picture")
    height = max(1, round(picture.shape[0] * WIDTH / picture.shape[1]))
    return np.asarray(cv2.resize(picture, (WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)


def _captioned(picture: Picture, text: str) -> Picture:
    strip = np.full((CAPTION, picture.shape[1], 3), _PAPER, np.uint8)
    cv2.putText(strip, text, (4, CAPTION - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.6, _INK, 1, cv2.LINE_AA)
    return np.vstack([strip, picture])


def _padded(picture: Picture, height: int) -> Picture:
    missing = height - picture.shape[0]
    return np.asarray(
        cv2.copyMakeBorder(picture, 0, missing, 0, 0, cv2.BORDER_CONSTANT, value=_PAPER), np.uint8
    )


def _join(pictures: Sequence[Picture], axis: int) -> Picture:
    gap = list(pictures[0].shape)
    gap[axis] = GAP
    parts = [pictures[0]]
    for picture in pictures[1:]:
        parts += [np.full(gap, 255, np.uint8), picture]
    return np.concatenate(parts, axis=axis)
