"""Pictures of a scan as the readings of blur need them: light, at the working width, with equal means."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.camera import Frame
from dasha_ros.optics.lens import WORKING_WIDTH_PX
from dasha_ros.optics.tone import Tone, linear_of_srgb
from dasha_ros.perception.image import ENCODINGS, grey_pixels

Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shot:
    """What was seen at one position."""

    position: float
    """Where the lens said that it is."""
    pictures: tuple[Image, ...]
    """Pictures taken one after the other, levels 0..1, shape (height, width)."""


def levels(frame: Frame) -> Image:
    """The grey levels of a frame, 0..1, not wider than `WORKING_WIDTH_PX`; the response stays as it is."""
    pixels = grey_pixels(np.asarray(frame.pixels), frame.encoding)
    grey = pixels.astype(np.float32) / ENCODINGS[frame.encoding].white
    height, width = grey.shape
    if width > WORKING_WIDTH_PX:
        size = (WORKING_WIDTH_PX, max(1, round(height * WORKING_WIDTH_PX / width)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.float32)


def light(picture: Image, tone: Tone) -> Image:
    """The light of a picture, with the mean 1: neither exposure nor a flickering lamp counts."""
    if tone == "srgb":
        table = linear_of_srgb()
        at = np.clip(picture * 255.0, 0.0, 255.0)
        picture = np.interp(at, np.arange(256.0), table).astype(np.float32)
    return np.asarray(picture / max(float(picture.mean()), 1e-6), np.float32)
