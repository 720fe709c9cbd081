"""The paper's actions of A^L: a coarse and a fine part of an absolute lens position (paper IV.B)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dasha_ros.optics.lens import LensModel

FINE_STEPS = 10
"""Number of fine actions: tenths of a unit."""


@dataclass(frozen=True, slots=True)
class LensActions:
    """A^L's multi-discrete actions: coarse and fine.

    The paper gives the range, 24.0 to 70.0 V, and "the coarse and the fine", but not their sizes. It writes
    positions with one decimal. Here, coarse counts whole units above the least position (0..46) and fine
    counts
    tenths (0..9). Every tenth of a unit is then exactly one action, except at the upper end, where fine is
    clipped.
    """

    position_min: float
    position_max: float

    @classmethod
    def of(cls, lens: LensModel) -> LensActions:
        """The actions of a lens."""
        return cls(lens.position_min, lens.position_max)

    @property
    def nvec(self) -> tuple[int, int]:
        """Number of coarse and of fine actions: (47, 10) for 24.0..70.0 V."""
        return math.floor(round(self.position_max - self.position_min, 6)) + 1, FINE_STEPS

    def positions(self, actions: NDArray[np.integer]) -> NDArray[np.float64]:
        """The positions of actions, shape (n,), never above ``position_max``.

        Args:
            actions: Shape (n, 2): coarse and fine.
        """
        asked = self.position_min + actions[:, 0] + actions[:, 1] / FINE_STEPS
        positions: NDArray[np.float64] = np.minimum(asked, self.position_max)
        return positions
