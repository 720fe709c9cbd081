"""Makes the map of detail of a picture; see `detail`.

The energy is the mean square of the Laplacian, of the picture itself and of the picture halved once, twice,
... five times. The map costs 1.1 ms of processor time at 640 x 340 pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.quality.detail import BANDS, COLUMNS, LEAST, ROWS, SHAPE, DetailMap, codes

_POOLED_ABOVE = 4 * COLUMNS
"""Squares of wider pictures are halved before they are averaged into cells: the same means, twice as fast."""


def detail_map(grey: NDArray[np.uint8]) -> DetailMap:
    """The map of an image H x W."""
    energies = np.empty(SHAPE, np.float32)
    picture: NDArray[np.uint8] | NDArray[np.float32] = grey
    for band in range(BANDS):
        laplacian = cv2.Laplacian(picture, cv2.CV_32F, ksize=1)
        energy = cv2.multiply(laplacian, laplacian)
        if energy.shape[1] >= _POOLED_ABOVE and energy.shape[0] > 1:
            energy = cv2.resize(energy, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        shrinks = energy.shape[1] > COLUMNS
        energies[:, :, band] = cv2.resize(
            energy, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        rows, columns = picture.shape
        half = ((columns + 1) // 2, (rows + 1) // 2)
        picture = np.asarray(cv2.resize(picture, half, interpolation=cv2.INTER_AREA), np.float32)
    return codes(np.log(energies + np.float32(LEAST)))
