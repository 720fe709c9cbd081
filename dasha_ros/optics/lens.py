"""What a lens model tells: from a lens's position to focus distance and blur.

Only a lens model knows the map from positions to focus and blur; all other code asks it. A position is in
the device's own unit: V, dioptres, steps of a motor. `thin_lens` has the optics that all models share, and
`profiles.lens_model` makes the models that have a name or a file.
"""

from __future__ import annotations

import math
from typing import Protocol

from dasha_ros.optics.drive import LensDrive

WORKING_WIDTH_PX = 640
"""Frames are shrunk to this width to be perceived; a blur without a width is in pixels of such an image."""
MEASURED, ASSUMED = 1.0, 4.0
"""`LensModel.blur_doubt` of a lens whose blur is known, and of one whose aperture nobody read."""


class LensModel(Protocol):
    """What policies may know of a lens: where it focuses and how it blurs.

    Focus is in dioptres: the reciprocal of the focused distance in metres, 0 at infinity.
    """

    @property
    def unit(self) -> str:
        """Unit of positions, such as ``V``, ``D`` or ``steps``."""
        ...

    @property
    def position_min(self) -> float:
        """Least position that the lens may be given."""
        ...

    @property
    def position_max(self) -> float:
        """Greatest position that the lens may be given."""
        ...

    @property
    def id(self) -> str:
        """Identifies the map with all its numbers; stored with policies and compared on loading."""
        ...

    @property
    def blur_doubt(self) -> float:
        """By what factor a dioptre may truly blur less or more than `blur_px` says; 1: it is right."""
        ...

    def dioptres(self, position: float) -> float:
        """Focus [1/m] at rest at ``position``; may be negative (beyond infinity)."""
        ...

    def position(self, dioptres: float) -> float:
        """Position that focuses at ``dioptres`` [1/m], clipped to the lens's range."""
        ...

    def blur_px(
        self, focus_dioptres: float, object_dioptres: float, width_px: int = WORKING_WIDTH_PX
    ) -> float:
        """Radius of blur [px of an image ``width_px`` wide], signed: positive when focused too near.

        This is the radius of the circle of confusion. The depth of field is the range of ``object_dioptres``
        in which its size stays below what counts as sharp.
        """
        ...

    def focus_range(self, near_m: float = 0.25) -> tuple[float, float]:
        """The positions, ascending, that focus from infinity to ``near_m`` [m]: the range of a search."""
        ...


class LensProfile(LensModel, Protocol):
    """Everything that a twin needs to know of a lens: its map, its optics, and how it follows commands."""

    @property
    def name(self) -> str:
        """Name of the profile."""
        ...

    @property
    def f_number(self) -> float:
        """Focal length over aperture."""
        ...

    @property
    def focal_length_mm(self) -> float:
        """Focal length at rest [mm]."""
        ...

    @property
    def drive(self) -> LensDrive:
        """How the lens follows commands."""
        ...

    @property
    def map_points(self) -> tuple[tuple[float, float], ...]:
        """(position, dioptres), ascending in position, from one end of the range to the other.

        Straight lines between them are the map.
        """
        ...


class _Places(Protocol):
    def position(self, dioptres: float) -> float: ...


def focus_range(lens: _Places, near_m: float = 0.25) -> tuple[float, float]:
    """See `LensModel.focus_range`.

    Raises:
        ValueError: ``near_m`` is not a positive number.
    """
    if not (math.isfinite(near_m) and near_m > 0):
        raise ValueError(f"nearest distance is {near_m!r} m; it must be a positive number")
    far, near = lens.position(0.0), lens.position(1.0 / near_m)
    return min(far, near), max(far, near)


def travel(lens: LensModel, dioptres: float) -> float:
    """How far a lens moves for a change of focus of so many dioptres, on average over its range."""
    span = abs(lens.dioptres(lens.position_max) - lens.dioptres(lens.position_min))
    # Twelve digits: round numbers in one unit stay round in the other.
    return float(f"{dioptres * (lens.position_max - lens.position_min) / span:.12g}")
