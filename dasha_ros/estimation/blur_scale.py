"""How much more or less than its map says a lens may blur.

The map of a lens says where it focuses and how many px a dioptre of defocus blurs. The second depends on the
aperture, which many lenses have on a ring that nobody reads, and on the size of the pixels. Where
nobody measured it, it is one more unknown of an episode, and the pictures of a few places tell it: what stays
sharp over half the range blurs less than the map says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dasha_ros.estimation.candidates import probability_within
from dasha_ros.estimation.profile import Array

RUNGS = (0.16, 0.25, 0.4, 0.63, 1.0, 1.6, 2.5, 4.0, 6.3)
"""How many times as much as the map says something may blur: preferred numbers of the series R5 (ISO 3)."""
CHANCES = (0.72, 0.08, 0.04, 0.02)
"""Prior probability of the map's own scale, and of each scale that is one, two and three rungs away from it
on either side: what a data sheet says is mostly right."""


@dataclass(frozen=True)
class BlurScales:
    """The scales of a lens that are told apart, ascending."""

    rungs: Array
    """The scales, and one more at either end for objects that look unlike others, shape (s + 2,)."""
    log_prior: Array
    """Log probability of each scale, shape (s,)."""

    @property
    def values(self) -> Array:
        """The scales, shape (s,)."""
        return self.rungs[1:-1]

    def likeliest(self, chances: Array) -> Array:
        """The scale nearest to the mean, shape (batch,).

        Args:
            chances: Probability of each scale, shape (batch, s); rows sum to 1.
        """
        logarithms = np.log(self.values)
        mean = chances @ logarithms
        result: Array = self.values[np.abs(mean[:, None] - logarithms).argmin(axis=1)]
        return result

    def probability_within(self, both: Array, dioptres: Array, centre: Array, radius: float) -> Array:
        """Probability of little blur at a place, over all scales, shape (batch,).

        Args:
            both: Probability of each scale and place, shape (batch, s, h).
            dioptres: The places [1/m], shape (h,).
            centre: Where the lenses focus [1/m], shape (batch,).
            radius: How far away blur is little if the map is right [1/m].
        """
        within = np.zeros(len(both))
        for scale, places in zip(self.values, np.moveaxis(both, 1, 0), strict=True):
            within += probability_within(places, dioptres, centre, radius / scale)
        return within


def _around(count: int) -> BlurScales:
    """The map's own scale, and so many on either side."""
    middle = RUNGS.index(1.0)
    chances = np.array([CHANCES[abs(away)] for away in range(-count, count + 1)])
    rungs = np.array(RUNGS[middle - count - 1 : middle + count + 2])
    return BlurScales(rungs, np.log(chances / chances.sum()))


KNOWN, UNKNOWN = _around(0), _around(len(CHANCES) - 1)
"""Of a lens whose blur is known, and of one that may blur 0.25 to 4 times as much as its map says."""


def blur_scales(doubt: float) -> BlurScales:
    """The scales of a lens.

    Args:
        doubt: See `LensModel.blur_doubt`. Factors beyond those of `UNKNOWN` are not told apart.
    """
    return _around(sum(1.0 < rung <= doubt for rung in UNKNOWN.values))
