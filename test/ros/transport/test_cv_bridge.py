"""Pixels and grey of every encoding are those of cv_bridge: as recorded, and of one that is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cv_bridge_reference import COLOURLESS, ENCODINGS, HEIGHT, WIDTH, message

from dasha_ros.perception.image import ENCODINGS as READ
from dasha_ros.perception.image import working_image
from dasha_ros.perception.image_message import pixels_of

RESULTS: dict[str, Any] = json.loads(
    Path(__file__).parents[2].joinpath("cv_bridge_results.json").read_text(encoding="utf-8")
)["results"]
ROUNDING = 1
"""Another version of OpenCV may round another way than 4.6, which made the records; 4.11 does not."""


def grey_of(made: Any) -> Any:
    """What perception works on, without the least size that it asks for."""
    tiles = (64 // HEIGHT, 64 // WIDTH + 1)
    pixels = pixels_of(made)
    whole = np.tile(pixels, tiles if pixels.ndim == 2 else (*tiles, 1))
    return working_image(np.ascontiguousarray(whole), made.encoding, 640)


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_the_pixels_are_those_of_cv_bridge(name: str) -> None:
    encoding, _, order = name.partition(" ")
    made = message(encoding, big_endian=bool(order))
    pixels = pixels_of(made)
    np.testing.assert_array_equal(pixels, np.array(RESULTS[name]["pixels"], pixels.dtype))
    assert pixels.dtype == np.dtype(ENCODINGS[encoding][0])
    assert pixels.dtype.isnative
    if not order or pixels.itemsize == 1:
        assert np.shares_memory(pixels, np.frombuffer(made.data, np.uint8)), "a copy"


@pytest.mark.parametrize("name", sorted(name for name, entry in RESULTS.items() if "mono8" in entry))
def test_the_grey_is_that_of_cv_bridge(name: str) -> None:
    encoding, _, order = name.partition(" ")
    expected = np.array(RESULTS[name]["mono8"], np.int16)
    found = grey_of(message(encoding, big_endian=bool(order)))[:HEIGHT, :WIDTH].astype(np.int16)
    # At the edge of a mosaic, the tile's neighbours are others than the picture's own.
    inner = np.s_[2:-2, 2:-2] if encoding.startswith("bayer") else np.s_[:, :]
    assert np.abs(found - expected)[inner].max() <= ROUNDING


def test_every_encoding_is_compared_or_named_here() -> None:
    compared = {name.partition(" ")[0] for name in RESULTS}
    ours = {"mono12"}  # bits at the bottom of 16; no name of ROS
    aliases = {"uyvy", "yuyv", "yuv422_yuy2"}  # compared below
    assert set(READ) == compared | ours | aliases
    assert {name for name in compared if "mono8" not in RESULTS[name]} == set(COLOURLESS)


@pytest.mark.parametrize(("encoding", "first"), [("yuv422", 1), ("uyvy", 1), ("yuv422_yuy2", 0), ("yuyv", 0)])
def test_the_grey_of_yuv_is_its_luma(encoding: str, first: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 64, 2), np.uint8)
    np.testing.assert_array_equal(working_image(pixels, encoding, 640), pixels[:, :, first])


@pytest.mark.parametrize("bits", ["8", "16"])
@pytest.mark.parametrize(
    ("pattern", "places"), [("rggb", "rggb"), ("bggr", "bggr"), ("gbrg", "gbrg"), ("grbg", "grbg")]
)
@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 100, 50)])
def test_a_mosaic_has_the_grey_of_the_colour_that_made_it(
    pattern: str, places: str, bits: str, colour: tuple[int, int, int]
) -> None:
    """The pattern is written here as the name says it: first row, then second row."""
    values = dict(zip("rgb", colour, strict=True))
    tile = np.array([values[place] for place in places]).reshape(2, 2)
    mosaic = np.tile(tile, (32, 32)).astype(np.uint8)
    if bits == "16":
        mosaic = mosaic.astype(np.uint16) * 257
    red, green, blue = colour
    expected = 0.299 * red + 0.587 * green + 0.114 * blue  # ITU-R BT.601
    grey = working_image(mosaic, f"bayer_{pattern}{bits}", 640)
    assert np.abs(grey.astype(float) - expected).max() <= 1.0


def test_floating_point_is_black_at_0_and_white_at_1() -> None:
    picture = np.zeros((40, 64), np.float32)
    picture[0, :6] = 0.5, 1.0, 2.0, -1.0, np.inf, np.nan
    np.testing.assert_array_equal(working_image(picture, "32FC1", 640)[0, :6], [128, 255, 255, 0, 255, 0])


def test_an_installed_cv_bridge_says_the_same() -> None:
    reason = "cv_bridge is not installed: it comes with a ROS distribution"
    CvBridge = pytest.importorskip("cv_bridge", reason=reason).CvBridge
    bridge = CvBridge()
    for encoding in ENCODINGS:
        made = message(encoding, big_endian=False)
        np.testing.assert_array_equal(pixels_of(made), bridge.imgmsg_to_cv2(made), err_msg=encoding)
