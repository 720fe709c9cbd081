"""Formats and pixels of a webcam's pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from dasha_ros.devices.errors import DeviceLost, FrameIncomplete, OutOfRange
from dasha_ros.devices.v4l2.camera import WebcamCamera, WebcamSettings
from dasha_ros.devices.v4l2.formats import best_format
from dasha_ros.devices.v4l2.pixels import decode
from dasha_ros.devices.v4l2.port import PictureFormat

WIDTH, HEIGHT = 32, 24
GREY, YUYV, MJPG = (PictureFormat(pixels, WIDTH, HEIGHT, 30.0) for pixels in ("GREY", "YUYV", "MJPG"))


def smooth(channels: int) -> np.ndarray:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([30 + 4 * x + 2 * y, 200 - 3 * x - y, 60 + x + 5 * y], -1)[..., :channels].astype(
        np.uint8
    )


def yuyv_of(rgb: np.ndarray) -> np.ndarray:
    """BT.601 with a limited range, as webcams send it; two pixels share their colour."""
    r, g, b = (rgb[..., i].astype(float) for i in range(3))
    y = 16 + 0.257 * r + 0.504 * g + 0.098 * b
    u = 128 - 0.148 * r - 0.291 * g + 0.439 * b
    v = 128 + 0.439 * r - 0.368 * g - 0.071 * b
    packed = np.empty((HEIGHT, WIDTH, 2))
    packed[..., 0] = y
    packed[:, ::2, 1] = (u[:, ::2] + u[:, 1::2]) / 2
    packed[:, 1::2, 1] = (v[:, ::2] + v[:, 1::2]) / 2
    return np.rint(packed).astype(np.uint8)


def padded(rows: np.ndarray, stride: int) -> bytes:
    flat = rows.reshape(HEIGHT, -1)
    return np.pad(flat, ((0, 0), (0, stride - flat.shape[1]))).tobytes()


def test_grey_is_the_picture_itself() -> None:
    picture = smooth(1)[..., 0]
    assert np.array_equal(decode(picture.tobytes(), GREY, "mono8"), picture)
    assert np.array_equal(decode(picture.tobytes(), GREY, "rgb8"), np.dstack([picture] * 3))


def test_rows_may_be_padded() -> None:
    picture = smooth(1)[..., 0]
    wide = PictureFormat("GREY", WIDTH, HEIGHT, 30.0, stride=40)
    assert np.array_equal(decode(padded(picture, 40), wide, "mono8"), picture)
    packed = yuyv_of(smooth(3))
    wide = PictureFormat("YUYV", WIDTH, HEIGHT, 30.0, stride=80)
    assert np.array_equal(decode(padded(packed, 80), wide, "mono8"), packed[..., 0])


def test_yuyv_is_grey_and_colour() -> None:
    rgb = smooth(3)
    data = yuyv_of(rgb).tobytes()
    assert np.array_equal(decode(data, YUYV, "mono8"), yuyv_of(rgb)[..., 0])
    assert np.abs(decode(data, YUYV, "rgb8").astype(int) - rgb).max() <= 6


def test_a_jpeg_is_grey_and_colour() -> None:
    rgb = smooth(3)
    data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 98])[1]
    assert np.abs(decode(data.tobytes() + b"\0" * 50, MJPG, "rgb8").astype(int) - rgb).mean() < 3
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    assert np.abs(decode(data.tobytes(), MJPG, "mono8").astype(int) - grey).mean() < 2


@pytest.mark.parametrize("format", [GREY, YUYV, MJPG])
@pytest.mark.parametrize("left", [0, 1, 300])
def test_a_picture_that_breaks_off_is_refused(format: PictureFormat, left: int) -> None:
    whole = {
        "GREY": smooth(1).tobytes(),
        "YUYV": yuyv_of(smooth(3)).tobytes(),
        "MJPG": cv2.imencode(".jpg", smooth(3))[1].tobytes(),
    }
    with pytest.raises(FrameIncomplete, match="If this is frequent"):
        decode(whole[format.pixels][:left], format, "mono8")


def test_a_jpeg_of_another_size_is_refused() -> None:
    data = cv2.imencode(".jpg", np.zeros((8, 8), np.uint8))[1].tobytes()
    with pytest.raises(FrameIncomplete):
        decode(data, MJPG, "mono8")


FORMATS = [
    PictureFormat("YUYV", 640, 480, 30.0),
    PictureFormat("MJPG", 640, 480, 30.0),
    PictureFormat("YUYV", 1920, 1080, 5.0),
    PictureFormat("MJPG", 1920, 1080, 30.0),
    PictureFormat("YUYV", 1280, 720, 10.0),
]


@pytest.mark.parametrize(
    ("width", "height", "pixels", "chosen"),
    [
        (640, 480, "", FORMATS[0]),  # at an equal rate the one that loses nothing
        (2048, 1088, "", FORMATS[3]),
        (2048, 1088, "YUYV", FORMATS[2]),
        (64, 48, "MJPG", FORMATS[1]),
        (1200, 700, "", FORMATS[4]),
    ],
)
def test_the_nearest_size_and_then_the_fastest_format_is_chosen(
    width: int, height: int, pixels: str, chosen: PictureFormat
) -> None:
    assert best_format(FORMATS, width, height, pixels, "webcam X") == chosen


def test_a_format_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(OutOfRange, match="webcam X has no GREY; it has MJPG, YUYV"):
        best_format(FORMATS, 640, 480, "GREY", "webcam X")
    with pytest.raises(DeviceLost, match="sends no GREY, YUYV, MJPG"):
        best_format([PictureFormat("H264", 640, 480, 30.0)], 640, 480, "", "webcam X")


def test_an_encoding_that_no_webcam_has_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="a webcam has mono8 and rgb8"):
        WebcamCamera(WebcamSettings(encoding="mono16"))
