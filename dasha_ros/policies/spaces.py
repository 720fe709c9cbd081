"""What the agents see and what they can do (paper IV.A and IV.B), as plain numpy.

A^H's discrete actions are the indices of an `ExposureTable`. Nodes must start fast, so there is no
Gymnasium here; `learning.envs` wraps the actions in its spaces.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dasha_ros.optics.lens import LensModel
from dasha_ros.perception.percept import Percept

GREY_MAX = 255.0
FINE_STEPS = 10
"""Fine control: tenths of a unit."""


class ActionError(ValueError):
    """An action outside its space."""


@dataclass(frozen=True, slots=True)
class FocusObservation:
    """o^L = E(I), Eq. 5."""

    latent: NDArray[np.float32]
    """Shape (n,); n = 2048 for the paper's ResNet-152."""

    @classmethod
    def of(cls, percept: Percept) -> FocusObservation:
        """What A^L sees of a percept."""
        return cls(percept.latent)

    def vector(self) -> NDArray[np.float32]:
        """Shape (n,)."""
        return self.latent.astype(np.float32, copy=False)


@dataclass(frozen=True, slots=True)
class ExposureObservation:
    """o^H = (E(I), val, bin), Eq. 6."""

    latent: NDArray[np.float32]
    """Shape (n,)."""
    counts: NDArray[np.uint32]
    """"val", shape (10,): pixels in each bin."""
    edges: NDArray[np.float32]
    """"bin", shape (11,): grey levels."""

    @classmethod
    def of(cls, percept: Percept) -> ExposureObservation:
        """What A^H sees of a percept."""
        return cls(percept.latent, percept.histogram_counts, percept.histogram_edges)

    def vector(self) -> NDArray[np.float32]:
        """Shape (n + 21,), each part of order one.

        The paper does not say how it scales the histogram. Raw counts of a
        2-megapixel image would drown the latent, so counts become shares of
        the image and edges shares of full scale.
        """
        share = self.counts / max(int(self.counts.sum()), 1)
        vector: NDArray[np.float32] = np.concatenate(
            (self.latent, share, self.edges / GREY_MAX), dtype=np.float32, casting="same_kind"
        )
        return vector


@dataclass(frozen=True, slots=True)
class LensActions:
    """A^L's multi-discrete actions: coarse and fine (paper IV.B).

    The paper gives the range, 24.0 to 70.0 V, and "the coarse and the fine", not their
    sizes. It writes positions with one decimal, so here coarse counts whole units above
    the least (0..46) and fine counts tenths (0..9): every tenth of a unit can be said
    in exactly one way, except the greatest, where fine has nowhere to go and is clipped.
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

    def position(self, coarse: int, fine: int) -> float:
        """The position of an action, never above ``position_max``.

        Raises:
            ActionError: Outside the space.
        """
        n_coarse, n_fine = self.nvec
        if not (0 <= coarse < n_coarse and 0 <= fine < n_fine):
            raise ActionError(
                f"lens action ({coarse}, {fine}) refused: coarse goes 0..{n_coarse - 1}, fine 0..{n_fine - 1}"
            )
        return min(round(self.position_min + int(coarse) + int(fine) / n_fine, 6), self.position_max)

    def action(self, position: float) -> tuple[int, int]:
        """The action nearest to a position.

        Raises:
            ActionError: Not a finite number inside the range.
        """
        if not (math.isfinite(position) and self.position_min <= position <= self.position_max):
            raise ActionError(
                f"position {position!r} refused: it must be a number from {self.position_min} to "
                f"{self.position_max}"
            )
        tenths = round((position - self.position_min) * FINE_STEPS)
        coarse, fine = divmod(tenths, FINE_STEPS)
        return coarse, fine
