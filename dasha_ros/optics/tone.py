"""Response curves: how a camera's grey levels follow the light. Linear, or sRGB as in most photographs."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Tone = Literal["linear", "srgb"]
"""``linear``: twice the light, twice the level, as machine-vision cameras have it. ``srgb``: as webcams,
phones and JPEG files have it."""


@lru_cache(maxsize=1)
def linear_of_srgb() -> NDArray[np.float32]:
    """Linear light, 0..1, of the 256 sRGB values (IEC 61966-2-1); read-only, shape (256,)."""
    value = np.arange(256) / 255.0
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)
    linear.setflags(write=False)
    return linear


@lru_cache(maxsize=2)
def srgb_of_levels(levels: int) -> NDArray[np.uint8]:
    """The sRGB value of each of ``levels`` evenly spaced levels of light, from black to white; read-only."""
    light = np.arange(levels) / (levels - 1)
    value = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1.0 / 2.4) - 0.055)
    table = np.rint(255.0 * value).astype(np.uint8)
    table.setflags(write=False)
    return table
