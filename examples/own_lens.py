"""A lens of your own, as a back end of the lens driver.

It is made up: replace what is marked HERE by calls of your device's library. The conformance suite in
`test/devices` plays with this very class; what it asks for is what the driver relies on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dasha_ros.devices.errors import DeviceLost
from dasha_ros.devices.lens import LensReading, LimitedLens
from dasha_ros.freshness.clock import Clock
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.lens_info import LensInfo


class OwnLens(LimitedLens):
    """Implements `Lens`. Used from one thread at a time."""

    INFO = LensInfo("steps", 0.0, 1023.0, resolution=1.0, settle_s=0.05)
    """Unit and limits of your lens; what is outside never reaches `_move`."""

    def __init__(self, clock: Clock, profile: LensProfile | None = None) -> None:
        """Do not touch the device yet: `open` does. ``profile``: the measured map, if there is one."""
        self._clock, self._open, self._position, self._rests_at_ns = clock, False, 0.0, 0
        self._info = device = self.INFO
        if profile is not None:
            limits = (device.position_min, device.position_max)
            mapped = LensInfo.of(profile, limits=limits, settle_s=device.settle_s)
            self._info = replace(mapped, resolution=device.resolution)

    @property
    def info(self) -> LensInfo:
        """Unit and limits, and the map if it is known."""
        return self._info

    def open(self) -> LensReading:
        """Claim the device, leave it where it is, read it."""
        self._open = True  # HERE
        return self._reading()

    def close(self) -> None:
        """Give it back. Never raises."""
        self._open = False  # HERE

    def _move(self, position: float) -> LensReading:
        """Move, and say where the device really went. ``position`` is inside the limits."""
        self._reading()
        self._position = float(round(position))  # HERE
        self._rests_at_ns = self._clock.now_ns() + round(self.INFO.settle_s * 1e9)
        return self._reading()

    def read(self) -> LensReading:
        """Read without moving."""
        return self._reading()

    def describe(self) -> dict[str, Any]:
        """For diagnostics; ``hardware_id`` names the device."""
        return {"hardware_id": "own lens", "model": "own lens"}

    def _reading(self) -> LensReading:
        if not self._open:
            raise DeviceLost("the lens was never opened, or its cable was pulled")
        return LensReading(self._position, max(0, self._rests_at_ns - self._clock.now_ns()) / 1e9)
