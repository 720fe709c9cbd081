"""Optotune's electrically tunable lenses in focal power mode: their driver takes dioptres and keeps them.

A membrane before a liquid bends under a current. The driver knows from the lens's memory which current makes
which focal power at which temperature, so positions are dioptres and the map is a straight line.
"""

from __future__ import annotations

from dataclasses import dataclass

from dasha_ros.optics.drive import LensDrive
from dasha_ros.optics.thin_lens import LinearLens

UNIT = "D"
CODES_PER_DIOPTRE = 200
STEP_DIOPTRES = 1 / CODES_PER_DIOPTRE
"""Focal powers are sent in 1/200 D (Lens Driver 4 communication protocol, command 0310)."""
DIOPTRES_MIN = -10.0
DIOPTRES_MAX = 10.0
"""Range of the strongest lens of the family; a driver tells the range of its own lens."""
DRIVE = LensDrive(DIOPTRES_MIN, DIOPTRES_MAX, STEP_DIOPTRES, hysteresis=0.0, time_constant_s=0.005)
"""The driver compensates temperature, and the membrane has no play. The lag is a guess, not measured."""


@dataclass(frozen=True)
class TunableLens(LinearLens):
    """A tunable lens before a fixed one that focuses at infinity: focus is the focal power asked for."""

    name: str = "optotune"
    unit: str = UNIT
    position_min: float = DIOPTRES_MIN
    position_max: float = DIOPTRES_MAX
    follows: LensDrive | None = DRIVE
