"""What a lens and a moving hand do to the light before it reaches the sensor."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.optics.lens import WORKING_WIDTH_PX

Image = NDArray[np.float32]


def motion_blurred(light: Image, length_px: float, degrees: float = 0.0) -> Image:
    """The camera moves evenly during the exposure.

    Args:
        light: Shape (height, width).
        length_px: How far [px at 640].
        degrees: In which direction, against the horizontal.
    """
    length = length_px * light.shape[1] / WORKING_WIDTH_PX
    if degrees:
        line = _line(length, degrees)
        return np.asarray(cv2.filter2D(light, -1, line, borderType=cv2.BORDER_REFLECT), np.float32)
    n = int(np.ceil(length / 2.0 - 0.5))
    edges = np.clip(np.arange(-n - 0.5, n + 1.5), -length / 2.0, length / 2.0)
    kernel = np.diff(edges) / length
    blurred = cv2.filter2D(light, -1, kernel[None, :].astype(np.float32), borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32)


def _line(length: float, degrees: float) -> Image:
    """The kernel of an even movement [px], from many places on its way; its sum is 1."""
    half = int(np.ceil(length / 2.0 + 0.5))
    way = (np.arange(16 * half) + 0.5) / (16 * half) - 0.5
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    x = way * length * np.cos(np.radians(degrees)) + half
    y = way * length * np.sin(np.radians(degrees)) + half
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        share = np.abs(1 - row - (y - top)) * np.abs(1 - column - (x - left))
        np.add.at(kernel, (top + row, left + column), share)
    return np.asarray(kernel / kernel.sum(), np.float32)


def softened(light: Image, radius_px: float) -> Image:
    """A lens that is never quite sharp: a Gaussian with the variance of a disc of this radius [px at 640]."""
    sigma = radius_px / 2.0 * light.shape[1] / WORKING_WIDTH_PX
    return np.asarray(cv2.GaussianBlur(light, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), np.float32)


def distorted(light: Image, share: float) -> Image:
    """Barrel (negative) or pincushion distortion.

    Args:
        light: Shape (height, width).
        share: Radial shift at the corners, as a share of their distance from the middle.
    """
    x, y, square = _places(light)
    factor = 1.0 - share * square
    return _remapped(light, x * factor, y * factor)


def magnified(light: Image, factor: float) -> Image:
    """The picture grows around its middle, as it does when a lens breathes while it focuses."""
    x, y, _ = _places(light)
    return _remapped(light, x / np.float32(factor), y / np.float32(factor))


def vignetted(light: Image, corner: float) -> Image:
    """Less light away from the middle.

    Args:
        light: Shape (height, width).
        corner: Light in the corners, as a share of that in the middle.
    """
    _, _, square = _places(light)
    return np.asarray(light * (1.0 - (1.0 - corner) * square), np.float32)


def _places(light: Image) -> tuple[Image, Image, Image]:
    """Columns and rows from the middle [px], and the squared distance as a share of the corners'."""
    height, width = light.shape
    x = np.arange(width, dtype=np.float32)[None, :] - (width - 1) / 2.0
    y = np.arange(height, dtype=np.float32)[:, None] - (height - 1) / 2.0
    square = (x**2 + y**2) / ((width / 2.0) ** 2 + (height / 2.0) ** 2)
    return x.astype(np.float32), y.astype(np.float32), square.astype(np.float32)


def _remapped(light: Image, x: Image, y: Image) -> Image:
    height, width = light.shape
    columns = np.broadcast_to(x + np.float32((width - 1) / 2.0), light.shape).astype(np.float32)
    rows = np.broadcast_to(y + np.float32((height - 1) / 2.0), light.shape).astype(np.float32)
    shifted = cv2.remap(light, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return np.maximum(np.asarray(shifted, np.float32), np.float32(0.0))
