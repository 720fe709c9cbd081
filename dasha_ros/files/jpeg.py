"""Whether a JPEG's pixels are all there: libjpeg fills what is missing with grey, and prints a warning."""

from __future__ import annotations

import cv2
import numpy as np

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
"""Of libjpeg's warnings (jerror.h), those after which pixels are made up. Bytes too many do no harm: phones
write them."""


def jpeg_damage(content: bytes) -> str:
    """Why the pixels of a JPEG can't be trusted; empty where libjpeg has nothing to say against them."""
    data = np.frombuffer(content, np.uint8)
    with captured_lines(lambda line: line.lower().startswith(_OURS)) as lines:
        try:
            # Greys at an eighth of the size: all of the data is unpacked, few of the pixels are computed.
            cv2.imdecode(data, cv2.IMREAD_REDUCED_GRAYSCALE_8 | cv2.IMREAD_IGNORE_ORIENTATION)
        except cv2.error:
            return ""  # Pillow decides
    for line in lines:
        if any(word in line.lower() for word in _FATAL):
            return f"is cut short or damaged inside (libjpeg: {line}): copy or download it again"
    return ""
