"""Normalised Tenengrad measures how much the grey levels change from pixel to pixel.

Tenenbaum's measure (the sum of squared Sobel gradients; Krotkov, "Focusing",
1988), per pixel and divided by the squared mean, so that a brighter exposure
of the same scene has the same value.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


class Sharpness:
    """The gradients of one image, computed once for any number of boxes."""

    def __init__(self, grey: NDArray[np.uint8]) -> None:
        """Compute the gradients of an image H x W."""
        self._grey = grey
        # |gradient| <= 4 * 255 fits int16; the norms below add up in float64
        self._horizontal, self._vertical = cv2.spatialGradient(grey)

    def frame(self) -> float:
        """Sharpness of the whole image."""
        height, width = self._grey.shape
        return self.box((0, 0, width, height))

    def box(self, box: tuple[float, float, float, float]) -> float:
        """Sharpness inside x_min, y_min, x_max, y_max; 0 for a box outside the image."""
        height, width = self._grey.shape
        left, top = max(0, int(box[0])), max(0, int(box[1]))
        right, bottom = min(width, int(np.ceil(box[2]))), min(height, int(np.ceil(box[3])))
        if right <= left or bottom <= top:
            return 0.0
        window = np.s_[top:bottom, left:right]
        energy = cv2.norm(self._horizontal[window], cv2.NORM_L2SQR)
        energy += cv2.norm(self._vertical[window], cv2.NORM_L2SQR)
        # an image with a mean below one grey level is black, and its noise is not structure
        mean = max(1.0, cv2.mean(self._grey[window])[0])
        return float(energy / ((right - left) * (bottom - top)) / mean**2)
