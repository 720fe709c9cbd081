"""Decodes every picture that a user gives; no other module does.

Pillow decodes because it reads the size before the pixels, knows the orientation in every format that has
one, reports files that are cut short, and prints nothing.

- Orientation (EXIF in JPEG, PNG, TIFF, WebP and AVIF) is applied to colour, alpha and maps alike.
- 16 bits per channel: the upper 8 bits are kept (``value >> 8``).
- 32-bit integers: values up to 65535 count as 16 bits; larger ones are scaled by their own range to 0..255.
- Floating point: 0..1 is kept, any other range is scaled; values that are not finite become black.
- Only the formats are read whose endings `picture_names.READ` lists, whatever a file is called.
- CMYK, palettes, YCbCr and grey become RGB; any kind of transparency becomes alpha.
- The first picture of an animation or of a document with several pages is read.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from dasha_ros.files.content import kind_of, placeholder
from dasha_ros.files.errors import FileError, first_line
from dasha_ros.files.jpeg import MOST_PIXELS, jpeg_damage
from dasha_ros.files.picture_names import foreign_by_content, foreign_by_name
from dasha_ros.files.png import bit_depth, png_damage
from dasha_ros.files.regular import MEGABYTE, open_regular

MAX_PIXELS = MOST_PIXELS
"""134 million: the pictures of a 108-megapixel phone pass. In linear light they fill 1.6 GB."""
MAX_BYTES = 2**30
"""Limit for a file: enough for `MAX_PIXELS` of three 16-bit channels, uncompressed."""
MAX_ASPECT = 20
"""Longer side to shorter; panoramas have 10. A longer strip would be blown up too much to fill a frame."""
_HINT = "save it as a JPEG or PNG of 8 bits"
_DNG_VERSION = 50706
_ORIENTATION = 0x0112
"""EXIF's tag of the orientation."""
_ON_ITS_SIDE = frozenset({5, 6, 7, 8})
"""Orientations that exchange width and height."""
_TIFF_SIZE = (256, 257)
"""TIFF's tags of width and height, as stored. Pillow's own size may be that of the upright picture."""
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "JPEG2000", "PPM")
"""Pillow's names of what is read. Others would start programs, such as Ghostscript, or are no photographs."""
_open_lock = threading.Lock()
logging.getLogger("PIL").addHandler(logging.NullHandler())  # else its errors go to standard error, unnamed


@dataclass(frozen=True)
class Picture:
    """A decoded picture, upright."""

    rgb: NDArray[np.uint8]
    """Shape (height, width, 3)."""
    alpha: NDArray[np.uint8] | None
    """Shape (height, width); ``None`` if the file has no transparency."""


def read_picture(path: str | Path) -> Picture:
    """Read a picture as image viewers show it.

    Raises:
        FileError: The file does not exist, is not a picture, is damaged, too large or of an unsupported kind.
    """
    with _opened(path) as image:
        return _as_rgb(path, image)


def picture_size(path: str | Path) -> tuple[int, int]:
    """Width and height of a picture as `read_picture` would give it [px]; only its header is read.

    Raises:
        FileError: The file does not exist, is not a picture, too large or of an unsupported kind.
    """
    if why := foreign_by_name(path):
        raise FileError(path, why)
    with open_regular(path, MAX_BYTES) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if why := placeholder(head := file.read(4096)) or foreign_by_content(head):
            raise FileError(path, why)
        try:
            with _identified(path, file) as image:
                width, height = _stored_size(image)
                turned = image.getexif().get(_ORIENTATION, 1) in _ON_ITS_SIDE
        except FileError:
            raise
        except Exception as error:  # Pillow's decoders raise a dozen unrelated types
            raise FileError(path, _damage(error)) from error
    return (height, width) if turned else (width, height)


def read_values(path: str | Path) -> NDArray[Any]:
    """Read the values of a map, which is a picture with one channel, upright and as the file holds them.

    Returns:
        Shape (height, width): integers of 8, 16 or 32 bits, or floating point, which may not be finite.

    Raises:
        FileError: See `read_picture`; or the picture has several channels.
    """
    with _opened(path) as image:
        if image.mode not in {"L", "I", "F"} and not image.mode.startswith("I;16"):
            raise FileError(path, f"has colour channels ({image.mode}); a map has one channel: {_HINT}")
        return np.array(image)


@contextmanager
def _opened(path: str | Path) -> Iterator[Image.Image]:
    """A picture, checked, decoded and upright."""
    if why := foreign_by_name(path):
        raise FileError(path, why)
    with open_regular(path, MAX_BYTES) as file, warnings.catch_warnings():
        # Pillow warns about sizes, which are checked below, and about tags that nobody reads.
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


def _stored_size(image: Image.Image) -> tuple[int, int]:
    tags = getattr(image, "tag_v2", {})
    if image.format == "TIFF" and all(tag in tags for tag in _TIFF_SIZE):
        return int(tags[_TIFF_SIZE[0]]), int(tags[_TIFF_SIZE[1]])
    return image.size


@cache
def _formats() -> tuple[str, ...]:
    """Those of `_FORMATS` that this Pillow knows."""
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _pillow_open() -> Callable[..., Image.Image]:
    """Pillow's own function to open a picture.

    ultralytics, once imported, replaces it by one that installs a package if a picture is not identified.
    """
    patches = sys.modules.get("ultralytics.utils.patches")
    return getattr(patches, "_image_open", Image.open)


def _identified(path: str | Path, file: BinaryIO) -> Image.Image:
    """A picture of acceptable size with only its header read."""
    file.seek(0)
    with _open_lock:
        # Pillow's own limit does not say the size; the check below does, before a pixel is decoded.
        bound, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            image = _pillow_open()(file, formats=_formats())
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
        # Decoding does not check the checksums.
        file.seek(0)
        with _pillow_open()(file, formats=("PNG",)) as twin:
            twin.verify()
        file.seek(0)
        content = file.read()
        if why := png_damage(content):
            raise FileError(path, why)
        _scale_transparency(image, bit_depth(content))
    if image.format in {"JPEG", "MPO"}:
        file.seek(0)
        if why := jpeg_damage(file.read()):
            raise FileError(path, why)
    image.load()


def _scale_transparency(image: Image.Image, depth: int) -> None:
    """Bring the transparent value of a PNG, which has the file's depth, to that of the decoded pixels."""
    value = image.info.get("transparency")
    if isinstance(value, tuple) and depth == 16:
        image.info["transparency"] = tuple(channel >> 8 for channel in value)
    elif isinstance(value, int) and image.mode == "L" and depth < 8:
        image.info["transparency"] = value * 255 // (2**depth - 1)


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image) or image
    except Exception:  # the metadata is damaged but the pixels are whole
        return image


def _as_rgb(path: str | Path, image: Image.Image) -> Picture:
    if image.mode == "F" or image.mode.startswith("I"):
        grey, transparent = _to_8_bits(path, image), image.info.get("transparency")
        alpha = None
        if isinstance(transparent, int):
            alpha = np.where(np.asarray(image) == transparent, 0, 255).astype(np.uint8)
        return Picture(np.repeat(grey[:, :, None], 3, axis=2), alpha)
    has_alpha = image.has_transparency_data
    try:
        if not has_alpha:
            return Picture(np.array(image.convert("RGB")), None)
        rgba = np.array(image.convert("RGBA"))
    except ValueError as error:
        raise FileError(path, f"has the unsupported colour mode {image.mode}: {_HINT}") from error
    return Picture(np.ascontiguousarray(rgba[:, :, :3]), np.ascontiguousarray(rgba[:, :, 3]))


def _to_8_bits(path: str | Path, image: Image.Image) -> NDArray[np.uint8]:
    """Scale grey values as the module's docstring says."""
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
        return f"is an unsupported kind of TIFF (such as several floating-point channels): {_HINT}"
    if kind.endswith("picture"):
        return f"is {kind} with a damaged header, or of an unsupported kind: {_HINT}"
    return f"is {kind or 'something else'}, not a picture that can be read: give a JPEG, PNG, WebP or TIFF"


def _damage(error: Exception) -> str:
    said = first_line(error)
    if "truncated" in said.lower() or isinstance(error, EOFError):
        return "is cut short: its pixels end before the picture does; copy or download it again"
    return f"is damaged, or of an unsupported kind ({said}): copy it again, or {_HINT}"
