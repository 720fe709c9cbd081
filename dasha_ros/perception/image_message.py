"""The pixels of a ``sensor_msgs/Image``, whoever made the object that holds its fields."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.image import ENCODINGS

Pixels: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]


class ImageMessageError(ValueError):
    """A message that holds no valid picture. The text says why."""


def pixels_of(message: Any) -> Pixels:
    """The picture in a message, as a view of the message's memory that respects ``step``.

    Pixels are copied only if their byte order is not this machine's.

    Returns:
        Shape (height, width), or (height, width, channels) with two to four channels.

    Raises:
        ImageMessageError: The encoding is unknown, there are no pixels, the step is too short, or
            there are fewer bytes than height and step require.
    """
    known = ENCODINGS.get(message.encoding)
    if known is None:
        raise ImageMessageError(f"image encoding {message.encoding!r} is not one of {', '.join(ENCODINGS)}")
    channels, dtype = known.channels, np.dtype(known.dtype)
    dtype = dtype.newbyteorder(">" if message.is_bigendian else "<")
    height, width, step = message.height, message.width, message.step
    row = width * channels * dtype.itemsize
    if height == 0 or width == 0:
        raise ImageMessageError(f"empty image: {width}x{height} px")
    if step < row or step % dtype.itemsize:
        raise ImageMessageError(
            f"image step {step} does not fit rows of {row} bytes ({width} px {message.encoding})"
        )
    if len(message.data) < (height - 1) * step + row:
        raise ImageMessageError(f"truncated image: {len(message.data)} bytes of {height * step}")
    shape = (height, width) if channels == 1 else (height, width, channels)
    strides = (step, dtype.itemsize) if channels == 1 else (step, channels * dtype.itemsize, dtype.itemsize)
    pixels: NDArray[Any] = np.ndarray(shape, dtype, buffer=message.data, strides=strides)
    return pixels.astype(dtype.newbyteorder("="), copy=False)
