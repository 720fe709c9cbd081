"""Shrinks pictures by averaging areas, fast where the sizes have a simple ratio.

OpenCV averages areas pixel by pixel unless one size is a multiple of the other. Between sizes such as 1024
and 640, each group of eight pixels becomes five in the same way everywhere: two small matrix products say
the same in two thirds of the time.
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import cv2
import numpy as np
from numpy.typing import NDArray

LARGEST_GROUP = 16
"""Greater groups of pixels are left to OpenCV."""


def shrink(grey: NDArray[np.uint8], columns: int, rows: int) -> NDArray[np.uint8]:
    """A smaller picture: each pixel is the mean of the area that it covers, as by ``cv2.INTER_AREA``.

    Args:
        grey: H x W.
        columns: Width of the result, at most W.
        rows: Height of the result, at most H.
    """
    before, after = _ratio(grey.shape[1], columns)
    if _ratio(grey.shape[0], rows) != (before, after) or after == 1 or not _is_exact(before):
        return np.asarray(cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    weights = _weights(before, after)
    # Columns first: that leaves less to do for the rows. One product for each row, because a larger one wakes
    # threads of OpenBLAS, in NumPy as in OpenCV, which then wait for more work in a busy loop.
    narrow = np.matmul(grey.astype(np.float32).reshape(len(grey), -1, before), weights.T)
    small = np.matmul(weights, narrow.reshape(-1, before, columns))
    return np.asarray(cv2.convertScaleAbs(small.reshape(rows, columns)), np.uint8)


def _ratio(before: int, after: int) -> tuple[int, int]:
    """The ratio of two sizes in its lowest terms."""
    common = gcd(before, after)
    return before // common, after // common


def _is_exact(before: int) -> bool:
    """Whether sums over such a group are rounded as OpenCV rounds them.

    With a power of two, weights are exact. With an odd number no sum lies half-way between two grey levels.
    """
    return 1 < before <= LARGEST_GROUP and (before % 2 == 1 or before & (before - 1) == 0)


@lru_cache(maxsize=8)
def _weights(before: int, after: int) -> NDArray[np.float32]:
    """How much each pixel of a group counts in each pixel that it becomes, shape (after, before)."""
    size = before / after
    begin, pixel = size * np.arange(after)[:, None], np.arange(before)
    overlap = np.minimum(begin + size, pixel + 1.0) - np.maximum(begin, pixel)
    return np.asarray(np.maximum(overlap, 0.0) / size, np.float32)
