"""Optotune's ICC-1C and ICC-4C, and their package optoICC, in memory.

Written from Optotune, optoICC 2.0, its API documentation: names, registers, defaults, ranges, error bits, and
what its examples do. What that leaves open is as unkind as it allows: getters of an ICC-4C return lists, an
error is a text in place of a value, the actual focal power stands still in current mode, and the port is open
to everybody. Nothing here is the package's own code.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import serial

OFF_DIOPTRES = -0.3
"""What the lens does without a current."""
OUT_OF_RANGE = "OUT_OF_RANGE"
REGISTER_DIOPTRES = 50.0


class DeviceModel(IntEnum):
    DISCONNECTED = 0
    XPR20 = 1
    EL1640TC_5D = 5
    EL1640TC_20D = 28
    UNKNOWN = 255


@dataclass
class ChannelState:
    """A channel with the lens that is plugged into it."""

    lens: DeviceModel | None = DeviceModel.DISCONNECTED
    limits: tuple[float, float] = (0.0, 0.0)
    told: float = 0.0
    actual: float = 0.0
    current: float = 0.0
    is_static_input: bool = True
    is_focal_power_mode: bool = False
    temperature_c: float = 24.5

    def restart(self, is_static_input: bool) -> None:
        """Power comes: every register has its default, or the lens is given to another input."""
        self.told = self.actual = self.current = 0.0
        self.is_static_input, self.is_focal_power_mode = is_static_input, False


@dataclass
class Icc:
    """One controller at one port, which is a file here."""

    port: Path
    controller: str = "icc-4c"
    channel: int = 0
    """Where its lens is."""
    limits: tuple[float, float] = (-2.0, 3.0)
    errors: int = 0
    sent: list[float] = field(default_factory=list)
    """Every focal power that was told [D]."""
    calls: list[str] = field(default_factory=list)
    """Names of the calls, as they came."""
    raising: deque[Exception | None] = field(default_factory=deque)
    """Raised by the next calls, one each; ``None``: a call that works."""
    answers: dict[str, Any] = field(default_factory=dict)
    """What getters return, by name, in place of what they should."""
    looks_until_arrival: int = 0
    """How often the actual focal power is still the old one after a command."""
    is_silent: bool = False
    is_deaf: bool = False
    """Takes commands and does nothing."""
    rounding: float = 0.0
    """Step to which it rounds what it is told [D]; 0: single precision."""
    boards: int = 0
    """How many connections are open."""
    flushed: int = 0

    def __post_init__(self) -> None:
        count = {"icc-1c": 1, "icc-4c": 4}[self.controller]
        self.channels = [ChannelState() for _ in range(count)]
        self.plug_lens(DeviceModel.EL1640TC_5D)
        self._late = 0
        self.plug()

    @property
    def lens(self) -> ChannelState:
        return self.channels[self.channel]

    @property
    def dioptres(self) -> float:
        """Where the lens really is [D]."""
        state = self.lens
        if not (state.is_focal_power_mode and state.is_static_input):
            return OFF_DIOPTRES
        return float(np.clip(state.told, *state.limits))

    def plug_lens(self, model: DeviceModel | None) -> None:
        self.lens.lens = model
        is_lens = model is not None and model.name.startswith("EL")
        self.lens.limits = self.limits if is_lens else (0.0, 0.0)

    def plug(self) -> None:
        """The cable comes back, and with it the power."""
        self.port.touch()
        self.restart()

    def unplug(self) -> None:
        self.port.unlink(missing_ok=True)

    def restart(self, is_static_input: bool = True) -> None:
        for state in self.channels:
            state.restart(is_static_input)

    def call(self, name: str, work: Callable[[], Any]) -> Any:
        """One call of the package."""
        self.calls.append(name)
        if not self.port.exists():
            raise serial.SerialException(5, f"could not write to {self.port}")
        if self.is_silent:
            return None
        if self.raising and (error := self.raising.popleft()) is not None:
            raise error
        value = work()
        if name in self.answers:
            value = self.answers[name]
        elif self.controller == "icc-4c" and type(value) in (float, int):
            value = [value]
        return value

    def tell(self, channel: int, dioptres: float) -> str | None:
        self.sent.append(dioptres)
        if not abs(dioptres) <= REGISTER_DIOPTRES:
            return OUT_OF_RANGE
        if not self.is_deaf:
            state = self.channels[channel]
            step = self.rounding
            state.told = round(dioptres / step) * step if step else float(np.float32(dioptres))
            state.is_focal_power_mode |= state.is_static_input
            self._late = self.looks_until_arrival
        return None

    def tell_current(self, channel: int, amperes: float) -> None:
        self.channels[channel].current = amperes
        self.channels[channel].is_focal_power_mode = False

    def follow_static(self, channel: int) -> None:
        if not self.is_deaf:
            self.channels[channel].is_static_input = True

    def look(self, channel: int) -> float:
        state = self.channels[channel]
        if self._late > 0:
            self._late -= 1
        elif state.is_focal_power_mode and state.is_static_input and state.lens:
            state.actual = float(np.clip(state.told, *state.limits))
        return state.actual


class _System(SimpleNamespace):
    """Calls by name, of which each is one of the controller's."""

    def __init__(self, icc: Icc, **calls: Callable[..., Any]) -> None:
        def made(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
            return lambda *arguments: icc.call(name, lambda: work(*arguments))

        super().__init__(**{name: made(name, work) for name, work in calls.items()})


def _channel(icc: Icc, at: int) -> SimpleNamespace:
    state = icc.channels[at]
    systems = SimpleNamespace(
        StaticInput=_System(
            icc,
            SetAsInput=lambda: icc.follow_static(at),
            SetFocalPower=lambda value: icc.tell(at, value),
            GetFocalPower=lambda: state.told,
            SetCurrent=lambda value: icc.tell_current(at, value),
            GetCurrent=lambda: state.current,
        ),
        LensCompensation=_System(
            icc,
            GetDiopter=lambda: icc.look(at),
            GetMinDiopter=lambda: state.limits[0],
            GetMaxDiopter=lambda: state.limits[1],
        ),
        DeviceEEPROM=_System(icc, GetSerialNumber=lambda: b"ASAA0001"),
    )
    if icc.controller == "icc-4c":
        systems.TemperatureManager = _System(icc, GetDeviceTemperature=lambda: state.temperature_c)
    return systems


DEVICES: dict[str, Icc] = {}
"""The controllers that are there, by the path of their port."""


class _Board:
    CONTROLLER = ""

    def __init__(self, port: str | None = None, baudrate: int = 256000, verbose: bool = False) -> None:
        icc = DEVICES.get(str(port))
        if icc is None or icc.controller != self.CONTROLLER or icc.is_silent:
            raise serial.SerialException(f"could not open port {port!r}")
        self._icc = icc
        icc.boards += 1
        self.channel = [_channel(icc, at) for at in range(len(icc.channels))]
        self.MiscFeatures = _System(icc, GetDeviceType=lambda channel: icc.channels[channel].lens)
        self.Status = _System(
            icc,
            GetErrorFlagRegister=lambda: icc.errors,
            GetFirmwareVersionMajor=lambda: 2,
            GetFirmwareVersionMinor=lambda: 0,
            GetFirmwareVersionRevision=lambda: 5256,
        )
        if icc.controller == "icc-1c":
            self.TemperatureManager = _System(icc, GetDeviceTemperature=lambda: icc.lens.temperature_c)
        self.Connection = SimpleNamespace(flush=lambda: setattr(icc, "flushed", icc.flushed + 1))

    def disconnect(self) -> None:
        self._icc.boards -= 1
        if not self._icc.port.exists():
            raise serial.SerialException("write failed")


class ICC1cBoard(_Board):
    CONTROLLER = "icc-1c"


class ICC4cBoard(_Board):
    CONTROLLER = "icc-4c"


def install(patch: pytest.MonkeyPatch, *devices: Icc) -> None:
    """Put the package where it is imported, and controllers at their ports."""
    modules = {
        "optoKummenberg": {},
        "optoICC": {"DeviceModel": DeviceModel},
        "optoICC.icc1c": {"ICC1cBoard": ICC1cBoard},
        "optoICC.icc4c": {"ICC4cBoard": ICC4cBoard},
    }
    for name, members in modules.items():
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None, is_package=name == "optoICC")
        module.__path__ = []
        for member, value in members.items():
            setattr(module, member, value)
        patch.setitem(sys.modules, name, module)
    for icc in devices:
        patch.setitem(DEVICES, str(icc.port), icc)
