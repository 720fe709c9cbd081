"""Pictures of a webcam as pixels: MJPEG, YUYV and GREY."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.errors import FrameIncomplete
from dasha_ros.devices.v4l2.port import PictureFormat
from dasha_ros.files.jpeg import jpeg_pixels

FORMATS = ("GREY", "YUYV", "MJPG")
"""What can be decoded; at an equal frame rate the first is best."""
ENCODINGS = ("mono8", "rgb8")
_BYTES = {"GREY": 1, "YUYV": 2}
_JPEG_BEGIN, _JPEG_END = b"\xff\xd8", b"\xff\xd9"


def decode(data: bytes, format: PictureFormat, encoding: str) -> NDArray[np.uint8]:
    """The pixels of one picture.

    Args:
        data: As the device sent it.
        format: How.
        encoding: ``mono8`` or ``rgb8``.

    Returns:
        Shape (height, width), or (height, width, 3).

    Raises:
        FrameIncomplete: A part of the picture is missing or damaged.
    """
    if format.pixels == "MJPG":
        return _decode_jpeg(data, format, encoding)
    packed = _rows(data, format)
    if format.pixels == "GREY":
        return packed.copy() if encoding == "mono8" else np.repeat(packed[:, :, None], 3, axis=2)
    if encoding == "mono8":
        return packed[:, ::2].copy()
    import cv2

    pairs = np.ascontiguousarray(packed).reshape(format.height, format.width, 2)
    return _array(cv2.cvtColor(pairs, cv2.COLOR_YUV2RGB_YUY2))


def _rows(data: bytes, format: PictureFormat) -> NDArray[np.uint8]:
    """The bytes by rows, shape (height, bytes of the pixels of a row)."""
    used = format.width * _BYTES[format.pixels]
    stride = max(format.stride, used)
    whole = stride * (format.height - 1) + used
    if len(data) < whole:
        raise FrameIncomplete(
            f"a frame has {len(data)} bytes; {format.width}x{format.height} {format.pixels} has {whole}."
            " If this is frequent: another USB port, or a smaller picture"
        )
    flat = np.frombuffer(data, np.uint8, whole)
    return np.lib.stride_tricks.as_strided(flat, (format.height, used), (stride, 1), writeable=False)


def _decode_jpeg(data: bytes, format: PictureFormat, encoding: str) -> NDArray[np.uint8]:
    import cv2

    # A JPEG that breaks off decodes to a picture with a grey part, so its end is looked for first.
    # Some cameras fill the rest of the buffer with zeros.
    whole = data.startswith(_JPEG_BEGIN) and data.rstrip(b"\0").endswith(_JPEG_END)
    pixels = jpeg_pixels(data, grey=encoding == "mono8") if whole else None
    if pixels is None or pixels.shape[:2] != (format.height, format.width):
        raise FrameIncomplete(
            "a frame is no whole JPEG. If this is frequent: another USB port, or a smaller picture"
        )
    return _array(pixels if encoding == "mono8" else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))


def _array(pixels: Any) -> NDArray[np.uint8]:
    return np.asarray(pixels, np.uint8)
