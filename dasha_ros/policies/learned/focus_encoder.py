"""What A^L sees and what it can do, once for every place where it lives.

An interface turns pictures into observations and actions into lens positions, for a batch of episodes:
one episode over a rig or in a policy, many over the percept cache. Training, evaluation and
the running agent use the same objects, so an observation means the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.profile import Array
from dasha_ros.optics.lens import LensModel
from dasha_ros.policies.moves import MoveLog
from dasha_ros.policies.spaces import FINE_STEPS, LensActions

Floats = NDArray[np.float32]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class FocusInputs:
    """What is read of one picture of each of b episodes."""

    position: Array
    """Where the lens was commanded to, shape (b,)."""
    score: Array
    """Of the best detection of what was asked for, 0 without one, shape (b,)."""
    detected: NDArray[np.bool_]
    """Whether the score is what the task asks for, shape (b,)."""
    brisque: Array
    """Shape (b,)."""
    latent: Floats
    """Last-layer latent, shape (b, n); n = 0 where the interface does not use it."""
    frame: Array
    """Numbers read from the early latent of the frame, shape (b, m)."""
    box: Array
    """Numbers read from the early latent inside the best detection's box, shape (b, m); NaN without one."""
    peak: Array | None = None
    """P of Eq. 7, grey levels 0..255, shape (b,); ``None`` where nobody asked for it."""

    def take(self, rows: Rows) -> FocusInputs:
        """Those of some of the episodes."""
        values: dict[str, Any] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        taken: dict[str, Any] = {name: v if v is None else v[rows] for name, v in values.items()}
        return FocusInputs(**taken)


class FocusEncoder(Protocol):
    """What A^L sees and can do, for a batch of episodes."""

    @property
    def size(self) -> int:
        """Length of an observation."""
        ...

    @property
    def nvec(self) -> tuple[int, ...]:
        """Number of choices of each part of an action."""
        ...

    def reset(self, rows: Rows, pictures: FocusInputs) -> None:
        """Begin these episodes with their first pictures."""
        ...

    def see(self, rows: Rows, pictures: FocusInputs) -> None:
        """Take in the pictures that answer the last moves of these episodes."""
        ...

    def observation(self, log: MoveLog) -> Floats:
        """Shape (batch, size)."""
        ...

    def position(self, actions: NDArray[np.integer], log: MoveLog) -> Array:
        """Where actions of shape (batch, parts) take the lens, inside its range; shape (batch,)."""
        ...

    def defocus_probability(self, log: MoveLog) -> Array:
        """How sure it is that the lens is out of focus where it stands, 0..1, shape (batch,).

        Read from pictures alone. An interface that believes nothing has no doubts: 0.
        """
        ...


class LatentFocusEncoder:
    """As in the paper: the latent of one frame (Eq. 5), absolute coarse and fine volts."""

    def __init__(self, lens: LensModel, batch: int, latent_size: int) -> None:
        self._actions = LensActions.of(lens)
        self._latent = np.zeros((batch, latent_size), np.float32)

    @property
    def size(self) -> int:
        """Length of an observation."""
        return self._latent.shape[1]

    @property
    def nvec(self) -> tuple[int, ...]:
        """Coarse and fine."""
        return self._actions.nvec

    def reset(self, rows: Rows, pictures: FocusInputs) -> None:
        """See `FocusEncoder`."""
        self.see(rows, pictures)

    def see(self, rows: Rows, pictures: FocusInputs) -> None:
        """See `FocusEncoder`."""
        self._latent[rows] = pictures.latent

    def observation(self, log: MoveLog) -> Floats:
        """See `FocusEncoder`."""
        return self._latent.copy()

    def position(self, actions: NDArray[np.integer], log: MoveLog) -> Array:
        """See `FocusEncoder`."""
        asked = self._actions.position_min + actions[:, 0] + actions[:, 1] / FINE_STEPS
        result: Array = np.minimum(asked, self._actions.position_max)
        return result

    def defocus_probability(self, log: MoveLog) -> Array:
        """See `FocusEncoder`."""
        return np.zeros(len(self._latent))
