"""Names and units of node maps, on cameras that are not here: each is a dictionary of nodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.devices.errors import DeviceError, OutOfRange
from dasha_ros.devices.pylon import nodes


@dataclass
class Node:
    value: Any
    low: Any = None
    high: Any = None
    inc: int = 1
    symbolics: tuple[str, ...] = ()
    readable: bool = True
    writable: bool = True
    written: list[Any] = field(default_factory=list)

    def IsReadable(self) -> bool:
        return self.readable

    def IsWritable(self) -> bool:
        return self.writable

    def GetValue(self) -> Any:
        return self.value

    def SetValue(self, value: Any) -> None:
        if self.low is not None and not self.low <= value <= self.high:
            raise AssertionError(f"{value} sent to a node of {self.low}..{self.high}")
        if isinstance(self.low, int):
            assert isinstance(value, int)
            assert (value - self.low) % self.inc == 0
        self.written.append(value)
        self.value = value

    def GetMin(self) -> Any:
        return self.low

    def GetMax(self) -> Any:
        return self.high

    def GetInc(self) -> int:
        return self.inc

    def GetSymbolics(self) -> tuple[str, ...]:
        return self.symbolics


class NodeMap(dict[str, Node]):
    def GetNode(self, name: str) -> Node | None:
        return self.get(name)


def ace_classic() -> NodeMap:
    """acA2000-50gm, as Basler documents it: SFNC 1.x."""
    return NodeMap(
        ExposureTimeAbs=Node(10_000.0, 24.0, 1_000_000.0),
        GainRaw=Node(36, 36, 512),
        GainSelector=Node("Tap1", symbolics=("All", "Tap1")),
        Width=Node(2040, 16, 2048, 16),
        Height=Node(1080, 1, 1088),
        OffsetX=Node(0, 0, 0, 16),
        OffsetY=Node(0, 0, 0),
    )


def ace_usb() -> NodeMap:
    """A USB camera: SFNC 2.x."""
    return NodeMap(ExposureTime=Node(10_000.0, 20.0, 1e7), Gain=Node(0.0, 0.0, 24.0))


def emulator() -> NodeMap:
    """pylon's emulator: both names, of which only the old one does anything."""
    return NodeMap(
        ExposureTimeAbs=Node(10_000.0, 100.0, 3e6),
        ExposureTime=Node(10_000.0, 1.0, 1e7),
        GainRaw=Node(192, 192, 1023),
        Gain=Node(0.0, 0.0, 48.0),
    )


@pytest.mark.parametrize(
    ("node_map", "name"),
    [(ace_classic(), "ExposureTimeAbs"), (ace_usb(), "ExposureTime"), (emulator(), "ExposureTimeAbs")],
)
def test_the_exposure_that_counts_is_found(node_map: NodeMap, name: str) -> None:
    assert nodes.need(node_map, *nodes.EXPOSURE) is node_map[name]


def test_a_node_that_cannot_be_read_is_passed_over() -> None:
    node_map = emulator()
    node_map["ExposureTimeAbs"].readable = False
    assert nodes.need(node_map, *nodes.EXPOSURE) is node_map["ExposureTime"]
    with pytest.raises(DeviceError, match="no Sharpness or Softness"):
        nodes.need(node_map, "Sharpness", "Softness")


def test_raw_gain_of_the_papers_camera_in_decibels() -> None:
    gain = nodes.Gain(ace_classic(), "acA2000-50gm")
    low, high = gain.limits_db
    assert low == pytest.approx(1.023, abs=1e-3)
    assert high == pytest.approx(24.082, abs=1e-3)
    assert gain.set_db(6.0206) == pytest.approx(6.0206, abs=1e-3)
    assert gain.set_db(0.0) == low
    assert gain.set_db(100.0) == high


def test_the_gain_of_all_taps_is_meant() -> None:
    node_map = ace_classic()
    nodes.Gain(node_map, "acA2000-50gm")
    assert node_map["GainSelector"].value == "All"


def test_gain_in_decibels_is_left_as_it_is() -> None:
    gain = nodes.Gain(ace_usb(), "acA1920-155um")
    assert gain.limits_db == (0.0, 24.0)
    assert gain.set_db(7.25) == gain.get_db() == 7.25


def test_raw_gain_without_a_formula_counts_from_its_lowest_step() -> None:
    assert nodes.Gain(emulator(), "Emulation").limits_db == pytest.approx((0.0, 14.5315), abs=1e-3)


def test_raw_gain_that_begins_at_nothing_has_decibels() -> None:
    gain = nodes.Gain(NodeMap(GainRaw=Node(0, 0, 63)), "acA2500-14gm")
    assert gain.limits_db == pytest.approx((0.0, 35.9868), abs=1e-3)
    assert gain.get_db() == gain.set_db(0.0) == 0.0


@given(st.floats(-50, 80))
def test_any_gain_lands_on_a_legal_step(gain_db: float) -> None:
    node_map = ace_classic()
    gain = nodes.Gain(node_map, "acA2000-50gm")
    low, high = gain.limits_db
    reached = gain.set_db(gain_db)
    if low <= gain_db <= high:
        assert reached == pytest.approx(gain_db, abs=0.13)  # half a step of 36/37


@given(st.integers(-100, 5000), st.integers(1, 40), st.integers(0, 50))
def test_whole_numbers_land_on_the_grid(value: int, inc: int, low: int) -> None:
    node = Node(low, low, low + 30 * inc, inc)
    reached = nodes.set_number(node, value)
    assert reached == node.value
    if low <= value <= low + 30 * inc:
        assert 0 <= value - reached < inc


def test_pixel_formats_by_their_ros_name() -> None:
    emulated = ("Mono8", "Mono12", "BGR8Packed", "RGB8Packed", "BayerRG8")
    assert nodes.pixel_format("mono8", emulated) == "Mono8"
    assert nodes.pixel_format("mono16", emulated) == "Mono12"
    assert nodes.pixel_format("rgb8", emulated) == "RGB8Packed"
    assert nodes.pixel_format("bgr8", ("Mono8", "BayerGB8")) == "BayerGB8"
    with pytest.raises(OutOfRange, match="cannot give rgb8; its pixel formats are Mono8, Mono12"):
        nodes.pixel_format("rgb8", ("Mono8", "Mono12"))
    with pytest.raises(OutOfRange, match="'jpeg' is not one of mono8"):
        nodes.pixel_format("jpeg", emulated)


class Size(Node):
    """Leaves its offset as much room as the sensor has."""

    offset: Node

    def SetValue(self, value: int) -> None:
        assert value + self.offset.value <= self.high, "the region leaves the sensor"
        super().SetValue(value)
        self.offset.high = self.high - value


def sensor() -> NodeMap:
    node_map = ace_classic()
    for size_name, offset_name in (("Width", "OffsetX"), ("Height", "OffsetY")):
        plain = node_map[size_name]
        size = Size(plain.value, plain.low, plain.high, plain.inc)
        size.offset = node_map[offset_name]
        node_map[size_name] = size
    return node_map


def test_the_whole_sensor_by_default() -> None:
    assert nodes.set_region(sensor(), 0, 0, None) == (0, 0, 2048, 1088)


def test_a_region_is_centred_and_lands_on_the_cameras_grid() -> None:
    assert nodes.set_region(sensor(), 650, 340, None) == (704, 374, 640, 340)


def test_a_region_can_be_placed() -> None:
    node_map = sensor()
    assert nodes.set_region(node_map, 640, 340, (32, 5)) == (32, 5, 640, 340)
    # And again, from a place that would not fit.
    assert nodes.set_region(node_map, 0, 0, None) == (0, 0, 2048, 1088)


@pytest.mark.parametrize(
    ("width", "height", "offset", "words"),
    [
        (4096, 340, None, "width 4096 px is more than this camera's 2048 px"),
        (640, 2000, None, "height 2000 px is more"),
        (8, 340, None, "width 8 px is less than this camera's 16 px"),
        (640, 340, (2000, 0), "OffsetX 2000 px with width 640 px leaves the sensor"),
        (640, 340, (0, -1), "OffsetY -1 px"),
    ],
)
def test_an_impossible_region_is_refused(
    width: int, height: int, offset: tuple[int, int] | None, words: str
) -> None:
    with pytest.raises(OutOfRange, match=words):
        nodes.set_region(sensor(), width, height, offset)


def chunky(*chunks: str) -> NodeMap:
    return NodeMap(
        ChunkModeActive=Node(False),
        ChunkSelector=Node("Image", symbolics=("Image", *chunks)),
        ChunkEnable=Node(False),
    )


def test_chunks_are_switched_on_where_a_camera_has_them() -> None:
    node_map = chunky("Timestamp", "ExposureTime", "Gain")
    assert nodes.enable_chunks(node_map) == ("ExposureTime", "Gain")
    assert node_map["ChunkModeActive"].value is True
    assert node_map["ChunkSelector"].written == ["ExposureTime", "Gain"]
    assert node_map["ChunkEnable"].written == [True, True]


def test_a_chunk_switch_without_chunks_is_left_alone() -> None:
    node_map = NodeMap(ChunkModeActive=Node(False))
    assert nodes.enable_chunks(node_map) == ()
    assert node_map["ChunkModeActive"].written == []
    hidden = chunky("ExposureTime")
    hidden["ChunkSelector"].readable = False
    assert nodes.enable_chunks(hidden) == ()
    assert hidden["ChunkModeActive"].value is False


def test_an_enumeration_is_set_only_to_what_it_knows() -> None:
    node_map = NodeMap(TriggerMode=Node("Off", symbolics=("Off", "On")))
    assert nodes.choose(node_map, "TriggerMode", "On")
    assert nodes.choose(node_map, "TriggerMode", "On")
    assert node_map["TriggerMode"].written == ["On"]
    assert not nodes.choose(node_map, "TriggerMode", "Perhaps")
    assert not nodes.choose(node_map, "NoSuch", "On")
    node_map["TriggerMode"].writable = False
    assert not nodes.choose(node_map, "TriggerMode", "Off")
