"""The focus motor of a camera node of another package as a lens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.lag.latency import ASSUMED_FRAMES, SLOWEST_S
from dasha_ros.devices.lens import LensReading, LimitedLens
from dasha_ros.freshness.clock import Clock, SteadyClock
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.ros.driver.device import DriverDevice, MakePort
from dasha_ros.ros.driver.parameters import NumberParameter
from dasha_ros.ros.driver.table import DriverDescription


class DriverLens(LimitedLens):
    """A `Lens` whose position is a parameter of another node.

    Automatic focus is off while the lens is open. No driver tells when its lens has arrived, so a move
    settles after the measured lag: from then on, no frame that begins shows the lens on its way.
    """

    def __init__(
        self,
        description: DriverDescription,
        make_port: MakePort,
        *,
        node: str = "",
        latency: str = "",
        clock: Clock | None = None,
        profile: LensProfile | None = None,
        notes: Path | None = None,
    ) -> None:
        """Not opened yet.

        Args:
            description: The driver.
            make_port: Makes a port to it.
            node: Its name in the graph, with its namespace; empty: the usual one.
            latency: File of the measured lag; empty: the one of this driver and node.
            clock: On which moves settle.
            profile: The measured map of this lens; ``None``: it has none.
            notes: Folder of the notes of what is to be given back after a kill; ``None``: none are kept.

        Raises:
            ValueError: The driver has no focus motor, or the profile is in another unit.
        """
        if description.focus is None:
            raise ValueError(
                f"driver {description.name} has no parameter of a focus motor: only its exposure can be set. "
                "Send goals to A^H alone, the action adjust_exposure, or use another lens"
            )
        self._unit = description.focus.unit
        if profile is not None and profile.unit != self._unit:
            raise ValueError(
                f"the profile {profile.name} is in {profile.unit}, and the lens of driver {description.name} "
                f"takes {self._unit}"
            )
        self._quantity, self._profile = description.focus, profile
        self._clock = clock or SteadyClock()
        self._device = DriverDevice(
            "lens",
            description,
            node,
            make_port,
            automatics=description.focus_automatics,
            latency_path=latency,
            notes=notes,
        )
        self._info: LensInfo | None = None
        self._focus: NumberParameter | None = None
        self._wanted: float | None = None
        """The last commanded position, which `open` restores."""
        self._left_at: float | None = None
        """Where this object left the lens last, by the driver's word."""
        self._rest_ns = 0

    @property
    def info(self) -> LensInfo:
        """The driver's unit, from and to where it says, and the profile's map if there is one."""
        if self._info is None:
            raise DeviceLost(f"{self._device.name} was not opened yet: the limits of its lens are not known")
        return self._info

    def open(self) -> LensReading:
        """Switch automatic focus off, and read where it left the lens.

        A driver that leaves its lens alone at first tells a position outside its limits. Nobody knows then
        where the lens is, so it goes to the nearest limit.

        Raises:
            DeviceLost: The driver is not there, or its focus can't be used.
        """
        device = self._device
        try:
            device.open()
            focus = device.number(self._quantity)
            self._info, self._focus = self._described(focus), focus
            position = device.read(focus)
            wanted = position if self._wanted is None else self._wanted
            inside = min(max(wanted, focus.low), focus.high)
            self._left_at = position if inside == position else device.set(focus, inside)
            self._rest_ns = self._clock.now_ns() + round(self._settle_s() * 1e9)
            return self.read()
        except DeviceError as error:
            self.close()
            if isinstance(error, DeviceLost):
                raise
            raise DeviceLost(f"{error}; its lens can't be used without") from error

    def close(self) -> None:
        """Give automatic focus back and leave the driver."""
        self._device.close()

    def _move(self, position: float) -> LensReading:
        focus = self._opened()
        self._wanted = self._left_at = self._device.set(focus, position)
        self._rest_ns = self._clock.now_ns() + round(self._settle_s() * 1e9)
        return self.read()

    def read(self) -> LensReading:
        """The position in force, the time until pictures show it, and whether somebody else moved it."""
        position = self._device.read(self._opened())
        left_s = max(0.0, (self._rest_ns - self._clock.now_ns()) / 1e9)
        faults: tuple[str, ...] = ()
        if self._left_at is not None and position != self._left_at:
            faults = (
                f"another program moved the lens from {self._left_at:g} to {position:g} {self._unit}; the "
                "next move mends it",
            )
        return LensReading(position, left_s, faults)

    def describe(self) -> dict[str, Any]:
        """Driver, node, position and the lag."""
        return self._device.describe() | {"unit": self._unit, "position_in_force": self._wanted}

    def _opened(self) -> NumberParameter:
        self._device.opened()
        assert self._focus is not None
        return self._focus

    def _settle_s(self) -> float:
        """How long no frame may begin that shows the lens where it is told to go [s].

        The measured lag counts the frames that arrive after a command, the one that is under way included.
        After as many times of a frame, they have all arrived.
        """
        latency = self._device.latency
        frames = ASSUMED_FRAMES if latency.focus_frames is None else latency.focus_frames
        return frames * (latency.frame_s or SLOWEST_S)

    def _described(self, focus: NumberParameter) -> LensInfo:
        low, high, settle_s = focus.low, focus.high, self._settle_s()
        profile = self._profile
        if profile is None:
            return LensInfo(self._unit, low, high, resolution=focus.step, settle_s=settle_s)
        if profile.position_min < low or profile.position_max > high:
            raise DeviceLost(
                f"the profile {profile.name} is of a lens from {profile.position_min:g} to "
                f"{profile.position_max:g} {self._unit}, and {self._device.name} goes from {low:g} to "
                f"{high:g}: give this lens's own profile"
            )
        described = LensInfo.of(
            profile, limits=(profile.position_min, profile.position_max), settle_s=settle_s
        )
        return replace(described, resolution=focus.step)
