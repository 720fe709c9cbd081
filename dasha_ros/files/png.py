"""PNG in memory: decoded, unless its header announces more pixels than it may."""

from __future__ import annotations

import struct

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.files.jpeg import MOST_PIXELS

SIGNATURE = b"\x89PNG\r\n\x1a\n"
"""How a PNG begins (W3C, PNG, 5.2)."""


def png_pixels(content: bytes) -> NDArray[np.uint8] | NDArray[np.uint16] | None:
    """Decode a PNG: shape (height, width), or (height, width, 3) as BGR, with its own depth.

    Returns:
        ``None`` if it is damaged, is no PNG, or claims more than `MOST_PIXELS`.
    """
    if len(content) < 24 or not content.startswith(SIGNATURE):
        return None
    width, height = struct.unpack(">II", content[16:24])  # W3C, PNG, 11.2.1: IHDR comes first
    if not 0 < width * height <= MOST_PIXELS:
        return None
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR)
    except cv2.error:
        return None
    if pixels is None:
        return None
    if pixels.dtype == np.uint16:
        return np.asarray(pixels, np.uint16)
    return np.asarray(pixels, np.uint8) if pixels.dtype == np.uint8 else None
