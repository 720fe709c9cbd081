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
MOST_PIXELS = 2**27
"""A few kilobytes may announce 65535 x 65535 pixels, which would take 13 GB of memory."""
_NO_FRAMES = frozenset({0xC4, 0xC8, 0xCC})
"""Markers among those of frames that begin none: Huffman tables, an extension, arithmetic coding."""


def claimed_pixels(content: bytes) -> int:
    """Number of pixels that the header of a JPEG announces; 0 if it has none (ITU-T T.81, B.1 and B.2)."""
    header = _frame_header(content)
    height, width = header[1:3], header[3:5]
    return int.from_bytes(height, "big") * int.from_bytes(width, "big") if len(width) == 2 else 0


def chroma_sampling(content: bytes) -> str:
    """How finely a JPEG keeps colour beside brightness, such as 4:2:0; empty if its header does not say.

    A picture of one channel is ``grey``. What has no such name is called by the samples of brightness for one
    of colour, across and down, such as ``4 x 1``.
    """
    header = _frame_header(content)
    channels = header[5] if len(header) > 5 else 0
    factors = [divmod(factor, 16) for factor in header[7 : 6 + 3 * channels : 3]]
    if channels == 1:
        return "grey"
    if channels < 3 or len(factors) < channels or not all(factors[1]):
        return ""
    across, down = (own // other for own, other in zip(factors[0], factors[1], strict=True))
    names = {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0", (1, 2): "4:4:0"}
    return names.get((across, down), f"{across} x {down}")


def _frame_header(content: bytes) -> bytes:
    """What follows the length in the header of a JPEG's frame: precision, height, width, channels."""
    place = 2
    while content[:2] == b"\xff\xd8" and content[place : place + 1] == b"\xff":
        marker = content[place + 1 : place + 2]
        if marker == b"\xff":  # a fill byte
            place += 1
            continue
        length = int.from_bytes(content[place + 2 : place + 4], "big")
        if len(marker) and 0xC0 <= marker[0] <= 0xCF and marker[0] not in _NO_FRAMES:
            return content[place + 4 : place + 2 + max(length, 7)]
        place += 2 + length
    return b""


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
    """Decode a JPEG: shape (height, width), or (height, width, 3) as BGR.

    Returns:
        ``None`` if it is damaged, is no JPEG, or claims more than `MOST_PIXELS`.
    """
    if not 0 < claimed_pixels(content) <= MOST_PIXELS:
        return None
    try:
        pixels = cv2.imdecode(
            np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR
        )
    except cv2.error:
        return None
    return None if pixels is None else np.asarray(pixels, np.uint8)
