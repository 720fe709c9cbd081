"""The description of a lens: unit, limits, accuracy, and the calibrated map from position to focus.

A back end makes it, the lens driver publishes it (``lens/info``), and agents build their lens model from it.
All code that moves a lens takes its numbers from here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dasha_ros.optics.lens import MEASURED, WORKING_WIDTH_PX, LensModel, LensProfile, focus_range

EITHER_SIDE, FROM_BELOW, FROM_ABOVE = 0, 1, -1
"""From which side a position is best approached, where the lens has play."""
SETTLE_MAX_S = 60.0
MAP_MAX_POINTS = 10_000
DIOPTRES_MAX = 100.0
"""No lens focuses nearer than 1 cm, or farther beyond infinity."""
_UNIT_LENGTH = 16


class LensInfoError(ValueError):
    """A lens description that is impossible or incomplete; the message says what is wrong."""


@dataclass(frozen=True)
class LensInfo:
    """One lens, in its own unit."""

    unit: str
    """Unit of every position: ``V``, ``D`` (dioptres), ``steps``, ..."""
    position_min: float
    """Least position that may be commanded."""
    position_max: float
    """Greatest position that may be commanded."""
    resolution: float = 0.0
    """Smallest difference between two positions; 0: not known."""
    settle_s: float = 0.0
    """How long a long move takes [s]; 0: not known."""
    play: float = 0.0
    """How much of a move is lost after a turn (backlash); 0: none, or not known."""
    approach: int = EITHER_SIDE
    """`FROM_BELOW`, `FROM_ABOVE` or `EITHER_SIDE`."""
    profile: str = ""
    """Id of the calibrated map with all its numbers; empty: there is none."""
    map_positions: tuple[float, ...] = ()
    """Ascending; empty: this lens is not calibrated."""
    map_dioptres: tuple[float, ...] = ()
    """Focus [1/m] at these positions, always nearer or always farther; straight lines between."""
    blur_px_per_dioptre: float = 0.0
    """Radius of blur of a dioptre of defocus [px of an image 640 px wide]; 0: not known."""
    blur_doubt: float = MEASURED
    """By what factor that radius may be less or more; 1: it is right."""

    def __post_init__(self) -> None:
        """Check everything.

        Raises:
            LensInfoError: A value is impossible.
        """
        _check_device(self)
        _check_map(self)

    @classmethod
    def of(
        cls, profile: LensProfile, *, limits: tuple[float, float] | None = None, settle_s: float = 0.0
    ) -> LensInfo:
        """The description of a lens with this profile.

        Args:
            profile: Its map and how it follows commands.
            limits: Least and greatest position of the device; left out: those of the profile.
            settle_s: How long a long move takes [s].

        Raises:
            LensInfoError: The limits leave nothing of the profile's range.
        """
        low, high = limits or (profile.position_min, profile.position_max)
        points = profile.map_points
        return cls(
            unit=profile.unit,
            position_min=low,
            position_max=high,
            resolution=profile.drive.step,
            settle_s=settle_s,
            play=2.0 * profile.drive.hysteresis,
            profile=profile.id,
            map_positions=tuple(position for position, _ in points),
            map_dioptres=tuple(dioptres for _, dioptres in points),
            blur_px_per_dioptre=abs(profile.blur_px(1.0, 0.0)),
            blur_doubt=profile.blur_doubt,
        )

    def admits(self, position: float) -> bool:
        """Whether the lens may be given this position."""
        return math.isfinite(position) and self.position_min <= position <= self.position_max

    @property
    def is_calibrated(self) -> bool:
        """Whether the map from positions to focus, and from dioptres to blur, is known."""
        return bool(self.map_positions) and self.blur_px_per_dioptre > 0.0

    @cached_property
    def map_arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Positions and dioptres of the map, shape (n,): every state of the lens looks something up."""
        return np.array(self.map_positions, np.float64), np.array(self.map_dioptres, np.float64)

    def model(self) -> LensModel:
        """The lens as policies know it.

        Raises:
            LensInfoError: It is not calibrated.
        """
        if not self.is_calibrated:
            raise LensInfoError(
                "the lens has no calibrated map from position to focus: measure one with "
                "`dasha calibrate lens` and give it to the lens driver as `profile`"
            )
        return MappedLens(self)

    def focus_distance_m(self, position: float) -> float:
        """Where the lens focuses at a position [m]: infinite at infinity and beyond, NaN if unknown."""
        if not self.map_positions or not math.isfinite(position):
            return math.nan
        dioptres = float(np.interp(position, *self.map_arrays))
        return 1.0 / dioptres if dioptres > 1e-9 else math.inf


def position_text(position: float, unit: str) -> str:
    """A position and its unit, for people."""
    return f"{position:.2f} {unit}".rstrip() if math.isfinite(position) else "an unknown position"


def distance_text(distance_m: float) -> str:
    """A focus distance for people, in brackets and after a blank; empty if it is unknown."""
    if math.isnan(distance_m):
        return ""
    return " (infinity)" if math.isinf(distance_m) else f" ({distance_m:.2f} m)"


class MappedLens:
    """A `LensModel` made of a `LensInfo`."""

    def __init__(self, info: LensInfo) -> None:
        self.info = info
        positions, dioptres = info.map_arrays
        order = np.argsort(dioptres)
        self._by_dioptres = dioptres[order], positions[order]

    @property
    def unit(self) -> str:
        """Unit of positions."""
        return self.info.unit

    @property
    def position_min(self) -> float:
        """Least position."""
        return self.info.position_min

    @property
    def position_max(self) -> float:
        """Greatest position."""
        return self.info.position_max

    @property
    def id(self) -> str:
        """Names the map with all its numbers."""
        return self.info.profile

    @property
    def blur_doubt(self) -> float:
        """See `LensModel.blur_doubt`."""
        return self.info.blur_doubt

    def dioptres(self, position: float) -> float:
        """Focus [1/m] at ``position``, after clipping to the lens's range."""
        within = min(max(position, self.position_min), self.position_max)
        return float(np.interp(within, *self.info.map_arrays))

    def position(self, dioptres: float) -> float:
        """Position that focuses at ``dioptres`` [1/m], clipped to the lens's range."""
        position = float(np.interp(dioptres, *self._by_dioptres))
        return min(max(position, self.position_min), self.position_max)

    def blur_px(
        self, focus_dioptres: float, object_dioptres: float, width_px: int = WORKING_WIDTH_PX
    ) -> float:
        """Signed radius of blur [px]: positive when focused too near."""
        return (
            (focus_dioptres - object_dioptres) * self.info.blur_px_per_dioptre * width_px / WORKING_WIDTH_PX
        )

    def focus_range(self, near_m: float = 0.25) -> tuple[float, float]:
        """The positions, ascending, that focus from infinity to ``near_m`` [m]."""
        return focus_range(self, near_m)


def _check_device(info: LensInfo) -> None:
    if not info.unit or len(info.unit) > _UNIT_LENGTH or not info.unit.isprintable():
        raise LensInfoError(f"unit {info.unit[:40]!r} is none: give a short word such as 'steps'")
    low, high = info.position_min, info.position_max
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise LensInfoError(f"positions from {low!r} to {high!r} {info.unit} are no range")
    for name, most in (("resolution", high - low), ("play", high - low), ("settle_s", SETTLE_MAX_S)):
        if not 0.0 <= (value := getattr(info, name)) <= most:
            raise LensInfoError(f"{name} is {value!r}; it must lie in 0..{most:g}")
    if info.approach not in (EITHER_SIDE, FROM_BELOW, FROM_ABOVE):
        raise LensInfoError(f"approach is {info.approach!r}; it must be 1, -1 or 0")
    if not (math.isfinite(info.blur_px_per_dioptre) and info.blur_px_per_dioptre >= 0.0):
        raise LensInfoError(
            f"blur_px_per_dioptre is {info.blur_px_per_dioptre!r}; it must be a number, 0 or more"
        )
    if not 1.0 <= info.blur_doubt < math.inf:
        raise LensInfoError(f"blur_doubt is {info.blur_doubt!r}; it must be a factor, 1 or more")


def _check_map(info: LensInfo) -> None:
    if not info.map_positions and not info.map_dioptres:
        return
    count = len(info.map_positions)
    if not 2 <= count <= MAP_MAX_POINTS or len(info.map_dioptres) != count:
        raise LensInfoError(
            f"the map has {count} positions and {len(info.map_dioptres)} dioptres; "
            f"it needs as many of both, from 2 to {MAP_MAX_POINTS}"
        )
    positions, dioptres = np.array(info.map_positions), np.array(info.map_dioptres)
    possible = np.isfinite(positions) & (np.abs(dioptres) <= DIOPTRES_MAX)
    if not possible.all():
        at = int(np.argmin(possible))
        raise LensInfoError(
            f"the map has {dioptres[at]:g} D at {positions[at]:g} {info.unit}, which is no number or beyond "
            f"{DIOPTRES_MAX:g} D"
        )
    if not (np.diff(positions) > 0).all():
        raise LensInfoError("the positions of the map must ascend")
    if not (positions[0] < info.position_max and info.position_min < positions[-1]):
        raise LensInfoError(
            f"the map goes from {positions[0]:g} to {positions[-1]:g} {info.unit}, and the lens from "
            f"{info.position_min:g} to {info.position_max:g}: give this lens's own profile"
        )
    steps = np.diff(dioptres)
    if not ((steps > 0).all() or (steps < 0).all()):
        raise LensInfoError("the map turns back: it must always focus nearer, or always farther")
