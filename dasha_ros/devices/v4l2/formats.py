"""Chooses how a webcam sends its pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable

from dasha_ros.devices.errors import DeviceLost, OutOfRange
from dasha_ros.devices.v4l2.pixels import FORMATS
from dasha_ros.devices.v4l2.port import PictureFormat


def best_format(
    formats: Iterable[PictureFormat], width: int, height: int, pixels: str, device: str
) -> PictureFormat:
    """The format nearest to a size, and among those the fastest.

    Args:
        formats: What the device has.
        width: Wanted width [px].
        height: Wanted height [px].
        pixels: One of `FORMATS`; empty: any.
        device: For messages.

    Raises:
        DeviceLost: The device has none that can be decoded.
        OutOfRange: The device does not have ``pixels``.
    """
    known = [f for f in formats if f.pixels in FORMATS and f.width > 0 and f.height > 0]
    if not known:
        raise DeviceLost(f"{device} sends no {', '.join(FORMATS)}; choose another device")
    usable = [f for f in known if pixels in ("", f.pixels)]
    if not usable:
        raise OutOfRange(f"{device} has no {pixels}; it has {', '.join(sorted({f.pixels for f in known}))}")

    def rank(format: PictureFormat) -> tuple[float, float, int]:
        off = abs(math.log(format.width / width)) + abs(math.log(format.height / height))
        return off, -format.rate_hz, FORMATS.index(format.pixels)

    return min(usable, key=rank)
