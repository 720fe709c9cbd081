"""Point spread functions of real lenses: what a point out of focus becomes, other than an even disc.

Each takes the radius of the circle of confusion [px] and returns a kernel with the sum 1, as
`disc_blur.disc_kernel` does. Each pixel holds the mean over its area.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Array = NDArray[np.float64]
Shape = Callable[[Array, Array], Array]
"""The light at a place of the unit disc, from its coordinates."""

_FINE = 8
"""Samples along a pixel's edge."""
RING_INNER = 0.5
"""A mirror lens's obstruction, as a share of its aperture."""
CAT_EYE_SHIFT = 0.5
"""Shift of the two rims that clip a beam away from the axis [radii]: mechanical vignetting."""
RIM_GAIN = 2.0
"""Light at the rim over light in the middle, of under-corrected spherical aberration behind its focus."""
GAUSSIAN_REACH = 2.0
"""Where the Gaussian is cut off [radii of the disc of the same variance], four deviations."""
_SIDES = 6


def _ring(x: Array, y: Array) -> Array:
    square = x**2 + y**2
    return np.asarray((square <= 1.0) & (square >= RING_INNER**2), np.float64)


def _cat_eye(x: Array, y: Array) -> Array:
    half = CAT_EYE_SHIFT / 2.0
    return np.asarray((np.hypot(x - half, y) <= 1.0) & (np.hypot(x + half, y) <= 1.0), np.float64)


def _spherical(x: Array, y: Array) -> Array:
    square = x**2 + y**2
    return np.where(square <= 1.0, 1.0 + (RIM_GAIN - 1.0) * square, 0.0)


def _hexagon(x: Array, y: Array) -> Array:
    # Of the disc's area: its inner radius is sqrt(pi / (2 sqrt 3)).
    inner = math.sqrt(math.pi / (2.0 * math.sqrt(3.0)))
    angles = np.arange(_SIDES // 2) * math.pi / (_SIDES // 2)
    widest = np.max([np.abs(x * math.cos(a) + y * math.sin(a)) for a in angles], axis=0)
    return np.asarray(widest <= inner, np.float64)


def _gaussian(x: Array, y: Array) -> Array:
    # An even disc has a deviation of half its radius along each axis.
    return np.asarray(np.exp(-2.0 * (x**2 + y**2)), np.float64)


SHAPES: dict[str, tuple[Shape, float]] = {
    "ring": (_ring, 1.0),
    "cat_eye": (_cat_eye, 1.0),
    "spherical": (_spherical, 1.0),
    "hexagon": (_hexagon, 1.1),
    "gaussian": (_gaussian, GAUSSIAN_REACH),
}
"""Shapes by name, and how far they reach [radii]."""


@lru_cache(maxsize=512)
def point_spread(shape: str, radius: float) -> Image:
    """The kernel of a shape.

    Args:
        shape: Key of `SHAPES`.
        radius: Radius of the circle of confusion [px]; up to 1/2 it is inside one pixel.

    Returns:
        Shape (2n+1, 2n+1); its sum is 1.

    Raises:
        KeyError: No such shape.
    """
    function, reach = SHAPES[shape]
    n = max(0, math.ceil(radius * reach - 0.5)) if radius > 0.5 else 0
    if n == 0:
        return np.ones((1, 1), np.float32)
    side = (2 * n + 1) * _FINE
    at = ((np.arange(side) + 0.5) / _FINE - n - 0.5) / radius
    light = function(at[None, :], at[:, None])
    kernel = light.reshape(2 * n + 1, _FINE, 2 * n + 1, _FINE).mean(axis=(1, 3))
    return np.asarray(kernel / kernel.sum(), np.float32)
