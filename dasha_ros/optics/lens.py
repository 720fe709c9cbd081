"""Lens models: from volts to focus distance and blur.

Everything asks a lens model where the lens focuses and how much it blurs; nothing
else knows the map from volts. Three profiles exist (`lens_model`):

- ``physical``: a liquid lens adds power to a lens that stands still. The default.
- ``paper``: the paper's map, read as a moving thin lens.
- a table of measured (volts, distance) pairs, from a YAML file: for a real lens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

PIXEL_PITCH_UM = 5.5
"""CMV2000 pixel pitch (camera's datasheet)."""
SENSOR_WIDTH_PX = 2048
"""Width of the sensor; a narrower image is the same view, scaled."""


class LensModel(Protocol):
    """Everything that anyone asks of a lens: where it focuses and how it blurs.

    Focus is in dioptres: the reciprocal of the focused distance in metres, 0 at infinity.
    """

    @property
    def name(self) -> str:
        """What people call the profile."""
        ...

    @property
    def volts_min(self) -> float:
        """Least voltage [V]."""
        ...

    @property
    def volts_max(self) -> float:
        """Greatest voltage [V]."""
        ...

    @property
    def id(self) -> str:
        """Names the profile with all its numbers; stored with learned policies and compared on loading."""
        ...

    @property
    def f_number(self) -> float:
        """Focal length over aperture."""
        ...

    @property
    def focal_length_mm(self) -> float:
        """Focal length at rest [mm]."""
        ...

    def dioptres(self, volts: float) -> float:
        """Focus [1/m] at rest at ``volts`` [V]; may be negative (beyond infinity)."""
        ...

    def volts(self, dioptres: float) -> float:
        """Voltage [V] that focuses at ``dioptres`` [1/m], clipped to the lens's range."""
        ...

    def blur_px(self, focus_dioptres: float, object_dioptres: float, width_px: int = 640) -> float:
        """Radius of blur [px of an image ``width_px`` wide], signed: positive when focused too near."""
        ...

    def focus_range(self, near_m: float = 0.25) -> tuple[float, float]:
        """The voltages, ascending, that focus from infinity to ``near_m`` [m]: where a search need look."""
        ...


@dataclass(frozen=True)
class ThinLens:
    """What all profiles share: aperture, range of volts, circle of confusion."""

    name: str
    focal_length_mm: float = 25.0
    f_number: float = 2.0
    volts_min: float = 24.0
    volts_max: float = 70.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        for key in ("focal_length_mm", "f_number"):
            if not (math.isfinite(value := getattr(self, key)) and value > 0):
                raise ValueError(
                    f"lens profile {self.name}: {key} is {value!r}; it must be a positive number"
                )
        if not 0 <= self.volts_min < self.volts_max:
            raise ValueError(
                f"lens profile {self.name}: volts_min ({self.volts_min!r}) must be below "
                f"volts_max ({self.volts_max!r})"
            )

    def dioptres(self, volts: float) -> float:
        """Focus [1/m] at rest at ``volts`` [V]."""
        raise NotImplementedError

    def volts(self, dioptres: float) -> float:
        """Voltage [V] that focuses at ``dioptres`` [1/m], clipped to the lens's range."""
        raise NotImplementedError

    @property
    def _numbers(self) -> str:
        return f"f={self.focal_length_mm:g}mm:N={self.f_number:g}"

    def _clip(self, volts: float) -> float:
        return min(max(volts, self.volts_min), self.volts_max)

    def _image_distance_mm(self, focus_dioptres: float) -> float:
        """From lens to sensor. It stands still in every lens but the paper's."""
        return self.focal_length_mm

    def blur_px(self, focus_dioptres: float, object_dioptres: float, width_px: int = 640) -> float:
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
        """The voltages, ascending, that focus from infinity to ``near_m`` [m].

        Raises:
            ValueError: ``near_m`` is not a positive number.
        """
        if not (math.isfinite(near_m) and near_m > 0):
            raise ValueError(f"nearest distance is {near_m!r} m; it must be a positive number")
        far, near = self.volts(0.0), self.volts(1.0 / near_m)
        return min(far, near), max(far, near)


@dataclass(frozen=True)
class PhysicalLens(ThinLens):
    """A liquid lens before a fixed one: power grows in proportion to the voltage.

    Defaults: 0.31 D/V, infinity at 40 V, 25 mm, f/2; -4.96 D at 24 V to 9.3 D at 70 V.
    """

    name: str = "physical"
    dioptres_per_volt: float = 0.31
    infinity_volts: float = 40.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        super().__post_init__()
        if not (math.isfinite(self.dioptres_per_volt) and self.dioptres_per_volt != 0):
            raise ValueError(
                f"dioptres_per_volt is {self.dioptres_per_volt!r}; it must be a number other than 0"
            )
        if not self.volts_min <= self.infinity_volts <= self.volts_max:
            raise ValueError(
                f"infinity_volts is {self.infinity_volts!r}; "
                f"it must lie in {self.volts_min:g}..{self.volts_max:g} V"
            )

    @property
    def id(self) -> str:
        """The profile with all its numbers."""
        return f"physical:{self._numbers}:k={self.dioptres_per_volt:g}D/V:inf={self.infinity_volts:g}V"

    def dioptres(self, volts: float) -> float:
        """Focus [1/m] at ``volts`` [V], after clipping to the lens's range."""
        return self.dioptres_per_volt * (self._clip(volts) - self.infinity_volts)

    def volts(self, dioptres: float) -> float:
        """Voltage [V] that focuses at ``dioptres`` [1/m], clipped to the lens's range."""
        return self._clip(self.infinity_volts + dioptres / self.dioptres_per_volt)


@dataclass(frozen=True)
class PaperLens(ThinLens):
    """The paper's map (IV.B): the voltage sets the distance s' from lens to sensor.

    s'(u) = 36.4 - 0.26957 (u - 24) mm, read as the image distance of a thin lens. More
    volts focus farther, and the band 1.4..2.0 m is half a volt wide: neither is what a
    liquid lens does, so this profile serves comparison with the paper only.
    """

    name: str = "paper"
    image_distance_mm: float = 36.4
    mm_per_volt: float = 0.26957

    @property
    def id(self) -> str:
        """The profile with all its numbers."""
        return f"paper:{self._numbers}:s={self.image_distance_mm:g}mm:k={self.mm_per_volt:g}mm/V"

    def dioptres(self, volts: float) -> float:
        """Focus [1/m] at ``volts`` [V], after clipping: 1/s = 1/f - 1/s'."""
        image_mm = self.image_distance_mm - self.mm_per_volt * (self._clip(volts) - self.volts_min)
        return 1000.0 / self.focal_length_mm - 1000.0 / image_mm

    def volts(self, dioptres: float) -> float:
        """Voltage [V] that focuses at ``dioptres`` [1/m], clipped to the lens's range."""
        if dioptres >= 1000.0 / self.focal_length_mm:
            return self.volts_min
        image_mm = self._image_distance_mm(dioptres)
        return self._clip(self.volts_min + (self.image_distance_mm - image_mm) / self.mm_per_volt)

    def _image_distance_mm(self, focus_dioptres: float) -> float:
        return 1000.0 / (1000.0 / self.focal_length_mm - focus_dioptres)


def lens_model(name_or_path: str | Path = "physical", **overrides: float) -> LensModel:
    """A lens model by the name of its profile, or from a YAML table of measured volts.

    Args:
        name_or_path: ``physical``, ``paper``, or the path of a table (see `lens_table`).
        **overrides: Numbers of the profile to change, such as ``f_number=4.0``.

    Raises:
        ValueError: No such profile, unknown or impossible number, or a table that can't be used.
    """
    profiles: dict[str, type[PhysicalLens] | type[PaperLens]] = {
        "physical": PhysicalLens,
        "paper": PaperLens,
    }
    profile = profiles.get(str(name_or_path))
    if profile is None:
        from dasha_ros.optics.lens_table import load_table

        return load_table(Path(name_or_path), **overrides)
    allowed = sorted(set(profile.__dataclass_fields__) - {"name"})
    if unknown := sorted(set(overrides) - set(allowed)):
        raise ValueError(
            f"lens profile {profile.__name__} has no {', '.join(unknown)}; it has {', '.join(allowed)}"
        )
    return profile(**overrides)  # type: ignore[arg-type]  # names are checked above, all are floats
