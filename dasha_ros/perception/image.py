"""Converts a camera's image into the grey image that perception works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.errors import ImageError
from dasha_ros.perception.shrinking import shrink

MIN_SIDE = 32
"""Least side of the image and of the working image [px]."""


_Pixels = tuple[Any, ...]
"""An index into an image."""


@dataclass(frozen=True, slots=True)
class _Encoding:
    dtype: type[np.generic]
    channels: int
    white: int
    """Pixel value that is white."""
    to_grey: int | None = None
    """OpenCV's conversion code."""
    red_and_blue: tuple[_Pixels, _Pixels] | None = None
    """Where pixels of red and of blue alone are; ``None``: nowhere, or only mixed."""


def _colour(channels: int, *codes: tuple[str, int, tuple[_Pixels, _Pixels]]) -> dict[str, _Encoding]:
    """Encodings of 8 and 16 bits by the names that begin with these words."""
    depths: tuple[tuple[str, type[np.generic], int], ...] = (("8", np.uint8, 255), ("16", np.uint16, 65535))
    return {f"{name}{bits}": _Encoding(kind, channels, white, code, where)
            for name, code, where in codes for bits, kind, white in depths}  # fmt: skip


def _channels(red: int, blue: int) -> tuple[_Pixels, _Pixels]:
    return (..., red), (..., blue)


def _mosaic(red: tuple[int, int], blue: tuple[int, int]) -> tuple[_Pixels, _Pixels]:
    """By the row and column of the first pixel of each."""
    first, second = ((slice(row, None, 2), slice(column, None, 2)) for row, column in (red, blue))
    return first, second


ENCODINGS: Mapping[str, _Encoding] = {
    "mono8": _Encoding(np.uint8, 1, 255),
    "8UC1": _Encoding(np.uint8, 1, 255),
    "mono12": _Encoding(np.uint16, 1, 4095),
    "mono16": _Encoding(np.uint16, 1, 65535),
    "16UC1": _Encoding(np.uint16, 1, 65535),
    **_colour(3, ("rgb", cv2.COLOR_RGB2GRAY, _channels(0, 2)), ("bgr", cv2.COLOR_BGR2GRAY, _channels(2, 0))),
    **_colour(4, ("rgba", cv2.COLOR_RGBA2GRAY, _channels(0, 2)),
              ("bgra", cv2.COLOR_BGRA2GRAY, _channels(2, 0))),
    # OpenCV names a pattern by the second row's second and third pixel, ROS by the first row's first two.
    **_colour(1, ("bayer_rggb", cv2.COLOR_BayerBG2GRAY, _mosaic((0, 0), (1, 1))),
              ("bayer_bggr", cv2.COLOR_BayerRG2GRAY, _mosaic((1, 1), (0, 0))),
              ("bayer_gbrg", cv2.COLOR_BayerGR2GRAY, _mosaic((1, 0), (0, 1))),
              ("bayer_grbg", cv2.COLOR_BayerGB2GRAY, _mosaic((0, 1), (1, 0)))),
    **{name: _Encoding(np.uint8, 2, 255, cv2.COLOR_YUV2GRAY_UYVY) for name in ("yuv422", "uyvy")},
    **{name: _Encoding(np.uint8, 2, 255, cv2.COLOR_YUV2GRAY_YUY2) for name in ("yuv422_yuy2", "yuyv")},
    "32FC1": _Encoding(np.float32, 1, 1),
}  # fmt: skip
"""What perception reads, by the names of ROS (``mono12``: 12 bits at the bottom of 16; ``32FC1``: 0 is black
and 1 is white, what is not a number is black). Grey is what cv_bridge makes of the same picture."""


def grey_pixels(image: NDArray[Any], encoding: str) -> NDArray[Any]:
    """The grey of an image in its own depth, shape (height, width).

    Args:
        image: H x W, or H x W x channels, as the encoding says.
        encoding: A key of `ENCODINGS`.
    """
    code = ENCODINGS[encoding].to_grey
    return image if code is None else np.asarray(cv2.cvtColor(image, code))


def working_image(image: NDArray[Any], encoding: str, width: int) -> NDArray[np.uint8]:
    """Convert an image to grey, 0..255, and shrink it to at most ``width`` pixels, keeping its shape.

    Shrinking averages areas. An image more than twice as wide is halved first, which is much cheaper than one
    step with an odd factor; see `shrinking`, too.

    Args:
        image: H x W, or H x W x channels, as the encoding says.
        encoding: A key of `ENCODINGS`.
        width: Pixels; smaller images keep their size.

    Raises:
        ImageError: The image is empty, too small, or not what the encoding says.
    """
    kind = _check(image, encoding)
    return _shrunk(grey_pixels(image, encoding), kind, width)


def red_and_blue(
    image: NDArray[Any], encoding: str, width: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    """The red and the blue of an image, each shrunk as by `working_image`.

    Args:
        image: As there.
        encoding: As there.
        width: As there; of a mosaic, half as many pixels of a colour are across the image.

    Returns:
        ``None`` for encodings that hold no pixels of a colour alone (grey, or YUV, which keeps the detail of
        all colours together), and for mosaics that are too small.

    Raises:
        ImageError: As there.
    """
    kind = _check(image, encoding)
    if kind.red_and_blue is None:
        return None
    red, blue = (image[where] for where in kind.red_and_blue)
    if min(red.shape + blue.shape) < MIN_SIDE:
        return None
    return _shrunk(red, kind, width), _shrunk(blue, kind, width)


def _shrunk(image: NDArray[Any], kind: _Encoding, width: int) -> NDArray[np.uint8]:
    if kind.dtype is np.float32:
        image = np.clip(np.nan_to_num(image, posinf=1.0, neginf=0.0), 0.0, 1.0)
    if kind.dtype is not np.uint8:
        image = cv2.convertScaleAbs(image, alpha=255 / kind.white)
    rows, columns = image.shape[:2]
    while columns >= 2 * width and rows % 2 == columns % 2 == 0:
        rows, columns = rows // 2, columns // 2
        image = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA)
    if columns > width:
        rows = round(rows * width / columns)
        if rows < MIN_SIDE:
            raise ImageError(f"The image is too flat: at {width} pixels of width it is {rows} pixels high.")
        image = shrink(image, width, rows)
    return np.asarray(image, dtype=np.uint8)


def _check(image: NDArray[Any], encoding: str) -> _Encoding:
    kind = ENCODINGS.get(encoding)
    if kind is None:
        raise ImageError(f"The encoding {encoding!r} is not one of {', '.join(ENCODINGS)}.")
    if not isinstance(image, np.ndarray) or image.dtype != kind.dtype:
        found = getattr(image, "dtype", type(image).__name__)
        raise ImageError(f"An image of {encoding} holds {np.dtype(kind.dtype)}, but this one {found}.")
    if image.shape[2:] != (() if kind.channels == 1 else (kind.channels,)) or image.ndim < 2:
        wanted = "H x W" if kind.channels == 1 else f"H x W x {kind.channels}"
        raise ImageError(f"An image of {encoding} is {wanted}, but this one has the shape {image.shape}.")
    if min(image.shape[:2]) < MIN_SIDE:
        raise ImageError(
            f"The image is {image.shape[1]} x {image.shape[0]} pixels; at least {MIN_SIDE} are needed."
        )
    if kind.white == 4095 and int(image.max()) > kind.white:
        raise ImageError(f"The image of {encoding} holds {int(image.max())}, more than {kind.white}.")
    return kind
