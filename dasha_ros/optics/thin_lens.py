"""The optics that all lens models share: a thin lens's circle of confusion, and so its depth of field."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np

from dasha_ros.optics.drive import LensDrive
from dasha_ros.optics.lens import MEASURED, WORKING_WIDTH_PX, focus_range

PIXEL_PITCH_UM = 5.5
"""CMV2000 pixel pitch (camera's datasheet)."""
SENSOR_WIDTH_PX = 2048
"""Width of the sensor; a narrower image is the same view, scaled."""
_SAMPLES = 185
"""Number of points of a map that is not a straight line."""


@dataclass(frozen=True)
class ThinLens(ABC):
    """The common part of all profiles: range of positions, aperture, circle of confusion."""

    name: str
    unit: str
    position_min: float
    position_max: float
    focal_length_mm: float = 25.0
    f_number: float = 2.0
    follows: LensDrive | None = None
    """How it follows commands; left out: exactly, with the lag of a liquid lens."""
    blur_doubt: float = field(default=MEASURED, kw_only=True)
    """See `LensModel.blur_doubt`. It changes neither the optics nor `id`."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not 1.0 <= self.blur_doubt < math.inf:
            raise ValueError(
                f"lens profile {self.name}: blur_doubt is {self.blur_doubt!r}; it must be a factor, 1 or more"
            )
        for key in ("focal_length_mm", "f_number"):
            if not (math.isfinite(value := getattr(self, key)) and value > 0):
                raise ValueError(
                    f"lens profile {self.name}: {key} is {value!r}; it must be a positive number"
                )
        if not -math.inf < self.position_min < self.position_max < math.inf:
            raise ValueError(
                f"lens profile {self.name}: position_min ({self.position_min!r}) must be below "
                f"position_max ({self.position_max!r})"
            )

    @property
    def drive(self) -> LensDrive:
        """How the lens follows commands."""
        return self.follows or LensDrive(self.position_min, self.position_max)

    @property
    def map_points(self) -> tuple[tuple[float, float], ...]:
        """(position, dioptres), ascending in position, from end to end."""
        at = np.linspace(self.position_min, self.position_max, _SAMPLES)
        return tuple((float(position), self.dioptres(float(position))) for position in at)

    @abstractmethod
    def dioptres(self, position: float) -> float:
        """Focus [1/m] at rest at ``position``."""

    @abstractmethod
    def position(self, dioptres: float) -> float:
        """Position that focuses at ``dioptres`` [1/m], clipped to the lens's range."""

    @property
    def _numbers(self) -> str:
        return f"f={self.focal_length_mm:g}mm:N={self.f_number:g}"

    def _clip(self, position: float) -> float:
        return min(max(position, self.position_min), self.position_max)

    def _image_distance_mm(self, focus_dioptres: float) -> float:
        """Distance from lens to sensor; constant in every profile but the paper's."""
        return self.focal_length_mm

    def blur_px(
        self, focus_dioptres: float, object_dioptres: float, width_px: int = WORKING_WIDTH_PX
    ) -> float:
        """Signed radius of the circle of confusion [px]: positive when focused too near.

        Thin lens: c = (f/N) v0 |P - 1/s|, the diameter on the sensor, with v0 the distance
        of the sensor. At f = 25 mm, f/2: 8.9 px of radius a dioptre at 640 px of width.

        Args:
            focus_dioptres: Where the lens focuses [1/m].
            object_dioptres: Where the object is [1/m].
            width_px: Width of the image that the radius is measured in [px].
        """
        aperture_mm = self.focal_length_mm / self.f_number
        defocus_per_mm = (focus_dioptres - object_dioptres) / 1000.0
        diameter_mm = aperture_mm * self._image_distance_mm(focus_dioptres) * defocus_per_mm
        return 0.5 * diameter_mm * 1000.0 / PIXEL_PITCH_UM * width_px / SENSOR_WIDTH_PX

    def focus_range(self, near_m: float = 0.25) -> tuple[float, float]:
        """The positions, ascending, that focus from infinity to ``near_m`` [m].

        Raises:
            ValueError: ``near_m`` is not a positive number.
        """
        return focus_range(self, near_m)


@dataclass(frozen=True)
class LinearLens(ThinLens):
    """A lens whose power grows in proportion to its position, before a fixed one."""

    dioptres_per_unit: float = 1.0
    infinity_position: float = 0.0
    """Where it focuses at infinity."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        super().__post_init__()
        if not (math.isfinite(self.dioptres_per_unit) and self.dioptres_per_unit != 0):
            raise ValueError(
                f"dioptres_per_unit is {self.dioptres_per_unit!r}; it must be a number other than 0"
            )
        if not self.position_min <= self.infinity_position <= self.position_max:
            raise ValueError(
                f"infinity_position is {self.infinity_position!r}; "
                f"it must lie in {self.position_min:g}..{self.position_max:g} {self.unit}"
            )

    @property
    def id(self) -> str:
        """The profile with all its numbers."""
        slope, infinity = f"k={self.dioptres_per_unit:g}D/{self.unit}", f"inf={self.infinity_position:g}"
        return f"{self.name}:{self._numbers}:{slope}:{infinity}{self.unit}"

    @property
    def map_points(self) -> tuple[tuple[float, float], ...]:
        """Both ends."""
        return tuple((end, self.dioptres(end)) for end in (self.position_min, self.position_max))

    def dioptres(self, position: float) -> float:
        """Focus [1/m] at ``position``, after clipping to the lens's range."""
        return self.dioptres_per_unit * (self._clip(position) - self.infinity_position)

    def position(self, dioptres: float) -> float:
        """Position that focuses at ``dioptres`` [1/m], clipped to the lens's range."""
        return self._clip(self.infinity_position + dioptres / self.dioptres_per_unit)
