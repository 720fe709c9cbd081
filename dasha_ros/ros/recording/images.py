"""Images as JPEG, for recordings that shall be small."""

from __future__ import annotations

import array

import cv2
import numpy as np
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from dasha_ros.ros.transport.cdr import reader
from dasha_ros.ros.transport.image import ImageMessageError, pixels_of

JPEG_KIND = "sensor_msgs/msg/CompressedImage"
_EIGHT_BITS = {"mono8": None, "8UC1": None, "rgb8": cv2.COLOR_RGB2BGR, "bgr8": None}
_read = reader(Image)


def as_jpeg(data: bytes, quality: int) -> bytes:
    """A serialized ``Image`` as a serialized ``CompressedImage`` with the same header.

    Args:
        data: The image.
        quality: Of the JPEG, 1 to 100.

    Returns:
        The message; empty if its pixels do not fit a JPEG: they have more than 8 bits, an encoding that the
        package does not know, or are damaged.
    """
    try:
        image = _read(data)
        pixels = pixels_of(image)
    except (ValueError, ImageMessageError):
        return b""
    if image.encoding not in _EIGHT_BITS:
        return b""
    conversion = _EIGHT_BITS[image.encoding]
    shown = np.ascontiguousarray(pixels) if conversion is None else cv2.cvtColor(pixels, conversion)
    written, jpeg = cv2.imencode(".jpg", shown, (cv2.IMWRITE_JPEG_QUALITY, quality))
    if not written:
        return b""
    colours = "mono8" if pixels.ndim == 2 else "bgr8"
    stamp = image.header.stamp
    header = Header(frame_id=image.header.frame_id)
    header.stamp.sec, header.stamp.nanosec = stamp.sec, stamp.nanosec
    message = CompressedImage(header=header, format=f"{image.encoding}; jpeg compressed {colours}")
    message.data = array.array("B", jpeg.tobytes())
    return bytes(serialize_message(message))
