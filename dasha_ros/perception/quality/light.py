"""The light of a part of a picture: whether an object there is too dark or clipped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CLIPPED_FROM = 230
"""Grey levels from here on count as clipped: the last of the ten bins of `quality.histogram`."""
_LEVELS = np.arange(256)


@dataclass(frozen=True, slots=True)
class Light:
    """What the grey levels of a part of a picture say of its exposure."""

    mean_grey: float
    """Grey levels 0..255."""
    dark_grey: float
    """Mean grey level of the darker half of the pixels."""
    bright_share: float
    """Share of the pixels that are clipped or nearly so, 0..1."""

    @property
    def bright_grey(self) -> float:
        """Mean grey level of the brighter half of the pixels."""
        return 2.0 * self.mean_grey - self.dark_grey


def light_of(grey: NDArray[np.uint8], box: tuple[float, float, float, float]) -> Light | None:
    """The light inside a box; ``None`` if no pixel is.

    Args:
        grey: H x W, 0..255.
        box: x_min, y_min, x_max, y_max in pixels; what lies beyond the picture is left out.
    """
    import cv2  # Policies need `Light`, and must load without OpenCV.

    height, width = grey.shape
    left, top = max(0, round(box[0])), max(0, round(box[1]))
    right, bottom = min(width, round(box[2])), min(height, round(box[3]))
    if left >= right or top >= bottom:
        return None
    part = np.ascontiguousarray(grey[top:bottom, left:right])
    counts = cv2.calcHist([part], [0], None, [256], [0, 256]).ravel().astype(np.float64)
    # Of the level in the middle, as many pixels belong to the darker half as make it a half.
    darker = np.clip(part.size / 2.0 - (np.cumsum(counts) - counts), 0.0, counts)
    return Light(
        mean_grey=float(counts @ _LEVELS) / part.size,
        dark_grey=float(darker @ _LEVELS) / (part.size / 2.0),
        bright_share=float(counts[CLIPPED_FROM:].sum()) / part.size,
    )
