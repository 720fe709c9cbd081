"""The one door for pictures: every picture of a user is decoded here, as its own metadata says.

Pillow decodes: it reads the size before the pixels, honours orientation in every format that has one,
says when a file is cut short, and prints nothing.

- Orientation (EXIF in JPEG, PNG, TIFF, WebP and AVIF) is applied to colour, alpha and maps alike.
- 16 bits a channel: the upper 8 bits count (``value >> 8``).
- 32-bit integers: up to 65535 as 16 bits; otherwise their own range is mapped to 0..255.
- Floating point: within 0..1 as it is, otherwise its own range is mapped; what is not finite is black.
- CMYK, palettes, YCbCr and grey become RGB; transparency of any kind becomes alpha.
- Of an animation or a document of several pages the first picture is read.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from dasha_ros.files.content import kind_of, placeholder
from dasha_ros.files.errors import FileError, first_line
from dasha_ros.files.jpeg import jpeg_damage
from dasha_ros.files.picture_names import foreign_by_content, foreign_by_name
from dasha_ros.files.regular import MEGABYTE, open_regular

MAX_PIXELS = 2**27
"""Of a picture, 134 million: a phone of 108 megapixels passes. In linear light they fill 1.6 GB."""
MAX_BYTES = 2**30
"""Of a file: `MAX_PIXELS` of three channels of 16 bits fit in uncompressed."""
MAX_ASPECT = 20
"""Longer side to shorter: panoramas have 10. A strip would be enlarged without bounds to fill a frame."""
_HINT = "save it as a JPEG or PNG of 8 bits"
_DNG_VERSION = 50706
_open_lock = threading.Lock()
logging.getLogger("PIL").addHandler(logging.NullHandler())  # or its errors go to standard error, unnamed


@dataclass(frozen=True)
class Picture:
    """A decoded picture, upright."""

    rgb: NDArray[np.uint8]
    """Shape (height, width, 3)."""
    alpha: NDArray[np.uint8] | None
    """Shape (height, width); ``None`` where every pixel is there by the file's kind."""


def read_picture(path: str | Path) -> Picture:
    """A picture as viewers show it.

    Raises:
        FileError: No such file, no picture, one that is damaged, too large, or of a kind that is not read.
    """
    with _opened(path) as image:
        return _as_rgb(path, image)


def read_values(path: str | Path) -> NDArray[Any]:
    """The numbers of a picture of one channel, upright, as the file holds them: for maps.

    Returns:
        Shape (height, width): 8 bits, 16 bits or more, or floating point, which may hold what is not finite.

    Raises:
        FileError: See `read_picture`; or it has several channels.
    """
    with _opened(path) as image:
        if image.mode not in {"L", "I", "F"} and not image.mode.startswith("I;16"):
            raise FileError(path, f"has channels of colour ({image.mode}); a map has one channel: {_HINT}")
        return np.array(image)


@contextmanager
def _opened(path: str | Path) -> Iterator[Image.Image]:
    """A picture, checked, decoded and upright."""
    if why := foreign_by_name(path):
        raise FileError(path, why)
    with open_regular(path, MAX_BYTES) as file, warnings.catch_warnings():
        # Pillow warns of sizes and of tags that nobody here reads; what matters is checked below.
        warnings.simplefilter("ignore")
        try:
            head = file.read(4096)
            if why := placeholder(head) or foreign_by_content(head):
                raise FileError(path, why)
            with _identified(path, file) as image:
                _decode(path, file, image)
                yield _upright(image)
        except FileError:
            raise
        except MemoryError as error:
            raise FileError(path, "does not fit into this machine's memory: shrink it") from error
        except Exception as error:  # Pillow's decoders raise a dozen unrelated types
            raise FileError(path, _damage(error)) from error


def _pillow_open() -> Callable[[BinaryIO], Image.Image]:
    """Pillow's own way to open a picture.

    ultralytics, once imported, replaces it by one that installs a package when a picture is not identified.
    """
    patches = sys.modules.get("ultralytics.utils.patches")
    return getattr(patches, "_image_open", Image.open)


def _identified(path: str | Path, file: BinaryIO) -> Image.Image:
    """The picture with its header read, and not too large."""
    file.seek(0)
    with _open_lock:
        # Pillow's own bound gives no size; this module's does, before a pixel is decoded.
        bound, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            image = _pillow_open()(file)
        except UnidentifiedImageError as error:
            file.seek(0)
            raise FileError(path, _unidentified(file.read(4096))) from error
        finally:
            Image.MAX_IMAGE_PIXELS = bound
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise FileError(
            path,
            f"has {width} x {height} pixels, {width * height / MEGABYTE:,.0f} million; "
            f"at most {MAX_PIXELS / MEGABYTE:,.0f} million are read: shrink it",
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise FileError(
            path, f"is a strip of {width} x {height} pixels; at most {MAX_ASPECT} : 1 is read: cut it"
        )
    if image.format == "TIFF" and _DNG_VERSION in getattr(image, "tag_v2", ()):
        raise FileError(path, "is a raw picture of a camera (DNG): develop it to a JPEG or PNG")
    return image


def _decode(path: str | Path, file: BinaryIO, image: Image.Image) -> None:
    if image.format == "PNG":
        # Decoding skips the checksums of what it decodes.
        file.seek(0)
        with _pillow_open()(file) as twin:
            twin.verify()
    if image.format in {"JPEG", "MPO"}:
        file.seek(0)
        if why := jpeg_damage(file.read()):
            raise FileError(path, why)
    image.load()


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image) or image
    except Exception:  # damaged metadata: the pixels are whole, and how to turn them nobody knows
        return image


def _as_rgb(path: str | Path, image: Image.Image) -> Picture:
    if image.mode == "F" or image.mode.startswith("I"):
        grey = _to_8_bits(path, image)
        return Picture(np.repeat(grey[:, :, None], 3, axis=2), None)
    has_alpha = image.has_transparency_data
    try:
        if not has_alpha:
            return Picture(np.array(image.convert("RGB")), None)
        rgba = np.array(image.convert("RGBA"))
    except ValueError as error:
        raise FileError(path, f"has the colours {image.mode}, which are not read: {_HINT}") from error
    return Picture(np.ascontiguousarray(rgba[:, :, :3]), np.ascontiguousarray(rgba[:, :, 3]))


def _to_8_bits(path: str | Path, image: Image.Image) -> NDArray[np.uint8]:
    """See the module's text."""
    values = np.asarray(image)
    if image.mode != "F" and values.min() >= 0 and values.max() <= 65535:
        return (values.astype(np.uint16) >> 8).astype(np.uint8)
    finite = np.isfinite(values)
    if not finite.any():
        raise FileError(path, "holds no finite number, so there is nothing to see")
    low, high = float(values[finite].min()), float(values[finite].max())
    if image.mode == "F" and low >= 0.0 and high <= 1.0:
        low, high = 0.0, 1.0
    scaled = (np.where(finite, values, low).astype(np.float64) - low) / max(high - low, 1e-300)
    return np.asarray(np.rint(np.clip(scaled, 0.0, 1.0) * 255.0), np.uint8)


def _unidentified(head: bytes) -> str:
    kind = kind_of(head)
    if kind == "a TIFF picture":
        return f"is a TIFF of a kind that is not read (such as several channels of floating point): {_HINT}"
    if kind.endswith("picture"):
        return f"is {kind} whose header is damaged, or of a kind that is not read: {_HINT}"
    return f"is {kind or 'something else'}, not a picture that can be read: give a JPEG, PNG, WebP or TIFF"


def _damage(error: Exception) -> str:
    said = first_line(error)
    if "truncated" in said.lower() or isinstance(error, EOFError):
        return "is cut short: its pixels end before the picture does; copy or download it again"
    return f"is damaged, or of a kind that is not read ({said}): copy it again, or {_HINT}"
