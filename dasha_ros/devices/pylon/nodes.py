"""A Basler camera's node map by meaning instead of by name.

Old GigE cameras have SFNC 1.x names (``ExposureTimeAbs``, ``GainRaw``), USB and newer ones
SFNC 2.x (``ExposureTime``, ``Gain``). Where both exist, as in pylon's emulator, the new name
has no effect, so the old one is used.
"""

from __future__ import annotations

import math
from typing import Any

from dasha_ros.devices.errors import DeviceError, OutOfRange

EXPOSURE = ("ExposureTimeAbs", "ExposureTime")
FRAME_RATE = ("AcquisitionFrameRateAbs", "AcquisitionFrameRate")
PACKET_SIZE = ("GevSCPSPacketSize",)
READOUT = ("ReadoutTimeAbs", "SensorReadoutTime")

CHUNKS = ("ExposureTime", "Gain")
"""Settings that each frame reports [us, dB]. Old models report raw gain steps under another name."""

UNITY_GAIN_RAW = {"acA2000": 32, "acA2040": 32}
"""GainRaw of 0 dB by the beginning of the model's name: dB = 20 log10(GainRaw / 32) (Basler, CMV sensors)."""

ENCODINGS = {
    "mono8": ("Mono8",),
    "mono16": ("Mono12",),
    "rgb8": ("RGB8", "RGB8Packed", "BayerRG8", "BayerGR8", "BayerGB8", "BayerBG8"),
    "bgr8": ("BGR8", "BGR8Packed", "BayerRG8", "BayerGR8", "BayerGB8", "BayerBG8"),
}
"""ROS encoding: the pixel formats that can give it, best first."""


def find(node_map: Any, *names: str) -> Any | None:
    """The first node of ``names`` that this camera has and lets one read now; ``None``: none."""
    for name in names:
        node = node_map.GetNode(name)
        if node is not None and node.IsReadable():
            return node
    return None


def need(node_map: Any, *names: str) -> Any:
    """The first node of ``names``.

    Raises:
        DeviceError: The camera has none of them.
    """
    node = find(node_map, *names)
    if node is None:
        raise DeviceError(f"this camera has no {' or '.join(names)}; is it a camera that pylon supports?")
    return node


def choose(node_map: Any, name: str, value: str) -> bool:
    """Set an enumeration if the camera has it and knows the value; whether it is now so."""
    node = find(node_map, name)
    if node is None or value not in node.GetSymbolics():
        return False
    if node.GetValue() != value:
        if not node.IsWritable():
            return False
        node.SetValue(value)
    return bool(node.GetValue() == value)


def set_number(node: Any, value: float) -> float:
    """Set a number that lies inside the node's limits, on its grid, and return what the camera made of it."""
    low, high = node.GetMin(), node.GetMax()
    value = min(max(value, low), high)
    if isinstance(low, int):
        step = node.GetInc()
        value = low + int((value - low) // step) * step
    node.SetValue(value)
    return float(node.GetValue())


def pixel_format(encoding: str, offered: tuple[str, ...]) -> str:
    """The pixel format that gives a ROS encoding.

    Raises:
        OutOfRange: No such encoding, or the camera cannot give it.
    """
    if encoding not in ENCODINGS:
        raise OutOfRange(f"image encoding {encoding!r} is not one of {', '.join(ENCODINGS)}")
    for name in ENCODINGS[encoding]:
        if name in offered:
            return name
    raise OutOfRange(f"this camera cannot give {encoding}; its pixel formats are {', '.join(offered)}")


class Gain:
    """A camera's gain in dB, whatever it counts in.

    Models that count in raw steps without a published formula count as 0 dB at their lowest step;
    where that is 0, which has no decibels, at step 1.
    """

    def __init__(self, node_map: Any, model: str) -> None:
        # Several taps or colours have a gain each; this selects the one for all.
        _ = choose(node_map, "GainSelector", "All") or choose(node_map, "GainSelector", "AnalogAll")
        self._raw = find(node_map, "GainRaw")
        self._node = self._raw or need(node_map, "Gain")
        known = [unity for prefix, unity in UNITY_GAIN_RAW.items() if model.startswith(prefix)]
        self._unity = known[0] if known else max(1, self._node.GetMin())

    @property
    def limits_db(self) -> tuple[float, float]:
        """Least and greatest gain [dB]."""
        return self._db(self._node.GetMin()), self._db(self._node.GetMax())

    def get_db(self) -> float:
        """The gain in force [dB]."""
        return self._db(self._node.GetValue())

    def set_db(self, gain_db: float) -> float:
        """Set the gain, clipped to the camera's limits, and return what the camera made of it [dB]."""
        if self._raw is None:
            return set_number(self._node, gain_db)
        wanted = round(self._unity * 10 ** (gain_db / 20))
        return self._db(set_number(self._node, wanted))

    def _db(self, value: float) -> float:
        return float(value) if self._raw is None else 20 * math.log10(max(1, value) / self._unity)


def set_region(
    node_map: Any, width: int, height: int, offset: tuple[int, int] | None
) -> tuple[int, int, int, int]:
    """Set the region of interest and return what the camera made of it: x, y, width, height [px].

    Args:
        node_map: Node map of a camera that is not grabbing.
        width: 0: all of the sensor.
        height: 0: all of the sensor.
        offset: Offset of the upper left corner; ``None``: centred.

    Raises:
        OutOfRange: Larger than the sensor, or beyond its edge.
    """
    axes = (("Width", "OffsetX", width, 0), ("Height", "OffsetY", height, 1))
    for size_name, offset_name, size, axis in axes:
        corner = find(node_map, offset_name)
        if corner is not None and corner.IsWritable():
            corner.SetValue(corner.GetMin())
        node = need(node_map, size_name)
        whole = node.GetMax()
        if size > whole:
            raise OutOfRange(f"{size_name.lower()} {size} px is more than this camera's {whole} px")
        if size and size < node.GetMin():
            raise OutOfRange(f"{size_name.lower()} {size} px is less than this camera's {node.GetMin()} px")
        set_number(node, size or whole)
        if corner is None or not corner.IsWritable():
            continue
        place = corner.GetMax() // 2 if offset is None else offset[axis]
        if not 0 <= place <= corner.GetMax():
            raise OutOfRange(f"{offset_name} {place} px with {size_name.lower()} {size} px leaves the sensor")
        set_number(corner, place)
    x, y = (int(node.GetValue()) if (node := find(node_map, name)) else 0 for name in ("OffsetX", "OffsetY"))
    return x, y, int(need(node_map, "Width").GetValue()), int(need(node_map, "Height").GetValue())


def enable_chunks(node_map: Any) -> tuple[str, ...]:
    """Let every frame carry its own settings, where the camera can; returns the enabled chunks.

    pylon's emulator has the switch, but no chunks.
    """
    selector, active = node_map.GetNode("ChunkSelector"), find(node_map, "ChunkModeActive")
    if active is None or selector is None or not active.IsWritable():
        return ()
    if not selector.IsReadable() and not active.GetValue():
        active.SetValue(True)
        if not selector.IsReadable():
            active.SetValue(False)
            return ()
    active.SetValue(True)
    enabled = []
    for name in CHUNKS:
        if name in selector.GetSymbolics():
            selector.SetValue(name)
            need(node_map, "ChunkEnable").SetValue(True)
            enabled.append(name)
    return tuple(enabled)
