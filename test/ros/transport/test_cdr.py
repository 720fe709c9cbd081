"""Messages are deserialized as rclpy does it, whatever they contain."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rclpy", reason="ROS is not installed: scripts/setup installs it")
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CompressedImage, Image, JointState, NavSatFix, PointCloud2
from std_msgs.msg import Bool, Byte, Empty, String, UInt8MultiArray

from dasha_ros import msg
from dasha_ros.ros.transport.cdr import reader

KINDS = (
    msg.Percept,
    msg.LensState,
    msg.TwinLens,
    msg.TwinWorld,
    msg.CaptureInfo,
    msg.CameraLimits,
    msg.ExposureCommand,
    msg.LensCommand,
    msg.FocusState,
    msg.PerceptionInfo,
    msg.Reward,
    Image,
    CompressedImage,
    # From other packages, with other alignments.
    JointState,
    NavSatFix,
    PointCloud2,
    UInt8MultiArray,
    Bool,
    Byte,
    DiagnosticArray,
)
NUMBERS = {
    "boolean": st.booleans(),
    "octet": st.binary(min_size=1, max_size=1),
    "float": st.floats(allow_nan=False, width=32),
    "double": st.floats(allow_nan=False),
    "string": st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9),
    **{f"uint{n}": st.integers(0, 2**n - 1) for n in (8, 16, 32, 64)},
    **{f"int{n}": st.integers(-(2 ** (n - 1)), 2 ** (n - 1) - 1) for n in (8, 16, 32, 64)},
}


def fill(draw: Any, message: Any) -> Any:
    """Random values in every field of a message and of its parts."""
    for name, text in message.get_fields_and_field_types().items():
        setattr(message, name, value_of(draw, text, getattr(message, name)))
    return message


def value_of(draw: Any, text: str, before: Any) -> Any:
    if text in NUMBERS:
        return draw(NUMBERS[text])
    if text.startswith("sequence<"):
        element = text[len("sequence<") : -1]
        return [value_of(draw, element, None) for _ in range(draw(st.integers(0, 3)))]
    if text.endswith("]"):
        element, count = text[:-1].split("[")
        return np.array([draw(NUMBERS[element]) for _ in range(int(count))], before.dtype)
    if before is None:
        package, name = text.split("/")
        before = getattr(__import__(f"{package}.msg", fromlist=[name]), name)()
    return fill(draw, before)


def same(read: Any, message: Any) -> bool:
    if isinstance(read, SimpleNamespace):
        names = message.get_fields_and_field_types()
        return set(vars(read)) == set(names) and all(
            same(getattr(read, n), getattr(message, n)) for n in names
        )
    if isinstance(read, list):
        return len(read) == len(message) and all(map(same, read, message))
    if isinstance(read, memoryview):
        return bytes(read) == bytes(message)
    if isinstance(read, np.ndarray):
        return bool(read.dtype == message.dtype and np.array_equal(read, message))
    return bool(read == message and type(read) is type(message))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_field_is_what_rclpy_reads(kind: type, data: Any) -> None:
    wire = serialize_message(fill(data.draw, kind()))
    assert same(reader(kind)(wire), deserialize_message(wire, kind))


def test_an_image_is_read_without_a_copy_of_its_pixels() -> None:
    image = Image(height=2, width=3, step=3, encoding="mono8", data=[1, 2, 3, 4, 5, 6])
    wire = serialize_message(image)
    data = reader(Image)(wire).data
    assert np.shares_memory(np.frombuffer(data, np.uint8), np.frombuffer(wire, np.uint8))


def test_another_byte_order_is_left_to_rclpy(monkeypatch: pytest.MonkeyPatch) -> None:
    import dasha_ros.ros.transport.cdr as cdr

    asked = []
    monkeypatch.setattr(cdr, "deserialize_message", lambda data, kind: asked.append((data, kind)))
    wire = b"\x00\x00" + serialize_message(Bool(data=True))[2:]
    reader(Bool)(wire)
    assert asked == [(wire, Bool)]


@pytest.mark.parametrize("text", [b"caf\xe9", b"one\0two", b""])
def test_an_invalid_string_is_read_as_rclpy_reads_it(text: bytes) -> None:
    wire = serialize_message(String(data="x" * len(text))).replace(b"x" * len(text) + b"\0", text + b"\0")
    assert reader(String)(wire).data == deserialize_message(wire, String).data


def test_a_message_cut_short_is_refused() -> None:
    for message in (
        msg.LensState(commanded_position=40.0, last_refusal="because"),
        msg.Percept(latent=[1.0, 2.0], stage_names=["resize"], stage_ms=[3.0]),
    ):
        wire = serialize_message(message)
        for size in range(4, len(wire)):
            with pytest.raises(ValueError, match="cut short"):
                reader(type(message))(wire[:size])


def test_a_type_that_cannot_be_read_is_refused_at_once() -> None:
    from rcl_interfaces.msg import ParameterDescriptor

    with pytest.raises(TypeError, match=r"sequence<rcl_interfaces/FloatingPointRange, 1>. can't be read"):
        reader(ParameterDescriptor)
    with pytest.raises(TypeError, match="Empty has no fields"):
        reader(Empty)
