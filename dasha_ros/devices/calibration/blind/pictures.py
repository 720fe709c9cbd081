"""Pictures of a scan as the readings of blur need them: light, at the working width, with equal means."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.camera import Frame
from dasha_ros.optics.tone import Tone, linear_of_srgb

Image = NDArray[np.float32]

WIDTH_PX = 640
"""Blur is told in pixels of an image this wide, as everywhere."""
_WHITE = {"uint8": 255.0, "uint16": 65535.0}


@dataclass(frozen=True, slots=True)
class Shot:
    """What was seen at one position."""

    position: float
    """Where the lens said that it is."""
    pictures: tuple[Image, ...]
    """Pictures taken one after the other, levels 0..1, shape (height, width)."""


def levels(frame: Frame) -> Image:
    """The grey levels of a frame, 0..1, not wider than `WIDTH_PX`; the response stays as it is."""
    pixels = frame.pixels
    grey = np.asarray(pixels if pixels.ndim == 2 else pixels.mean(axis=2), np.float32)
    grey /= _WHITE[str(pixels.dtype)]
    height, width = grey.shape
    if width > WIDTH_PX:
        size = (WIDTH_PX, max(1, round(height * WIDTH_PX / width)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.float32)


def light(picture: Image, tone: Tone) -> Image:
    """The light of a picture, with the mean 1: neither exposure nor a flickering lamp counts."""
    if tone == "srgb":
        table = linear_of_srgb()
        at = np.clip(picture * 255.0, 0.0, 255.0)
        picture = np.interp(at, np.arange(256.0), table).astype(np.float32)
    return np.asarray(picture / max(float(picture.mean()), 1e-6), np.float32)
