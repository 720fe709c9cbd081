"""JPEG: finds damage, because libjpeg fills missing pixels with grey and only prints a warning; decodes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.files.stderr import captured_lines

_OURS = (
    "corrupt jpeg data",
    "premature end",
    "invalid sos",
    "unsupported marker",
    "jpeg ",
    "warning: unknown",
)
_FATAL = ("premature end", "bad huffman code", "instead of rst", "invalid sos")
"""The warnings of libjpeg (jerror.h) after which it makes pixels up. Extra bytes do no harm: phones write
them."""


def jpeg_damage(content: bytes) -> str:
    """Why the pixels of a JPEG can't be trusted; empty if libjpeg decodes them all."""
    data = np.frombuffer(content, np.uint8)
    with captured_lines(lambda line: line.lower().startswith(_OURS)) as lines:
        try:
            # Grey at an eighth of the size: this unpacks all data but computes few pixels.
            cv2.imdecode(data, cv2.IMREAD_REDUCED_GRAYSCALE_8 | cv2.IMREAD_IGNORE_ORIENTATION)
        except cv2.error:
            return ""  # Pillow decides
    for line in lines:
        if any(word in line.lower() for word in _FATAL):
            return f"is cut short or damaged inside (libjpeg: {line}): copy or download it again"
    return ""


def jpeg_pixels(content: bytes, *, grey: bool) -> NDArray[np.uint8] | None:
    """Decode a JPEG: shape (height, width), or (height, width, 3) as BGR; ``None`` if it is damaged."""
    try:
        pixels = cv2.imdecode(
            np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR
        )
    except cv2.error:
        return None
    return None if pixels is None else np.asarray(pixels, np.uint8)
