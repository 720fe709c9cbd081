"""PNG in memory: decoded, unless its header announces more pixels than it may; finds what decoders hide.

They leave the pixels black that are missing at the end, and those whose palette is missing.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.files.jpeg import MOST_PIXELS

SIGNATURE = b"\x89PNG\r\n\x1a\n"
"""How a PNG begins (W3C, PNG, 5.2)."""
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By colour type (11.2.1)."""
_PALETTE = 3
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column and row, and steps to the next, of the seven pictures of an interlaced one (8.2)."""
_PIECE = 2**20


def bit_depth(content: bytes) -> int:
    """Bits of a sample, as the header says."""
    return content[24]


def png_damage(content: bytes) -> str:
    """Why the pixels of a PNG can't be trusted although its checksums are right; empty if they can.

    Args:
        content: The file; its header must be whole.
    """
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", content[16:29])
    if colour == _PALETTE and not any(kind == b"PLTE" for kind, _ in _chunks(content)):
        return "is damaged: it has no palette, so its colours are lost; copy it again"
    bits = depth * _CHANNELS.get(colour, 1)
    sizes = [(width, height)]
    if interlaced:
        sizes = [(-((x - width) // dx), -((y - height) // dy)) for x, y, dx, dy in _PASSES]
    wanted = sum(
        rows * (1 + (columns * bits + 7) // 8) for columns, rows in sizes if columns > 0 and rows > 0
    )
    if _has_bytes(content, wanted):
        return ""
    return "is cut short: its pixels end before the picture does; copy or download it again"


def _has_bytes(content: bytes, wanted: int) -> bool:
    """Whether the pixels unpack to so many bytes at least; they are not kept."""
    unpacker = zlib.decompressobj()
    for kind, data in _chunks(content):
        rest = bytes(data) if kind == b"IDAT" else b""
        while rest and wanted > 0 and not unpacker.eof:
            try:
                wanted -= len(unpacker.decompress(rest, _PIECE))
            except zlib.error:
                return True  # The decoder says what is wrong.
            rest = unpacker.unconsumed_tail
    return wanted <= 0


def _chunks(content: bytes) -> Iterator[tuple[bytes, memoryview]]:
    place, view = len(SIGNATURE), memoryview(content)
    while place + 8 <= len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        yield content[place + 4 : place + 8], view[place + 8 : place + 8 + length]
        place += length + 12


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
