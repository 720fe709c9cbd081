"""The frames of a focal stack as light on a sensor."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.stack.description import Stack, StackError
from dasha_ros.files.errors import FileError, shown
from dasha_ros.files.pictures import read_picture
from dasha_ros.optics.tone import linear_of_srgb
from dasha_ros.twin.photograph import LUMINANCE

Light = NDArray[np.float32]

MOST_WIDTH = 2048
"""Wider frames are shrunk to this [px]: no working image is wider than a third of it."""
_WHITE = 65535


class StackFrames:
    """All frames of a stack, decoded once, in linear light; they are taken to be sRGB, as photographs are."""

    def __init__(self, stack: Stack, *, colour: bool = False) -> None:
        """Decode the frames; takes some 10 ms each.

        Args:
            stack: Where they are.
            colour: Three channels (R, G, B) instead of the luminance that a monochrome sensor sees.

        Raises:
            StackError: A frame can't be read.
        """
        self.stack = stack
        self._frames = [self._read(number, colour) for number in range(len(stack.files))]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height [px]."""
        height, width = self._frames[0].shape[:2]
        return width, height

    def light(self, position: float) -> Light:
        """The light at a place of the lens: a frame, or two neighbours blended in linear light.

        Args:
            position: Index of a frame; between two, both are shown in proportion. Clipped to the stack.

        Returns:
            Linear, 0..1; shape (height, width) or (height, width, 3).
        """
        at = min(max(position, 0.0), len(self._frames) - 1.0)
        below = int(at)
        share = at - below
        light = self._frames[below].astype(np.float32)
        if share > 0.0:
            light *= np.float32(1.0 - share)
            light += np.float32(share) * self._frames[below + 1]
        light *= np.float32(1.0 / _WHITE)
        return light

    def _read(self, number: int, colour: bool) -> NDArray[np.uint16]:
        path = self.stack.files[number]
        try:
            picture = read_picture(path)
        except FileError as error:
            raise StackError(
                f"focal stack {shown(self.stack.folder)}: frame {shown(path.name)} {error.reason}"
            ) from error
        light = linear_of_srgb()[picture.rgb]
        if not colour:
            light = light @ np.asarray(LUMINANCE, np.float32)
        height, width = light.shape[:2]
        if width > MOST_WIDTH:
            size = (MOST_WIDTH, max(1, round(height * MOST_WIDTH / width)))
            light = cv2.resize(light, size, interpolation=cv2.INTER_AREA)
        return np.asarray(np.rint(np.clip(light, 0.0, 1.0) * _WHITE), np.uint16)
