"""Images to numpy and back."""

from __future__ import annotations

import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sensor_msgs = pytest.importorskip("sensor_msgs.msg", reason="ROS is not installed: scripts/setup installs it")
from dasha_ros.perception.image import ENCODINGS as READ_BY_PERCEPTION  # noqa: E402
from dasha_ros.perception.image import working_image  # noqa: E402
from dasha_ros.ros.transport.image import ImageMessageError, ImageWriter, pixels_of  # noqa: E402

ENCODINGS = {"mono8": (np.uint8, ()), "mono16": (np.uint16, ()), "rgb8": (np.uint8, (3,))}


@given(st.sampled_from(sorted(ENCODINGS)), st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_round_trip(encoding: str, height: int, width: int, seed: int) -> None:
    dtype, tail = ENCODINGS[encoding]
    pixels = np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, (height, width, *tail), dtype)
    message = ImageWriter("frame").write(pixels, encoding)
    assert message.step == width * pixels.itemsize * (3 if tail else 1)
    np.testing.assert_array_equal(pixels_of(message), pixels)


def test_a_padded_row_is_honoured_without_a_copy() -> None:
    message = sensor_msgs.Image(height=3, width=4, step=7, encoding="mono8")
    message.data = array.array("B", range(21))
    view = pixels_of(message)
    np.testing.assert_array_equal(view, [[0, 1, 2, 3], [7, 8, 9, 10], [14, 15, 16, 17]])
    message.data[7] = 99
    assert view[1, 0] == 99


@pytest.mark.parametrize("encoding", READ_BY_PERCEPTION)
@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_perception_accepts_every_picture_that_a_message_can_hold(encoding: str, byte_order: str) -> None:
    kind = READ_BY_PERCEPTION[encoding]
    white = np.full((40, 50, kind.channels)[: 2 + (kind.channels > 1)], kind.white, kind.dtype)
    message = ImageWriter("frame").write(white, encoding)
    message.data = array.array("B", white.astype(white.dtype.newbyteorder(byte_order)).tobytes())
    message.is_bigendian = byte_order == ">"
    assert np.unique(working_image(pixels_of(message), encoding, 640)) == [255]


def test_the_writer_reuses_its_message() -> None:
    writer = ImageWriter("frame")
    first = writer.write(np.zeros((4, 5), np.uint8), "mono8")
    memory = first.data.buffer_info()[0]
    second = writer.write(np.ones((4, 5), np.uint8), "mono8")
    assert second is first
    assert second.data.buffer_info()[0] == memory


def image(**changes: object) -> object:
    fields = {"height": 2, "width": 3, "step": 3, "encoding": "mono8", "data": array.array("B", bytes(6))}
    return sensor_msgs.Image(**{**fields, **changes})


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (image(data=array.array("B", bytes(5))), "truncated"),
        (image(data=array.array("B")), "truncated"),
        (image(height=0), "empty"),
        (image(width=0), "empty"),
        (image(step=2), "step 2"),
        (image(encoding="nv21"), "nv21"),
        (image(encoding="mono16", step=5), "step 5"),
        (image(width=2**31, step=2**31), "truncated"),
    ],
)
def test_an_invalid_picture_is_refused_with_the_reason(message: object, words: str) -> None:
    with pytest.raises(ImageMessageError, match=words):
        pixels_of(message)
