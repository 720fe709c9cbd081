"""Blur kernels of known radius: the disc of the twin, and others that real lenses have."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Kernel = Callable[[float], NDArray[np.float32]]
_FINE = 5


def _made(shape: Callable[[NDArray, NDArray, float], NDArray]) -> Kernel:
    def kernel(radius: float) -> NDArray[np.float32]:
        half = int(np.ceil(radius)) + 1
        axis = (np.arange((2 * half + 1) * _FINE) + 0.5) / _FINE - half - 0.5
        fine = shape(*np.meshgrid(axis, axis), radius)
        pixels = fine.reshape(2 * half + 1, _FINE, 2 * half + 1, _FINE).sum(axis=(1, 3))
        return (pixels / pixels.sum()).astype(np.float32)

    return kernel


KERNELS: dict[str, Kernel] = {
    "disc": _made(lambda x, y, r: (np.hypot(x, y) <= r) * 1.0),
    "ring": _made(lambda x, y, r: ((np.hypot(x, y) <= r) & (np.hypot(x, y) >= r / 2)) * 1.0),
    "square": _made(lambda x, y, r: (np.maximum(abs(x), abs(y)) <= 0.87 * r) * 1.0),
    "cat-eye": _made(lambda x, y, r: ((np.hypot(x, y) <= r) & (np.hypot(x - r / 2, y) <= r)) * 1.0),
    "bright edge": _made(lambda x, y, r: (np.hypot(x, y) <= r) * (0.3 + (np.hypot(x, y) / r) ** 2)),
    "gaussian": _made(lambda x, y, r: np.exp(-2.0 * (x**2 + y**2) / r**2)),
}
"""Radius [px] to kernel; the Gaussian and the square spread as much as the disc of that radius."""
