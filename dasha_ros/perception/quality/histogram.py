"""The brightness histogram of paper Eq. 6 and its peak, P of Eq. 7."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

BINS = 10
_LEVELS = np.arange(256)
EDGES: NDArray[np.float32] = np.linspace(0, 255, BINS + 1, dtype=np.float32)
"""Grey levels, the same for every image.

The paper gives ten values and eleven edges, not the range. Its other numbers
fit only 0..255: Algorithm 1 calls an image too dark below 10 % and too bright
above 90 % of the maximum, which are the first and the last of ten bins; and
the limits of Eq. 7 (25, 50, 150, 175) are, rounded, edges of these bins (25.5,
51, 153, 178.5). numpy's default, from the image's own darkest to its brightest
level, would place P by contrast instead of brightness. As in numpy, the last
bin includes its upper edge: 255.
"""
EDGES.setflags(write=False)
_CENTRES = (EDGES[:-1] + EDGES[1:]) / 2
_FIRST_LEVELS = np.searchsorted(np.histogram_bin_edges([], BINS, (0, 255)), _LEVELS, side="right") - 1
_STARTS = np.searchsorted(np.minimum(_FIRST_LEVELS, BINS - 1), np.arange(BINS))


@dataclass(frozen=True, slots=True)
class Histogram:
    """The brightness of an image."""

    counts: NDArray[np.uint32]
    """Shape (10,): pixels in each bin of `EDGES`."""
    peak: float
    """Centre of the fullest bin (of several, the darkest) [grey levels]."""
    mean: float
    """Mean grey level."""


def histogram(grey: NDArray[np.uint8]) -> Histogram:
    """The histogram of an image H x W, 0..255."""
    levels = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel()
    counts = np.add.reduceat(levels, _STARTS).astype(np.uint32)
    mean = float(levels @ _LEVELS) / grey.size
    return Histogram(counts, float(_CENTRES[counts.argmax()]), mean)
