"""The Varioptic liquid lens of the paper: its numbers, and two readings of its map.

A drop of liquid bends under a voltage, so this lens's positions are volts. Everything that holds only for
this lens is here and in `devices.varioptic`.
"""

from __future__ import annotations

from dataclasses import dataclass

from dasha_ros.optics.drive import LensDrive
from dasha_ros.optics.thin_lens import LinearLens, ThinLens

UNIT = "V"
VOLTS_MIN = 24.0
"""Least voltage that the lens may be given (paper IV.B; Corning USB-M guide)."""
VOLTS_MAX = 70.0
"""Greatest voltage that the lens may be given (paper IV.B; Corning USB-M guide)."""
RANGE = VOLTS_MIN, VOLTS_MAX
STEP_VOLTS = 0.0445
"""Step of the MAX14574 lens driver (its datasheet)."""
OUTPUT_MIN_VOLTS = 24.4
"""The chip's least output: lower commands change nothing."""
OUTPUT_MAX_VOLTS = 69.9
AT_POWER_ON = OUTPUT_MIN_VOLTS
"""Where the lens is after power-on (paper IV.D) [V]."""
DRIVE = LensDrive(
    OUTPUT_MIN_VOLTS,
    OUTPUT_MAX_VOLTS,
    STEP_VOLTS,
    hysteresis=0.05,
    time_constant_s=0.02,
    dioptres_per_kelvin=-0.05,
)
"""Voltage commanded, voltage put out, voltage that the liquid feels, and focus in time (facts: quantisation,
hysteresis, lag)."""


def quantised_volts(volts: float) -> float:
    """The output of the driver board for a command [V]: whole steps above 24.4 V, up to 69.9 V."""
    return DRIVE.output(volts)


@dataclass(frozen=True)
class PhysicalLens(LinearLens):
    """A liquid lens before a fixed one: power grows in proportion to the voltage.

    Defaults: 0.31 D/V, infinity at 40 V, 25 mm, f/2; -4.96 D at 24 V to 9.3 D at 70 V.
    """

    name: str = "physical"
    unit: str = UNIT
    position_min: float = VOLTS_MIN
    position_max: float = VOLTS_MAX
    follows: LensDrive | None = DRIVE
    dioptres_per_unit: float = 0.31
    infinity_position: float = 40.0


@dataclass(frozen=True)
class PaperLens(ThinLens):
    """The paper's map (IV.B): the voltage sets the distance s' from lens to sensor.

    s'(u) = 36.4 - 0.26957 (u - 24) mm, read as the image distance of a thin lens. More
    volts focus farther, and the band 1.4..2.0 m is half a volt wide: neither is what a
    liquid lens does, so this profile serves comparison with the paper only.
    """

    name: str = "paper"
    unit: str = UNIT
    position_min: float = VOLTS_MIN
    position_max: float = VOLTS_MAX
    follows: LensDrive | None = DRIVE
    image_distance_mm: float = 36.4
    mm_per_volt: float = 0.26957

    @property
    def id(self) -> str:
        """The profile with all its numbers."""
        return f"paper:{self._numbers}:s={self.image_distance_mm:g}mm:k={self.mm_per_volt:g}mm/V"

    def dioptres(self, position: float) -> float:
        """Focus [1/m] at ``position`` [V], after clipping: 1/s = 1/f - 1/s'."""
        image_mm = self.image_distance_mm - self.mm_per_volt * (self._clip(position) - self.position_min)
        return 1000.0 / self.focal_length_mm - 1000.0 / image_mm

    def position(self, dioptres: float) -> float:
        """Voltage [V] that focuses at ``dioptres`` [1/m], clipped to the lens's range."""
        if dioptres >= 1000.0 / self.focal_length_mm:
            return self.position_min
        image_mm = self._image_distance_mm(dioptres)
        return self._clip(self.position_min + (self.image_distance_mm - image_mm) / self.mm_per_volt)

    def _image_distance_mm(self, focus_dioptres: float) -> float:
        return 1000.0 / (1000.0 / self.focal_length_mm - focus_dioptres)
