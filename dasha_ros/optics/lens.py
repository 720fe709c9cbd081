"""Lens models: from volts to focus distance and blur."""

from __future__ import annotations

from typing import Protocol


class LensModel(Protocol):
    """Everything that anyone asks of a lens: where it focuses and how it blurs.

    Focus is in dioptres: the reciprocal of the focused distance in metres, 0 at infinity.
    """

    name: str
    volts_min: float
    volts_max: float

    def dioptres(self, volts: float) -> float:
        """Focus [1/m] at rest at ``volts`` [V]; may be negative (beyond infinity)."""
        ...

    def volts(self, dioptres: float) -> float:
        """Voltage [V] that focuses at ``dioptres`` [1/m], clipped to the lens's range."""
        ...

    def blur_px(self, focus_dioptres: float, object_dioptres: float, width_px: int = 640) -> float:
        """Radius of the circle of confusion [px of an image ``width_px`` wide], signed: positive when focused too near."""
        ...
