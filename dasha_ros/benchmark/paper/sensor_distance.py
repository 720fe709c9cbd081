"""The lens's position as the paper gives it: millimetres from the sensor to the lens (IV.B)."""

from __future__ import annotations

from dasha_ros.optics.varioptic import PaperLens

_PAPER = PaperLens()
MM_PER_VOLT = _PAPER.mm_per_volt
"""Change of the distance for a volt [mm/V]: 24.0 V is 36.4 mm, 70.0 V is 24.0 mm."""


def sensor_distance_mm(volts: float) -> float:
    """Distance from the sensor to the lens [mm] at a position [V]."""
    return _PAPER.image_distance_mm - MM_PER_VOLT * (volts - _PAPER.position_min)
