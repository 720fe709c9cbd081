"""Patches of a focal stack: how much detail each colour has in them, focused too near and too far.

A patch is a square of `PATCH_PX` in a picture 640 px wide. It is sharpest in one frame; some frames before
that, the lens was focused too near for it, and as many behind it too far. Both pictures are equally blurred,
and their sign differs. What a colour shows of detail is measured in `BANDS` bands, from fine to coarse.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.stack.description import Stack, StackError
from dasha_ros.devices.stack.frames import StackFrames
from dasha_ros.files.jpeg import chroma_sampling
from dasha_ros.files.pictures import MAX_BYTES
from dasha_ros.files.regular import read_bytes
from dasha_ros.optics.lens import WORKING_WIDTH_PX

Details = NDArray[np.float32]

PATCH_PX = 20
"""Width and height of a patch [px at 640]."""
BANDS = 4
"""Each band is of pictures half as wide as those of the band before."""
NOISE = 0.5
"""Added to every energy, so that noise in a dark patch has no ratio [squared grey levels of 255]."""
_GREEN = 1
_LEAST_DETAIL = 3.0
"""A patch counts if the logarithm of its green detail is greater where it is sharpest, "texture"; and"""
_LEAST_FALL = 2.0
"""falls by as much somewhere in the stack: else nobody knows where it is sharp."""


@dataclass(frozen=True)
class Patches:
    """What a stack shows of its patches that have texture."""

    stack: str
    chroma: str
    """How finely the files keep colour; see `chroma_sampling`. No JPEG: what kind they are."""
    blur_px_per_frame: float
    details: Details
    """Logarithms of energies, shape (frames, patches, 3, BANDS): red, green, blue."""
    sharpest: NDArray[np.intp]
    """The frame in which each is sharpest in green."""

    def pair(self, blur_px: float) -> tuple[Details, Details]:
        """The same patches focused too near and too far, each of shape (patches, 3, BANDS).

        Patches are left out of which the stack does not hold both.

        Args:
            blur_px: By how much blur, at least a frame [px at 640].
        """
        away = max(1, round(blur_px / self.blur_px_per_frame))
        (held,) = np.nonzero((self.sharpest >= away) & (self.sharpest < len(self.details) - away))
        at = self.sharpest[held]
        return self.details[at - away, held], self.details[at + away, held]


def read_patches(stack: Stack) -> Patches:
    """Read the patches of a stack.

    Raises:
        StackError: Nobody measured its blur, its pictures are grey, or a frame can't be read.
    """
    if stack.blur_px_per_frame is None:
        raise StackError("its stack.yaml has no blur_px_per_frame, so nobody knows how blurred a frame is")
    frames = StackFrames(stack, colour=True)
    maps, has_colour = [], False
    for number in range(len(stack.files)):
        light = frames.light(number)
        has_colour = has_colour or bool((light[..., :1] != light).any())
        maps.append(_detail(light))
    if not has_colour:
        raise StackError("its pictures are grey, and the sign is looked for in colour")
    details = np.log(np.stack(maps) + np.float32(NOISE))
    green = details[:, :, _GREEN, 0]
    most = green.max(axis=0)
    held = (most > _LEAST_DETAIL) & (most - green.min(axis=0) > _LEAST_FALL)
    kinds = {_kind(path) for path in stack.files}
    return Patches(
        stack.name,
        " and ".join(sorted(kinds)),
        stack.blur_px_per_frame,
        details[:, held],
        green.argmax(axis=0)[held],
    )


def _kind(path: Path) -> str:
    return chroma_sampling(read_bytes(path, MAX_BYTES)) or path.suffix.lower().removeprefix(".")


def _detail(light: Details) -> Details:
    """Energy of the Laplacian, shape (patches, 3, BANDS)."""
    height, width = light.shape[:2]
    size = (WORKING_WIDTH_PX, max(PATCH_PX, round(height * WORKING_WIDTH_PX / width)))
    picture = cv2.resize(light, size, interpolation=cv2.INTER_AREA) * np.float32(255.0)
    patches = size[0] // PATCH_PX, size[1] // PATCH_PX
    bands = []
    for _ in range(BANDS):
        energy = cv2.Laplacian(picture, cv2.CV_32F, ksize=1) ** 2
        bands.append(cv2.resize(energy, patches, interpolation=cv2.INTER_AREA).reshape(-1, 3))
        half = (-(-picture.shape[1] // 2), -(-picture.shape[0] // 2))
        picture = cv2.resize(picture, half, interpolation=cv2.INTER_AREA)
    return np.stack(bands, axis=-1)
