"""What the lenses behind Optotune's controllers share: positions in dioptres, and what is told of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dasha_ros.devices.errors import DeviceLost
from dasha_ros.devices.serial.dialogue import LineT, SerialSettings
from dasha_ros.devices.serial.lens import SerialLens
from dasha_ros.freshness.clock import Clock
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.optics.optotune import CODES_PER_DIOPTRE, STEP_DIOPTRES, UNIT, TunableLens


class DioptreLens(SerialLens[LineT]):
    """Base of the tunable lenses whose controller takes focal powers; codes count steps of 1/200 D."""

    def __init__(
        self,
        settings: SerialSettings,
        clock: Clock | None,
        connect: Callable[[str, float], LineT],
        settle_s: float,
        named: str,
        *,
        profile: LensProfile | None,
    ) -> None:
        """Not connected yet; see `SerialLens`.

        Args:
            settings: See there.
            clock: See there.
            connect: See there.
            settle_s: See there.
            named: See there.
            profile: The measured map of this lens; the ``optotune`` profile if left out.

        Raises:
            ValueError: The profile's positions are no dioptres.
        """
        self._profile = profile or TunableLens()
        if self._profile.unit != UNIT:
            raise ValueError(
                f"the profile {self._profile.name} is in {self._profile.unit}, and an Optotune lens takes"
                f" {UNIT}: use the profile optotune, or measure one with `dasha calibrate lens`"
            )
        super().__init__(settings, clock, connect, settle_s, named)
        self._serial_number = settings.serial_number
        self._info: LensInfo | None = None
        self._offset = 0.0
        """What the controller's firmware adds to a focal power before encoding it [D]."""
        self._firmware = self._lens_serial = "unknown"
        self._temperature_c: float | None = None
        self._warnings: tuple[str, ...] = ()

    @property
    def info(self) -> LensInfo:
        """Dioptres, in the range that the controller names for its lens, and the map.

        Raises:
            DeviceLost: Only the controller knows the range, and it was never opened.
        """
        if self._info is None:
            raise DeviceLost("the range of an Optotune lens is known once it was opened")
        return self._info

    def _described(self, model: str) -> dict[str, Any]:
        """What `describe` tells of every such lens."""
        port = self._dialogue.port
        return {
            "hardware_id": f"Optotune {self._lens_serial} {self._serial_number}".strip() + f" at {port}",
            "model": model,
            "port": port,
            "serial_number": self._serial_number,
            "lens_serial_number": self._lens_serial,
            "firmware": self._firmware,
            "unit": UNIT,
            "profile": self._profile.id,
            "position_in_force": self._in_force,
            "temperature_c": self._temperature_c,
            "faults": list(self._faults),
            "warnings": list(self._warnings),
            **{f"count {name}": count for name, count in sorted(self.counts.items())},
        }

    def _limit(self, low: float, high: float) -> bool:
        """Take limits that the controller names [D], as far as the profile reaches.

        Returns:
            Whether anything is left of them.
        """
        low, high = max(low, self._profile.position_min), min(high, self._profile.position_max)
        # Inward to what the controller can be sent, so that no rounding leaves the limits.
        low = self._position(math.ceil(self._codes(low)))
        high = self._position(math.floor(self._codes(high)))
        if not low < high:
            return False
        info = LensInfo.of(self._profile, limits=(low, high), settle_s=self._settle_s)
        self._info = replace(info, resolution=STEP_DIOPTRES)
        return True

    def _codes(self, position: float) -> float:
        """The code of a position before rounding; off by what floats can't hold, which is cut off."""
        return round((position + self._offset) * CODES_PER_DIOPTRE, 6)

    def _code(self, position: float) -> int:
        return round(self._codes(position))

    def _position(self, code: int) -> float:
        return code / CODES_PER_DIOPTRE - self._offset

    def _output(self, position: float) -> float:
        return self._position(self._code(position))

    def _admitted(self, code: int) -> int:
        info = self.info
        return min(max(code, self._code(info.position_min)), self._code(info.position_max))
