"""A lens that may only focus within a range of distances, for goals that name one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dasha_ros.optics.lens import WORKING_WIDTH_PX, LensModel, focus_range

LEAST_PX = 0.1
"""A range of distances over which the blur changes by less is too narrow to search [px of blur at 640]."""


class DistanceError(ValueError):
    """A range of distances that is none, or that a lens can't focus on; the message says what to do."""


@dataclass(frozen=True)
class DistanceRange:
    """Focus distances that a goal allows."""

    nearest_m: float = 0.0
    """Least focus distance [m]; 0: as near as the lens can."""
    farthest_m: float = 0.0
    """Greatest focus distance [m]; 0: infinity, and what the lens has beyond."""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            DistanceError: They are no range.
        """
        for name, value in (("min_distance_m", self.nearest_m), ("max_distance_m", self.farthest_m)):
            if not (math.isfinite(value) and value >= 0.0):
                raise DistanceError(f"{name} is {value:g}: give a distance in metres, or 0 for no limit")
        if 0.0 < self.farthest_m < self.nearest_m:
            raise DistanceError(
                f"min_distance_m ({self.nearest_m:g} m) is more than max_distance_m ({self.farthest_m:g} m)"
            )

    def __bool__(self) -> bool:
        """Whether anything is limited."""
        return self.nearest_m > 0.0 or self.farthest_m > 0.0

    def __str__(self) -> str:
        """The range, for people."""
        return f"{self.nearest_m:g} to {f'{self.farthest_m:g} m' if self.farthest_m else 'infinity'}"

    def limit(self, lens: LensModel) -> LensModel:
        """The lens, kept inside this range; the lens itself if nothing is limited.

        Raises:
            DistanceError: The lens can't focus in this range, or the range is narrower than its focus.
        """
        if not self:
            return lens
        ends = lens.dioptres(lens.position_min), lens.dioptres(lens.position_max)
        far = max(min(ends), 1.0 / self.farthest_m if self.farthest_m else -math.inf)
        near = min(max(ends), 1.0 / self.nearest_m if self.nearest_m else math.inf)
        if far > near:
            raise DistanceError(f"the lens focuses from {_reach(*ends)}: nothing of {self} is in its reach")
        if abs(lens.blur_px(near, far)) < LEAST_PX:
            raise DistanceError(
                f"from {self} the focus of this lens hardly changes: give a wider range of distances"
            )
        low, high = sorted((lens.position(far), lens.position(near)))
        return LimitedLens(lens, low, high)


@dataclass(frozen=True)
class LimitedLens:
    """A `LensModel` that is another one with narrower limits."""

    whole: LensModel
    """Without the limits."""
    position_min: float
    position_max: float

    @property
    def unit(self) -> str:
        """Unit of positions."""
        return self.whole.unit

    @property
    def id(self) -> str:
        """Names the map: that of the whole lens."""
        return self.whole.id

    @property
    def blur_doubt(self) -> float:
        """See `LensModel.blur_doubt`."""
        return self.whole.blur_doubt

    def dioptres(self, position: float) -> float:
        """Focus [1/m] at ``position``."""
        return self.whole.dioptres(position)

    def position(self, dioptres: float) -> float:
        """Position that focuses at ``dioptres`` [1/m], clipped to the limits."""
        return min(max(self.whole.position(dioptres), self.position_min), self.position_max)

    def blur_px(
        self, focus_dioptres: float, object_dioptres: float, width_px: int = WORKING_WIDTH_PX
    ) -> float:
        """See `LensModel.blur_px`."""
        return self.whole.blur_px(focus_dioptres, object_dioptres, width_px)

    def focus_range(self, near_m: float = 0.25) -> tuple[float, float]:
        """The positions, ascending, from infinity to ``near_m`` [m], inside the limits."""
        return focus_range(self, near_m)


def whole_of(lens: LensModel) -> LensModel:
    """A lens without the limits of a goal."""
    return lens.whole if isinstance(lens, LimitedLens) else lens


def _reach(*ends: float) -> str:
    """The distances between two focus positions [1/m], for people."""
    near, far = max(ends), min(ends)
    nearest = f"{1.0 / near:.2f} m" if near > 1e-9 else "infinity"
    return f"{nearest} to {f'{1.0 / far:.2f} m' if far > 1e-9 else 'infinity'}"
