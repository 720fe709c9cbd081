"""`sensor_msgs/CompressedImage` to numpy, as image_transport's ``compressed`` makes it: JPEG or PNG."""

from __future__ import annotations

from typing import Any

from dasha_ros.files.jpeg import jpeg_damage, jpeg_pixels
from dasha_ros.files.png import SIGNATURE, png_pixels
from dasha_ros.perception.image_message import ImageMessageError, Pixels

SUFFIX = "/compressed"
"""Topics of such pictures end so."""
_JPEG = b"\xff\xd8"
_DEPTHS = {"uint8": "8", "uint16": "16"}


def decoded(message: Any) -> tuple[Pixels, str]:
    """The picture in a message, and its encoding.

    Grey pictures are ``mono8`` or ``mono16``, all others ``bgr8`` or ``bgr16``, without alpha.

    Returns:
        Shape (height, width) or (height, width, 3), and the encoding.

    Raises:
        ImageMessageError: It is neither JPEG nor PNG, is damaged, or claims to be huge.
    """
    content = bytes(message.data)
    # "mono8; jpeg compressed ", as the plugin writes it; other senders write less.
    is_grey = str(message.format).startswith(("mono", "8UC1", "16UC1"))
    if content.startswith(_JPEG):
        pixels: Pixels | None = None if jpeg_damage(content) else jpeg_pixels(content, grey=is_grey)
    elif content.startswith(SIGNATURE):
        pixels = png_pixels(content)
    else:
        raise ImageMessageError(
            f"compressed as {message.format!r}, which is neither JPEG nor PNG: set the driver's format, or"
            " take its raw pictures"
        )
    if pixels is None:
        raise ImageMessageError("a compressed picture is damaged, cut short, or too large")
    return pixels, ("mono" if pixels.ndim == 2 else "bgr") + _DEPTHS[str(pixels.dtype)]
