"""A lens at a Basler camera's own lens port."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from dasha_ros.devices.errors import DeviceError, DeviceLost, DeviceTimeout
from dasha_ros.devices.lens import LensReading, LimitedLens
from dasha_ros.devices.pylon.optic import OpticState
from dasha_ros.freshness.clock import Clock, SteadyClock
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.lens_info import LensInfo

POLL_NS = 10_000_000
"""How often a lens on its way is asked [ns]."""
_SAME = 1e-6
"""Positions that differ by less are the same: the camera counts in single precision."""


class LensPort(Protocol):
    """The way to a camera's lens port. The camera itself belongs to the camera driver."""

    def open(self) -> OpticState:
        """Reach the port, and begin to initialise its lens if that is needed.

        Raises:
            DeviceLost: The camera is not there or not open, or has no lens.
        """
        ...

    def go(self, position: float) -> OpticState:
        """Command a position.

        Raises:
            DeviceError: The lens refused.
            DeviceLost: Camera or lens are gone.
        """
        ...

    def read(self) -> OpticState:
        """The newest state.

        Raises:
            DeviceLost: Camera or lens are gone.
        """
        ...

    def close(self) -> None:
        """Let go. Never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PylonLensSettings:
    """How patient to be with a lens, and when it rests."""

    settle_s: float = 0.05
    """How long the optics take after the camera says that the lens has arrived [s]."""
    travel_timeout_s: float = 10.0
    """How long a move, or the initialisation, may take [s]."""


class PylonLens(LimitedLens):
    """A `Lens` at the port of a camera; its positions are dioptres or steps, as the lens has it.

    A move returns when the camera says that the lens has arrived, where it says that. After a loss, `open`
    goes back to the last position.
    """

    def __init__(
        self,
        port: LensPort,
        settings: PylonLensSettings | None = None,
        clock: Clock | None = None,
        profile: LensProfile | None = None,
    ) -> None:
        """Not opened yet.

        Args:
            port: The way to the camera.
            settings: How patient to be.
            clock: On which moves settle.
            profile: The measured map of this lens; ``None``: it has none.
        """
        self.settings = settings or PylonLensSettings()
        self._port, self._profile = port, profile
        self._clock = clock or SteadyClock()
        self._info: LensInfo | None = None
        self._in_force: float | None = None
        self._moved_at_ns: int | None = None
        self._is_open = False
        self._newest: OpticState | None = None

    @property
    def info(self) -> LensInfo:
        """Unit and limits of the lens, and the profile's map if there is one.

        Raises:
            DeviceLost: It was never opened.
        """
        if self._info is None:
            raise DeviceLost("the range of a lens at a camera's port is known once it was opened")
        return self._info

    def open(self) -> LensReading:
        """Reach the camera, wait until the lens is initialised, and read where it is.

        Raises:
            DeviceLost: The camera driver or the camera is not there, the lens is not, it does not wake, or
                the profile is of another lens.
        """
        self.close()
        try:
            state = self._port.open()
            state = self._until(lambda state: state.ready and not state.moving, "was not ready", state)
            self._info = self._described(state)
            self._is_open = True
            if self._in_force is None:
                self._in_force = state.position
            elif not self._same(state.position, self._in_force):
                inside = min(max(self._in_force, self._info.position_min), self._info.position_max)
                self._go(inside)
            return self.read()
        except DeviceError as error:
            self.close()
            if isinstance(error, DeviceLost):
                raise
            raise DeviceLost(str(error)) from error

    def close(self) -> None:
        """Leave the lens where it is: the camera keeps it there."""
        self._is_open = False
        self._port.close()

    def _move(self, position: float) -> LensReading:
        self._check_open()
        self._go(position)
        return self._reading()

    def read(self) -> LensReading:
        """Where the lens is, asked anew, and the time until it rests.

        Raises:
            DeviceLost: Camera or lens are gone, or it is not where it was left.
        """
        self._check_open()
        state = self._newest = self._port.read()
        if not state.ready or not (state.moving or self._same(state.position, self._in_force)):
            raise DeviceLost(
                f"the lens at the camera's port is at {state.position:g} {state.unit}, not at"
                f" {self._in_force:g} {state.unit}: camera or lens restarted, or someone else moved it."
                " Opening it anew brings it back."
            )
        return self._reading()

    def describe(self) -> dict[str, Any]:
        """The lens, its temperature and its position."""
        state = self._newest
        return {
            "hardware_id": f"lens {state.model if state else ''}".strip() + " at the camera's port",
            "model": (state.model if state else "") or "lens at the camera's port",
            "port": "camera",
            "firmware": "unknown",
            "unit": state.unit if state else "",
            "position_in_force": self._in_force,
            "temperature_c": state.temperature_c if state else None,
        }

    def _described(self, state: OpticState) -> LensInfo:
        profile, settle_s = self._profile, self.settings.settle_s
        if profile is None:
            info = LensInfo(state.unit, state.least, state.greatest, settle_s=settle_s)
        elif profile.unit != state.unit:
            raise DeviceLost(
                f"the profile {profile.name} is in {profile.unit}, and the lens at the camera's port takes"
                f" {state.unit}: choose another profile"
            )
        else:
            # Inward to positions that the lens has, so that no rounding leaves the profile.
            step, least = state.step or _SAME, state.least
            low = max(least, least + math.ceil((profile.position_min - least) / step - _SAME) * step)
            high = min(
                state.greatest, least + math.floor((profile.position_max - least) / step + _SAME) * step
            )
            if not low < high:
                raise DeviceLost(
                    f"the profile {profile.name} has no position that this lens takes, {state.least:g} to"
                    f" {state.greatest:g} {state.unit}: choose another profile"
                )
            info = LensInfo.of(profile, limits=(low, high), settle_s=settle_s)
        return replace(info, resolution=state.step)

    def _go(self, position: float) -> None:
        state = self._port.go(position)
        self._moved_at_ns = self._clock.now_ns()
        state = self._until(
            lambda state: not state.moving, f"did not arrive at {position:g} {state.unit}", state
        )
        self._moved_at_ns = self._clock.now_ns()
        if abs(state.position - position) > max(state.step, _SAME):
            raise DeviceTimeout(
                f"the lens at the camera's port went to {state.position:g}, not to {position:g} {state.unit}"
            )
        self._in_force = state.position

    def _until(self, arrived: Callable[[OpticState], bool], what: str, state: OpticState) -> OpticState:
        deadline = self._clock.now_ns() + round(self.settings.travel_timeout_s * 1e9)
        while not arrived(state):
            if self._clock.now_ns() >= deadline:
                raise DeviceTimeout(
                    f"the lens at the camera's port {what} in {self.settings.travel_timeout_s:g} s"
                )
            self._clock.wait_until(self._clock.now_ns() + POLL_NS)
            state = self._port.read()
        self._newest = state
        return state

    def _reading(self) -> LensReading:
        assert self._in_force is not None
        rest_s = 0.0
        if self._moved_at_ns is not None:
            rest_ns = self._moved_at_ns + round(self.settings.settle_s * 1e9) - self._clock.now_ns()
            rest_s = max(0.0, rest_ns / 1e9)
        return LensReading(self._in_force, rest_s, self._newest.faults if self._newest else ())

    def _same(self, position: float, other: float | None) -> bool:
        return other is not None and abs(position - other) <= _SAME

    def _check_open(self) -> None:
        if not self._is_open:
            raise DeviceLost("the lens at the camera's port is not open")
