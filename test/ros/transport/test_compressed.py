"""Compressed pictures, as image_transport's plugin and other senders make them."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from dasha_ros.perception.image_message import ImageMessageError
from dasha_ros.ros.transport.compressed import decoded

RNG = np.random.default_rng(0)


def message(pixels: np.ndarray, ending: str, format: str) -> SimpleNamespace:
    return SimpleNamespace(data=cv2.imencode(ending, pixels)[1].tobytes(), format=format)


@pytest.mark.parametrize(
    ("shape", "kind", "format", "encoding"),
    [
        ((40, 64), np.uint8, "mono8; png compressed ", "mono8"),
        ((40, 64), np.uint16, "mono16; png compressed ", "mono16"),
        ((40, 64, 3), np.uint8, "rgb8; png compressed bgr8", "bgr8"),
        ((40, 64, 3), np.uint16, "bgr16; png compressed bgr16", "bgr16"),
        ((40, 64, 3), np.uint8, "png", "bgr8"),
    ],
)
def test_png_is_what_was_sent(shape: tuple[int, ...], kind: type, format: str, encoding: str) -> None:
    sent = RNG.integers(0, np.iinfo(kind).max, shape).astype(kind)
    pixels, told = decoded(message(sent, ".png", format))
    assert told == encoding
    assert np.array_equal(pixels, sent)


@pytest.mark.parametrize(
    ("format", "encoding", "shape"),
    [
        ("mono8; jpeg compressed ", "mono8", (40, 64)),
        ("rgb8; jpeg compressed bgr8", "bgr8", (40, 64, 3)),
        ("jpeg", "bgr8", (40, 64, 3)),
    ],
)
def test_jpeg_is_nearly_what_was_sent(format: str, encoding: str, shape: tuple[int, ...]) -> None:
    sent = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (40, 1))
    colour = np.dstack([sent, sent[:, ::-1], sent]) if len(shape) == 3 else sent
    pixels, told = decoded(message(colour, ".jpg", format))
    assert (told, pixels.shape) == (encoding, shape)
    assert np.abs(pixels.astype(int) - colour).mean() < 3.0


@pytest.mark.parametrize(
    ("data", "format", "sentence"),
    [
        (b"", "jpeg", "neither JPEG nor PNG"),
        (b"\x00\x01theora", "theora", "compressed as 'theora', which is neither JPEG nor PNG"),
        (b"\xff\xd8\xff", "jpeg", "damaged, cut short"),
        (b"\x89PNG\r\n\x1a\n", "png", "damaged, cut short"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\xff" * 20, "png", "too large"),
    ],
)
def test_what_is_no_picture_is_told(data: bytes, format: str, sentence: str) -> None:
    with pytest.raises(ImageMessageError, match=sentence):
        decoded(SimpleNamespace(data=data, format=format))


@pytest.mark.parametrize("ending", [".jpg", ".png"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_picture_that_breaks_off_is_never_filled_up(ending: str, share: float) -> None:
    sent = RNG.integers(0, 256, (64, 96)).astype(np.uint8)
    whole = message(sent, ending, "mono8")
    whole.data = whole.data[: round(share * len(whole.data))]
    with pytest.raises(ImageMessageError):
        decoded(whole)
