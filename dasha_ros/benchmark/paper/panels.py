"""Panels of figures that show a picture and what was detected in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from dasha_ros.benchmark.paper.run import ReportError
from dasha_ros.files.errors import FileError
from dasha_ros.files.pictures import read_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH = 320
"""Pictures are drawn with so many pixels across."""


def show(axes: Axes, shot: Mapping[str, Any], folder: Path) -> None:
    """Draw a shot of `player.Player.play`: its picture, and the box and score of what was asked for.

    The box is white on black, so that it is seen on any picture, also in grey.

    Raises:
        ReportError: The picture is missing or damaged; the message says what to do.
    """
    try:
        picture = read_picture(folder / shot["picture"]).rgb[:, :, 0]
    except FileError as error:
        # A run that finds a picture missing or damaged at its begin makes it anew.
        raise ReportError(f"the picture {error}: run the same command again") from error
    height = round(picture.shape[0] * _WIDTH / picture.shape[1])
    small = cv2.resize(picture, (_WIDTH, height), interpolation=cv2.INTER_AREA)
    axes.imshow(np.asarray(small), cmap="gray", vmin=0, vmax=255, interpolation="none")
    axes.set_xticks([])
    axes.set_yticks([])
    if shot["box"] is None:
        return
    left, top, right, bottom = (v * size for v, size in zip(shot["box"], (_WIDTH, height) * 2, strict=True))
    for colour, width in (("black", 3.0), ("white", 1.2)):
        axes.plot(
            [left, right, right, left, left], [top, top, bottom, bottom, top],
            color=colour, linewidth=width, scalex=False, scaley=False,
        )  # fmt: skip


def exposure_text(microseconds: float) -> str:
    """An exposure time with a suitable unit."""
    if microseconds >= 1e6:
        return f"{microseconds / 1e6:.2g} s"
    return f"{microseconds / 1e3:.3g} ms" if microseconds >= 1e3 else f"{microseconds:.3g} µs"


def focus_text(dioptres: float) -> str:
    """Where a lens is focused."""
    return f"{1.0 / dioptres:.2f} m" if dioptres > 0.01 else "infinity"
