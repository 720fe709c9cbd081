"""A camera node of another package, as camera_ros documents itself: parameters, late pictures, metadata.

`ScriptedDriver` is the camera; `MemoryDriverPort` reaches it without ROS on any clock, and
`nodes/programs/scripted_camera_node.py` publishes it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from webcam_in_memory import flat_picture

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.emulators.webcam.controls import Shown
from dasha_ros.freshness.clock import Clock
from dasha_ros.ros.driver.pairing import Pairing
from dasha_ros.ros.driver.port import DescribedParameter, DriverPicture, Told
from dasha_ros.ros.driver.table import Value

DEFAULTS: dict[str, Value] = {
    "AeEnable": True,
    "AfMode": 2,
    "ExposureTime": 30_000,
    "AnalogueGain": 2.0,
    "LensPosition": 1.0,
}
RANGES: dict[str, tuple[float, float]] = {
    "ExposureTime": (100, 200_000),
    "AnalogueGain": (1.0, 16.0),
    "LensPosition": (0.0, 10.0),
}
FOCUS_STEP = 0.025
"""[D]"""
AUTOMATIC_US = 12_345.0
"""What the driver exposes by itself."""


@dataclass
class Script:
    """How the driver behaves; may be changed while it runs."""

    lag: int = 2
    """Frames that begin after a command and do not show it."""
    focus_lag: int = 2
    has_metadata: bool = True
    rate_hz: float = 30.0
    refuse: set[str] = field(default_factory=set)
    ranges: dict[str, tuple[float, float]] = field(default_factory=lambda: dict(RANGES))
    kinds: dict[str, str] = field(default_factory=dict)
    """Types that differ from those of the defaults."""
    missing: set[str] = field(default_factory=set)
    clamps_us: float = float("inf")
    """Longest exposure that it really makes, whatever it accepts."""
    lose: Callable[[int], bool] = lambda frame: False
    lose_metadata: Callable[[int], bool] = lambda frame: False
    stamps_lie: bool = False
    """Its stamps are of another clock."""


class ScriptedDriver:
    """The node's camera and parameters, from its start on."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.values = {name: value for name, value in DEFAULTS.items() if name not in script.missing}
        self._shown = dict(DEFAULTS)
        self._due: deque[tuple[int, str, Value]] = deque()
        self.frames = 0

    def set(self, name: str, value: Value) -> str:
        """Set a parameter; returns why not, or an empty text."""
        script = self.script
        if name not in self.values or name in script.refuse:
            return f"parameter '{name}' cannot be set"
        if type(value) is not type(self.values[name]):
            return f"Wrong parameter type, parameter {{{name}}} is of type {type(self.values[name]).__name__}"
        if name in RANGES:
            low, high = RANGES[name]
            if not low <= value <= high:
                return f"Parameter {{{name}}} doesn't comply with the range"
        self.values[name] = value
        lag = script.focus_lag if name in ("LensPosition", "AfMode") else script.lag
        self._due.append((self.frames + lag, name, value))
        return ""

    def begin_frame(self) -> Shown:
        """A frame begins; returns what makes it."""
        for due in [due for due in self._due if due[0] <= self.frames]:
            self._due.remove(due)
            self._shown[due[1]] = due[2]
        self.frames += 1
        shown = self._shown
        exposure_us = AUTOMATIC_US if shown["AeEnable"] else float(shown["ExposureTime"])
        return Shown(
            min(exposure_us, self.script.clamps_us),
            float(shown["AnalogueGain"]),
            float(shown["LensPosition"]),
        )


class ScriptedHost:
    """Starts and stops the driver, and gives ports to it."""

    def __init__(
        self,
        clock: Clock,
        script: Script | None = None,
        *,
        size: tuple[int, int] = (48, 64),
        paint: Callable[[Shown, tuple[int, int]], NDArray[np.uint8]] = flat_picture,
    ) -> None:
        self.clock, self.script, self.size, self.paint = clock, script or Script(), size, paint
        self.driver: ScriptedDriver | None = ScriptedDriver(self.script)
        self.made: list[Shown] = []
        self.asked: list[tuple[str, Value]] = []
        """Every parameter that somebody tried to set through a port."""

    def stop(self) -> None:
        self.driver = None

    def start(self) -> None:
        self.driver = ScriptedDriver(self.script)

    def port(self) -> MemoryDriverPort:
        return MemoryDriverPort(self)


class MemoryDriverPort:
    """A `DriverPort` without ROS."""

    def __init__(self, host: ScriptedHost) -> None:
        self._host, self._driver = host, host.driver
        self._pairing = Pairing(has_metadata=True)
        self._next_ns: int | None = None
        self._shown: Shown | None = None
        self._count = 0

    def _check(self) -> ScriptedDriver:
        if self._host.driver is None or self._host.driver is not self._driver:
            raise DeviceLost("the scripted driver is gone, or was restarted")
        return self._host.driver

    def parameters(self, names: Sequence[str]) -> dict[str, DescribedParameter]:
        values, script = self._check().values, self._host.script
        kinds = {bool: "bool", int: "integer", float: "double", str: "string"}
        return {
            name: DescribedParameter(
                name,
                script.kinds.get(name, kinds[type(values[name])]),
                *script.ranges.get(name, (None, None)),
                FOCUS_STEP if name == "LensPosition" else 0.0,
            )
            for name in names
            if name in values
        }

    def get(self, names: Sequence[str]) -> dict[str, Value]:
        values = self._check().values
        return {name: values[name] for name in names if name in values}

    def set(self, values: Mapping[str, Value]) -> None:
        self._catch_up()
        for name, value in values.items():
            self._host.asked.append((name, value))
            if reason := self._check().set(name, value):
                raise DeviceError(f"the scripted driver refused {name} = {value!r}: {reason}")

    def start(self) -> None:
        self._check()
        self._next_ns = self._host.clock.now_ns()

    def drain(self) -> int:
        self._check()
        self._catch_up()
        return self._pairing.clear()

    def next(self, timeout_s: float, interrupted: Callable[[], bool]) -> DriverPicture | None:
        clock = self._host.clock
        end_ns = clock.now_ns() + round(timeout_s * 1e9)
        while not interrupted():
            self._check()
            self._catch_up()
            if (picture := self._pairing.take()) is not None:
                return picture
            if clock.now_ns() >= end_ns:
                return None
            clock.wait_until(min(end_ns, self._complete_ns()))
        return None

    def close(self) -> None:
        self._next_ns = None

    def _complete_ns(self) -> int:
        """When the frame in progress is complete."""
        assert self._next_ns is not None
        if self._shown is None:
            self._shown = self._check().begin_frame()
            self._host.made.append(self._shown)
        return self._next_ns + max(
            round(1e9 / self._host.script.rate_hz), round(self._shown.exposure_us * 1e3)
        )

    def _catch_up(self) -> None:
        host, script = self._host, self._host.script
        while self._next_ns is not None and (complete_ns := self._complete_ns()) <= host.clock.now_ns():
            begun_ns, self._next_ns = self._next_ns, complete_ns
            shown, self._shown = self._shown, None
            assert shown is not None
            self._count += 1
            if not script.lose(self._count):
                stamp_ns = complete_ns if script.stamps_lie else begun_ns
                pixels = host.paint(shown, host.size)
                picture = DriverPicture(pixels, "mono8", stamp_ns, not script.stamps_lie)
                self._pairing.picture(begun_ns, lambda made=picture: made)
            if script.has_metadata and not script.lose_metadata(self._count):
                gain_db = 20.0 * float(np.log10(shown.gain))
                self._pairing.told(begun_ns, Told(shown.exposure_us, gain_db))
