from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dasha_ros.perception.errors import ImageError
from dasha_ros.perception.image import ENCODINGS, red_and_blue, working_image

RANDOM = np.random.default_rng(0)
SCENE = cv2.GaussianBlur(RANDOM.uniform(0, 255, (544, 1024)), (0, 0), 3)
SCENE = ((SCENE - SCENE.min()) / np.ptp(SCENE) * 255).astype(np.uint8)


def test_full_frame_becomes_640_pixels_wide():
    frame = cv2.resize(SCENE, (2048, 1088))
    grey = working_image(frame, "mono8", 640)
    assert grey.shape == (340, 640)
    assert grey.dtype == np.uint8


def test_two_steps_average_areas_as_one_step_does():
    frame = RANDOM.integers(0, 256, (1088, 2048), dtype=np.uint8)
    ideal = cv2.resize(frame.astype(np.float64), (640, 340), interpolation=cv2.INTER_AREA)
    found = working_image(frame, "mono8", 640)
    assert found.mean() == pytest.approx(ideal.mean(), abs=0.3)
    assert found.std() == pytest.approx(ideal.std(), rel=0.15)
    smooth = cv2.resize(SCENE, (2048, 1088))
    ideal = cv2.resize(smooth.astype(np.float64), (640, 340), interpolation=cv2.INTER_AREA)
    assert np.abs(working_image(smooth, "mono8", 640) - ideal).max() <= 3


def test_exact_halving_is_the_mean_of_four_pixels():
    frame = RANDOM.integers(0, 256, (200, 1280), dtype=np.uint8)
    means = frame.reshape(100, 2, 640, 2).mean(axis=(1, 3))
    assert np.abs(working_image(frame, "mono8", 640) - means).max() <= 0.5


def test_small_image_is_not_copied():
    frame = SCENE[:100, :200].copy()
    assert np.shares_memory(working_image(frame, "mono8", 640), frame)


@pytest.mark.parametrize(("encoding", "factor"), [("mono12", 4095 / 255), ("mono16", 257)])
def test_deep_pixels_keep_their_brightness(encoding, factor):
    deep = np.rint(SCENE * float(factor)).astype(np.uint16)
    difference = working_image(deep, encoding, 640).astype(int) - working_image(SCENE, "mono8", 640)
    assert np.abs(difference).max() <= 1


def test_rows_with_padding_are_read():
    padded = np.zeros((SCENE.shape[0], SCENE.shape[1] + 24), np.uint8)
    padded[:, : SCENE.shape[1]] = SCENE
    view = padded[:, : SCENE.shape[1]]
    np.testing.assert_array_equal(working_image(view, "mono8", 640), working_image(SCENE, "mono8", 640))


def test_colours_have_the_weights_of_luminance():
    green = np.zeros((64, 64, 3), np.uint8)
    green[..., 1] = 255
    assert np.unique(working_image(green, "rgb8", 640)) == [150]  # 0.587 of 255
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 255
    assert np.unique(working_image(red, "rgb8", 640)) == [76]
    assert np.unique(working_image(red, "bgr8", 640)) == [29]


@pytest.mark.parametrize(
    ("image", "encoding", "words"),
    [
        (SCENE, "nv21", "not one of mono8"),
        (SCENE.astype(np.uint16), "mono8", "holds uint8, but this one uint16"),
        (SCENE, "mono16", "holds uint16, but this one uint8"),
        (SCENE.astype(np.float32), "mono8", "float32"),
        (SCENE, "rgb8", "H x W x 3"),
        (np.dstack([SCENE] * 3), "mono8", "is H x W, but"),
        (np.dstack([SCENE] * 4), "bgr8", "H x W x 3"),
        (np.zeros((0, 0), np.uint8), "mono8", "0 x 0 pixels"),
        (np.zeros((64, 31), np.uint8), "mono8", "31 x 64 pixels"),
        (np.zeros(5000, np.uint8), "mono8", "shape \\(5000,\\)"),
        (np.full((64, 64), 4096, np.uint16), "mono12", "4096, more than 4095"),
        (np.zeros((40, 4000), np.uint8), "mono8", "too flat"),
        (b"bytes", "mono8", "bytes"),
    ],
)
def test_invalid_images_are_refused_in_a_sentence(image, encoding, words):
    with pytest.raises(ImageError, match=words):
        working_image(image, encoding, 640)


@settings(max_examples=60)
@given(st.integers(32, 700), st.integers(32, 1500), st.integers(0, 255))
def test_even_images_keep_level_and_shape(rows, columns, level):
    try:
        grey = working_image(np.full((rows, columns), level, np.uint8), "mono8", 320)
    except ImageError:
        assert round(rows * 320 / columns) <= 32
        return
    assert grey.shape[1] == min(columns, 320)
    assert grey.shape[0] == pytest.approx(rows * grey.shape[1] / columns, abs=1)
    assert (grey == level).all()


@pytest.mark.parametrize(
    ("encoding", "red", "blue"),
    [("rgb8", 0, 2), ("bgr8", 2, 0), ("rgba8", 0, 2), ("bgra8", 2, 0), ("rgb16", 0, 2), ("bgra16", 2, 0)],
)
def test_red_and_blue_are_shrunk_as_grey_is(encoding, red, blue):
    kind = ENCODINGS[encoding]
    shape = (544, 1024, 4 if "a" in encoding else 3)
    frame = RANDOM.integers(0, kind.white + 1, shape).astype(kind.dtype)
    grey = "mono16" if kind.white > 255 else "mono8"
    for channel, found in zip((red, blue), red_and_blue(frame, encoding, 640), strict=True):
        alone = np.ascontiguousarray(frame[..., channel])
        np.testing.assert_array_equal(found, working_image(alone, grey, 640))


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
@pytest.mark.parametrize("bits", [8, 16])
def test_red_and_blue_of_a_mosaic_are_the_pixels_of_its_pattern(pattern, bits):
    white = 2**bits - 1
    levels = {"r": white, "g": white // 2, "b": white // 4}
    frame = np.zeros((100, 200), np.uint8 if bits == 8 else np.uint16)
    for place, colour in enumerate(pattern):
        frame[place // 2 :: 2, place % 2 :: 2] = levels[colour]
    red, blue = red_and_blue(frame, f"bayer_{pattern}{bits}", 640)
    assert red.shape == blue.shape == (50, 100)
    assert (red == 255).all()
    assert np.abs(blue.astype(int) - 64).max() <= 1


@pytest.mark.parametrize("encoding", ["mono8", "mono16", "32FC1", "uyvy", "yuyv"])
def test_what_has_no_colours_of_their_own_gives_none(encoding):
    kind = ENCODINGS[encoding]
    shape = (64, 64) if kind.channels == 1 else (64, 64, kind.channels)
    assert red_and_blue(np.zeros(shape, kind.dtype), encoding, 640) is None


def test_a_mosaic_may_be_too_small_for_its_colours():
    assert red_and_blue(np.zeros((40, 64), np.uint8), "bayer_rggb8", 640) is None


def test_colours_of_another_image_are_refused():
    with pytest.raises(ImageError, match="rgb8"):
        red_and_blue(np.zeros((64, 64), np.uint8), "rgb8", 640)
