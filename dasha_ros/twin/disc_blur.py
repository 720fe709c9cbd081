"""Blurs a layer with a disc, fast: on the level of a pyramid where the disc has few pixels.

A disc of radius r removes details finer than r, so a blurred picture can be computed at a fraction of its
size. Up to `MAX_RADIUS`, the convolution with the (area-sampled) disc is exact. Larger discs are applied on
the level where their radius is 10 to 20 px, less the blur of halving (`_level_radius`).
``test/twin/test_disc_blur.py`` checks that the error against the exact disc stays below the sensor's noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Kernels = Callable[[float], Image]
"""Makes the kernel of a blur from its radius [px]: shape (2n+1, 2n+1), sum 1."""

MAX_RADIUS = 20.0
"""Largest disc on any level [px of the level]; the error is below 2 grey levels of 255."""
QUICK_RADIUS = 5.5
"""A faster choice: the largest disc that OpenCV convolves without a Fourier transform."""
_LANCZOS = 4
"""Reach of the enlarging filter [px of the level]."""
_LINES = 32
"""Lines per pixel that sample the disc's area."""


class Window(NamedTuple):
    """A rectangle of the frame [px]: columns left..right, rows top..bottom, without the ends."""

    left: int
    top: int
    right: int
    bottom: int


class Pyramid:
    """One plane of a layer (its colour or its alpha) in all sizes that its blurs need."""

    def __init__(
        self, pixels: Image, x: int = 0, y: int = 0, *, endless: bool = False, max_radius: float = MAX_RADIUS
    ) -> None:
        """Compute the sizes.

        Args:
            pixels: Linear light, pre-multiplied by alpha, or alpha; shape (height, width[, channels]).
            x: Column of the frame where the layer begins; it may reach beyond the frame.
            y: Row of the frame where the layer begins.
            endless: Whether the layer continues as its mirror image (a background) or ends.
            max_radius: Largest disc on any level [px of the level].
        """
        self._x, self._y, self._endless, self._max_radius = x, y, endless, max_radius
        self._border = cv2.BORDER_REFLECT if endless else cv2.BORDER_CONSTANT
        self._levels = [np.ascontiguousarray(pixels, np.float32)]
        while min(self._levels[-1].shape[:2]) > max_radius:
            image = self._levels[-1]
            odd_rows, odd_columns = image.shape[0] % 2, image.shape[1] % 2
            image = cv2.copyMakeBorder(image, 0, odd_rows, 0, odd_columns, self._border)
            half = (image.shape[1] // 2, image.shape[0] // 2)
            self._levels.append(cv2.resize(image, half, interpolation=cv2.INTER_AREA))

    def blurred(
        self,
        radius: float,
        window: Window,
        kernel_of: Kernels | None = None,
        channel: int | None = None,
    ) -> tuple[Image, Window]:
        """Convolve the layer with a disc, and return the part inside ``window``.

        Args:
            radius: Radius of the disc [px of the frame].
            window: The wanted part of the frame.
            kernel_of: Makes another kernel of the radius; `disc_kernel` if left out.
            channel: Only this one, of a layer with channels.

        Returns:
            The pixels, and the part of ``window`` that they fill; the rest is empty.
        """
        level = 0
        while radius > self._max_radius * (1 << level) and level < len(self._levels) - 1:
            level += 1
        scale, source = 1 << level, self._levels[level]
        if channel is not None:
            source = source[..., channel]
        kernel = (kernel_of or disc_kernel)(_level_radius(radius, scale))
        n = kernel.shape[0] // 2
        rows = self._span(self._y, source.shape[0], (window.top, window.bottom), scale, n)
        columns = self._span(self._x, source.shape[1], (window.left, window.right), scale, n)
        if rows is None or columns is None:
            return np.empty((0, 0, *source.shape[2:]), np.float32), Window(0, 0, 0, 0)
        part = source[rows.inside, columns.inside]
        part = cv2.copyMakeBorder(part, *rows.missing, *columns.missing, self._border)
        if n:
            part = cv2.filter2D(part, -1, kernel, borderType=cv2.BORDER_CONSTANT)[n:-n, n:-n]
        if scale > 1:
            size = (part.shape[1] * scale, part.shape[0] * scale)
            part = cv2.resize(part, size, interpolation=cv2.INTER_LANCZOS4)
        return part[rows.crop, columns.crop], Window(columns.begin, rows.begin, columns.end, rows.end)

    def _span(self, origin: int, size: int, window: tuple[int, int], scale: int, reach: int) -> _Span | None:
        """The ranges that one axis reads and writes; ``None`` if nothing is inside the window.

        Args:
            origin: Begin of the layer [px of the frame].
            size: Size of the level [px of the level].
            window: Begin and end of the window [px of the frame].
            scale: Pixels of the frame per pixel of the level.
            reach: Reach of the disc [px of the level].
        """
        low, high = window
        looks = _LANCZOS if scale > 1 else 0
        first = (low - origin) // scale - looks
        last = -((origin - high) // scale) + looks
        if not self._endless:
            # The blurred layer ends here; enlarging needs zeros around it to fade out.
            first, last = max(first, -reach - looks), min(last, size + reach + looks)
        read_first, read_last = first - reach, last + reach
        inside = slice(max(read_first, 0), min(read_last, size))
        begin, end = max(low, origin + first * scale), min(high, origin + last * scale)
        if inside.start >= inside.stop or begin >= end:
            return None
        missing = (inside.start - read_first, read_last - inside.stop)
        start = origin + first * scale
        return _Span(inside, missing, slice(begin - start, end - start), begin, end)


class _Span(NamedTuple):
    inside: slice
    """The part of the level under the disc [px of the level]."""
    missing: tuple[int, int]
    """How far the disc reaches beyond the level, before and after it [px of the level]."""
    crop: slice
    """The part of the enlarged result inside the window."""
    begin: int
    end: int
    """Position of that part [px of the frame]."""


@lru_cache(maxsize=512)
def disc_kernel(radius: float) -> Image:
    """A disc with the sum 1: each pixel has the share of its area inside the disc.

    Args:
        radius: Radius [px]; a disc of up to 1/2 is inside one pixel, so the kernel is the identity.

    Returns:
        Shape (2n+1, 2n+1), n = ceil(radius - 1/2).
    """
    n = max(0, math.ceil(radius - 0.5))
    if n == 0:
        return np.ones((1, 1), np.float32)
    # Along x, the overlap of chord and pixel is exact; along y, it is a sum over lines.
    y = (np.arange((2 * n + 1) * _LINES) + 0.5) / _LINES - n - 0.5
    chord = np.sqrt(np.maximum(radius**2 - y**2, 0.0))[:, None]
    left = np.arange(-n, n + 1)[None, :] - 0.5
    overlap = np.maximum(np.minimum(chord, left + 1.0) - np.maximum(-chord, left), 0.0)
    kernel = overlap.reshape(2 * n + 1, _LINES, 2 * n + 1).sum(axis=1)
    kernel += kernel.T
    return np.asarray(kernel / kernel.sum(), np.float32)


def _level_radius(radius: float, scale: int) -> float:
    """The disc's radius on a level [px of the level], without the blur of the level itself.

    Variances along one axis add up: r^2/4 of a disc, (1 - 1/scale^2)/12 of averaging pixels. The radius is
    rounded, so that practically equal discs share a kernel.
    """
    own = (1.0 - 1.0 / scale**2) / 12.0
    return round(math.sqrt(max((radius / scale) ** 2 - 4.0 * own, 0.0)) * 64) / 64
