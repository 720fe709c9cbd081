"""`sensor_msgs/Image` to numpy and back, with as few copies as possible."""

from __future__ import annotations

import array

import numpy as np
from sensor_msgs.msg import Image

from dasha_ros.perception.image_message import ImageMessageError, Pixels, pixels_of


class ImageWriter:
    """Reuses one message for all pictures.

    For two megapixels, assigning new data takes 0.4 to 95 ms; writing into the same array takes 0.2 ms.
    """

    def __init__(self, frame_id: str) -> None:
        self._frame_id = frame_id
        self._message = Image()

    def write(self, pixels: Pixels, encoding: str) -> Image:
        """Return the message with these pixels. It is valid until the next call."""
        message = self._message
        if pixels.nbytes != len(message.data):
            message.data = array.array("B", bytes(pixels.nbytes))
        np.frombuffer(message.data, pixels.dtype).reshape(pixels.shape)[...] = pixels
        message.header.frame_id = self._frame_id
        message.height, message.width = pixels.shape[:2]
        message.encoding = encoding
        message.is_bigendian = 0
        message.step = pixels.nbytes // pixels.shape[0]
        return message


__all__ = ["ImageMessageError", "ImageWriter", "pixels_of"]
