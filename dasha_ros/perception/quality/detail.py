"""A map of a picture's detail: how much its grey levels vary, at six sizes, in each of 36 x 64 cells.

Blur takes away fine detail first, and leaves the coarse. So the energies at six sizes tell how blurred a
place is; how they change from picture to picture of one place tells it far better. The ratios of the energies
hardly depend on the camera's response curve, because any smooth curve is straight over the small differences
within a cell. Who looks at an object later may read the map at any box, even where nothing was detected.

`detail_map` makes it. This module only reads it, without OpenCV, which agents do not load.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

ROWS, COLUMNS, BANDS = 36, 64, 6
"""Cells down and across the frame, and sizes of detail: finest first, each twice as coarse as the last."""
SHAPE = (ROWS, COLUMNS, BANDS)
LEAST = 0.02
"""Added to energies before the logarithm [grey levels squared]: below the noise of any camera."""
_STEPS_PER_NAT = 14
"""Resolution of a cell's byte; the largest energy, of a checkerboard of pixels, just fits."""

DetailMap = NDArray[np.uint8]
"""Shape `SHAPE`: logarithms of energies, as `detail_map` makes them and `log_energies` reads them."""


def codes(logarithms: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The bytes that stand for logarithms of energies, of the same shape; NaN becomes the least."""
    steps = (np.asarray(logarithms, np.float32) - np.float32(math.log(LEAST))) * _STEPS_PER_NAT
    return np.asarray(np.rint(np.nan_to_num(np.clip(steps, 0, 255))), np.uint8)


def log_energies(stored: NDArray[np.unsignedinteger]) -> NDArray[np.float32]:
    """The logarithms that bytes of a map stand for, of the same shape; the rounding is at most 0.036."""
    return np.asarray(stored / np.float32(_STEPS_PER_NAT) + np.float32(math.log(LEAST)), np.float32)
