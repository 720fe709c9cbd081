"""What a camera's electronics do to grey levels: noise, response curve, compression."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.files.jpeg import jpeg_pixels
from dasha_ros.optics.lens import WORKING_WIDTH_PX
from dasha_ros.optics.sensor import Sensor
from dasha_ros.optics.tone import srgb_of_levels

Levels = NDArray[np.uint8]

_BINNED = 4
"""Pixels of the sensor in one of a binned frame."""


def noisier(levels: Levels, factor: float, random: np.random.Generator) -> Levels:
    """Noise as of a sensor with ``factor`` times the deviation.

    The variance of photon and read noise (EMVA 1288) is in the frame once, so factor^2 - 1 of it is added.

    Args:
        levels: A binned frame of the default sensor, shape (height, width).
        factor: At least 1.
        random: Draws the noise.
    """
    sensor = Sensor()
    per_electron = sensor.dn_per_electron
    grey = np.arange(256) / per_electron
    deviation = per_electron * np.sqrt((grey + sensor.read_noise_e**2) / _BINNED * (factor**2 - 1.0))
    noise = random.standard_normal(levels.shape, np.float32) * deviation.astype(np.float32)[levels]
    return np.clip(np.rint(levels + noise), 0, 255).astype(np.uint8)


def developed_srgb(levels: Levels) -> Levels:
    """Linear levels as a webcam or a phone gives them."""
    return np.asarray(srgb_of_levels(256)[levels], np.uint8)


def developed(levels: Levels, gamma: float, contrast: float = 0.0) -> Levels:
    """Linear levels after a response curve.

    Args:
        levels: Shape (height, width).
        gamma: level = light ** (1 / gamma).
        contrast: Share of a sigmoid around the middle that is blended in, 0 to 1.
    """
    value = (np.arange(256) / 255.0) ** (1.0 / gamma)
    sigmoid = value * value * (3.0 - 2.0 * value)
    table = np.rint(255.0 * ((1.0 - contrast) * value + contrast * sigmoid)).astype(np.uint8)
    return np.asarray(table[levels], np.uint8)


def sharpened(levels: Levels, strength: float) -> Levels:
    """After an unsharp mask of 1 px at 640.

    Args:
        levels: Shape (height, width).
        strength: Share of what a Gaussian takes away that is added.
    """
    sigma = levels.shape[1] / WORKING_WIDTH_PX
    smooth = cv2.GaussianBlur(levels, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.addWeighted(levels, 1.0 + strength, smooth, -strength, 0.0), np.uint8)


def compressed(levels: Levels, quality: int) -> Levels:
    """After JPEG.

    Args:
        levels: Shape (height, width).
        quality: 0 to 100.
    """
    done, data = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    pixels = jpeg_pixels(data.tobytes(), grey=True) if done else None
    assert pixels is not None, "OpenCV can't write JPEG"
    return pixels
