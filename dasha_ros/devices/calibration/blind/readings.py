"""How blurred each picture of a scan is, in pixels, against the sharpest picture of the same scan.

Defocus convolves the picture with a disc. So each part of the sharpest picture is convolved with discs of
many radii, and the radius whose result is nearest (least squares) to a picture is that picture's blur.
What else blurs, the lens itself and the pixels, is in both pictures, and discs and other kernels commute:
the reading is of the defocus alone. It depends on texture only in its noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2, rfftfreq
from scipy.special import j1

from dasha_ros.devices.calibration.blind.pictures import Image
from dasha_ros.optics.lens import WORKING_WIDTH_PX

TILES = (4, 6)
"""Rows and columns of parts that are read apart, because each may be at another distance."""
RADIUS_MAX_PX = 14.0
"""Largest blur that is read [px of an image 640 px wide]; a part is 107 px wide."""
_FINE_PX, _FINE_TO_PX, _GROWTH = 0.35, 4.0, 1.09
_SMOOTH_PX, _SHADE_PX = 1.0, 16.0
"""Widths (sigma) of what is left out: finer is noise, coarser is the light's unevenness."""
_PAD_PX = 48


@dataclass(frozen=True, slots=True)
class Readings:
    """Blur of every picture in every part."""

    radius_px: NDArray[np.float64]
    """Shape (parts, pictures), px of an image 640 px wide; NaN: beyond what can be read."""
    unexplained: NDArray[np.float64]
    """Share of a part's contrast that no blur explains, same shape."""


class Optic:
    """Filters pictures of one size, and blurs them with discs, in the frequency domain.

    There the disc's transfer function is exact at any radius: 2 J1(x)/x with x = 2 pi r times frequency
    (Goodman, *Introduction to Fourier Optics*, section 6.4, geometrical optics).
    """

    def __init__(self, height: int, width: int) -> None:
        self.shape = (height, width)
        self._scale = width / WORKING_WIDTH_PX
        self._padded = tuple(next_fast_len(side + 2 * _PAD_PX, real=True) for side in (height, width))
        rows, columns = np.fft.fftfreq(self._padded[0]), rfftfreq(self._padded[1])
        self._frequency = np.hypot(rows[:, None], columns[None, :])
        variance = (2.0 * np.pi * self._frequency) ** 2 / 2.0
        kept = np.exp(-variance * _SMOOTH_PX**2) - np.exp(-variance * (_SHADE_PX * self._scale) ** 2)
        self._kept = kept.astype(np.float32)
        self._discs = [self._disc(radius) for radius in radii()]

    def filtered(self, picture: Image) -> Image:
        """The texture of a picture."""
        return self._back(self._spectrum(picture))

    def blurred(self, picture: Image) -> NDArray[np.float32]:
        """The texture of a picture after discs of all `radii`, shape (radii, height, width)."""
        spectrum = self._spectrum(picture)
        return np.stack([self._back(spectrum * disc) for disc in self._discs])

    def _disc(self, radius_px: float) -> NDArray[np.float32]:
        x = 2.0 * np.pi * radius_px * self._scale * self._frequency
        safe = np.maximum(x, 1e-6)
        return np.asarray(np.where(x < 1e-6, 1.0, 2.0 * j1(safe) / safe), np.float32)

    def _spectrum(self, picture: Image) -> NDArray[np.complex64]:
        height, width = self.shape
        below, right = self._padded[0] - height - _PAD_PX, self._padded[1] - width - _PAD_PX
        padded = cv2.copyMakeBorder(picture, _PAD_PX, below, _PAD_PX, right, cv2.BORDER_REFLECT)
        return np.asarray(rfft2(padded) * self._kept, np.complex64)

    def _back(self, spectrum: NDArray[np.complex64]) -> Image:
        height, width = self.shape
        padded = irfft2(spectrum, s=self._padded)
        return np.asarray(padded[_PAD_PX : _PAD_PX + height, _PAD_PX : _PAD_PX + width], np.float32)


def parts(texture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut pictures into `TILES`: shape (..., height, width) becomes (parts, ..., pixels)."""
    rows, columns = TILES
    height, width = texture.shape[-2] // rows, texture.shape[-1] // columns
    cut = texture[..., : rows * height, : columns * width]
    cut = cut.reshape(*texture.shape[:-2], rows, height, columns, width)
    cut = np.moveaxis(cut, (-4, -2), (0, 1))
    return cut.reshape(rows * columns, *texture.shape[:-2], height * width)


def radii() -> NDArray[np.float64]:
    """Radii of the discs that are tried [px at 640]."""
    tried = list(np.arange(0.0, _FINE_TO_PX, _FINE_PX))
    while tried[-1] < RADIUS_MAX_PX:
        tried.append(max(tried[-1] + _FINE_PX, tried[-1] * _GROWTH))
    return np.array(tried)


def read(optic: Optic, pictures: Sequence[Image], sharpest: NDArray[np.int64]) -> Readings:
    """Read the blur of each picture in each part.

    Args:
        optic: For pictures of this size.
        pictures: Light with mean 1, see `pictures.light`.
        sharpest: The picture that is sharpest, for each part.
    """
    tried = radii()
    textures = parts(np.stack([optic.filtered(picture) for picture in pictures]))
    count = textures.shape[0]
    radius = np.full((count, len(pictures)), np.nan)
    unexplained = np.ones((count, len(pictures)))
    for reference in np.unique(sharpest):
        discs = parts(optic.blurred(pictures[reference]))
        for part in np.flatnonzero(sharpest == reference):
            radius[part], unexplained[part] = _nearest(textures[part], discs[part], tried)
    return Readings(radius, unexplained)


def _nearest(
    seen: NDArray[np.float32], discs: NDArray[np.float32], tried: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The radius whose disc is nearest to each picture, and what it leaves.

    Args:
        seen: Shape (pictures, pixels).
        discs: Shape (radii, pixels).
        tried: The radii.
    """
    energy = np.einsum("ip,ip->i", seen, seen, dtype=np.float64)
    error = (
        energy[:, None]
        - 2.0 * (seen @ discs.T).astype(np.float64)
        + np.einsum("rp,rp->r", discs, discs, dtype=np.float64)[None, :]
    )
    best = np.argmin(error, axis=1)
    inner = np.clip(best, 1, len(tried) - 2)
    row = np.arange(len(seen))
    x = np.stack([tried[inner + step] for step in (-1, 0, 1)])
    y = np.stack([error[row, inner + step] for step in (-1, 0, 1)])
    radius = np.clip(_vertex(x, y), 0.0, tried[-1])
    least = np.maximum(error[row, best], 0.0)
    return np.where(best == len(tried) - 1, np.nan, radius), least / np.maximum(energy, 1e-12)


def _vertex(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the parabola through three points (rows) has its least value; the middle one if it has none."""
    left, right = x[1] - x[0], x[2] - x[1]
    falls, rises = (y[1] - y[0]) / left, (y[2] - y[1]) / right
    bend = (rises - falls) / (left + right)
    at = x[1] - (falls * right + rises * left) / (left + right) / np.maximum(2.0 * bend, 1e-30)
    return np.asarray(np.where(bend > 0, np.clip(at, x[0], x[2]), x[1]))
