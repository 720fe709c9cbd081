"""What an episode may be like, besides the place of its focus: the lens's blur and the object's speed.

The map of a lens says where it focuses and how many px a dioptre of defocus blurs. The second depends on the
aperture, which many lenses have on a ring that nobody reads, and on the size of the pixels. Where
nobody measured it, it is one more unknown of an episode, and the pictures of a few places tell it: what stays
sharp over half the range blurs less than the map says.

An object that moves in depth is described in `motion`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dasha_ros.estimation.candidates import probability_within
from dasha_ros.estimation.motion import MOVES, SPEEDS
from dasha_ros.estimation.profile import Array

RUNGS = (0.16, 0.25, 0.4, 0.63, 1.0, 1.6, 2.5, 4.0, 6.3)
"""How many times as much as the map says something may blur: preferred numbers of the series R5 (ISO 3)."""
CHANCES = (0.72, 0.08, 0.04, 0.02)
"""Prior probability of the map's own scale, and of each scale that is one, two and three rungs away from it
on either side: what a data sheet says is mostly right."""


@dataclass(frozen=True)
class Cases:
    """The s cases that are told apart; each has a scale of blur and a speed of the object."""

    rungs: Array
    """The scale of each case between the one below and the one above it, for objects that look unlike
    others, shape (s, 3)."""
    log_prior: Array
    """Log probability of each case, shape (s,)."""
    speeds: Array
    """Speed of each case away from the camera [m/s], shape (s,)."""

    @property
    def scales(self) -> Array:
        """The scale of each case, shape (s,)."""
        return self.rungs[:, 1]

    @property
    def moves(self) -> bool:
        """Whether any case has a speed."""
        return bool(self.speeds.any())

    def likeliest(self, chances: Array) -> Array:
        """The scale nearest to the mean, shape (batch,).

        Args:
            chances: Probability of each case, shape (batch, s); rows sum to 1.
        """
        logarithms = np.log(self.scales)
        mean = chances @ logarithms
        result: Array = self.scales[np.abs(mean[:, None] - logarithms).argmin(axis=1)]
        return result

    def probability_within(self, both: Array, dioptres: Array, centre: Array, radius: float) -> Array:
        """Probability of little blur at a place, over all cases, shape (batch,).

        Args:
            both: Probability of each case and place, shape (batch, s, h).
            dioptres: The places [1/m], shape (h,).
            centre: Where the lenses focus [1/m], shape (batch,).
            radius: How far away blur is little if the map is right [1/m].
        """
        within = np.zeros(len(both))
        for scale in np.unique(self.scales):
            places = both[:, self.scales == scale].sum(axis=1)
            within += probability_within(places, dioptres, centre, radius / scale)
        return within


def _around(count: int) -> Cases:
    """The map's own scale, and so many on either side."""
    middle = RUNGS.index(1.0)
    chances = np.array([CHANCES[abs(away)] for away in range(-count, count + 1)])
    rungs = [RUNGS[middle + away - 1 : middle + away + 2] for away in range(-count, count + 1)]
    return Cases(np.array(rungs), np.log(chances / chances.sum()), np.zeros(len(chances)))


KNOWN, UNKNOWN = _around(0), _around(len(CHANCES) - 1)
"""Of a lens whose blur is known, and of one that may blur 0.25 to 4 times as much as its map says."""
MOVING = Cases(
    np.repeat(KNOWN.rungs, 1 + len(SPEEDS), axis=0),
    np.log([1.0 - MOVES, *(MOVES / len(SPEEDS) for _ in SPEEDS)]),
    np.array([0.0, *SPEEDS]),
)
"""Of a lens whose blur is known and an object that may move; it stands still in the first case."""


def cases_of(doubt: float, *, moving: bool = False) -> Cases:
    """The scales of a lens; or, where its scale is known, the speeds of an object.

    A scale that is wrong looks like a speed, so both together would be confused.

    Args:
        doubt: See `LensModel.blur_doubt`. Factors beyond those of `UNKNOWN` are not told apart.
        moving: Whether the object may move in depth.
    """
    cases = _around(sum(1.0 < rung <= doubt for rung in UNKNOWN.scales))
    return MOVING if moving and len(cases.scales) == 1 else cases
