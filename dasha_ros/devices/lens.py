"""What every lens back end promises, and the one gate that every voltage passes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

from dasha_ros.devices.errors import OutOfRange

VOLTS_MIN = 24.0
"""Least voltage that a device may be given (paper IV.B; Corning USB-M guide)."""
VOLTS_MAX = 70.0
"""Greatest voltage that a device may be given (paper IV.B; Corning USB-M guide)."""


@dataclass(frozen=True, slots=True)
class LensReading:
    """What the lens driver board does."""

    volts: float
    """What the board really outputs, after its quantisation [V]."""
    settle_s: float
    """How long after the command the lens comes to rest [s]."""
    faults: tuple[str, ...] = ()


def checked_volts(volts: float) -> float:
    """Return ``volts`` if a lens may be given it.

    Raises:
        OutOfRange: Not a finite number in 24.0..70.0.
    """
    if not math.isfinite(volts) or not VOLTS_MIN <= volts <= VOLTS_MAX:
        raise OutOfRange(
            f"lens voltage {volts!r} refused: it must be a number from {VOLTS_MIN} to {VOLTS_MAX} V"
        )
    return float(volts)


class Lens(Protocol):
    """A lens that moves where it is told. Back ends are used from one thread at a time."""

    def open(self) -> LensReading:
        """Claim the device, leave it where it is and read it.

        Raises:
            DeviceLost: It is not there, or another process holds it.
        """
        ...

    def close(self) -> None:
        """Put the device to standby and give it back. Never raises; closing twice is fine."""
        ...

    def move(self, volts: float) -> LensReading:
        """Command a voltage and return what the board really outputs.

        Raises:
            OutOfRange: Not a finite number in 24.0..70.0; nothing was sent.
            DeviceTimeout: The board did not acknowledge within its bounded retries.
            DeviceLost: The device is gone.
        """
        ...

    def read(self) -> LensReading:
        """Read output and faults without moving."""
        ...

    def describe(self) -> dict[str, Any]:
        """Model, port and versions, for diagnostics; ``hardware_id`` names the device."""
        ...
