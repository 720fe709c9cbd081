"""What A^L sees and what it can do, in training, evaluation and on a robot.

An encoder turns pictures into observations and actions into lens positions, for a batch of episodes:
one episode over a rig or in a policy, many over the percept cache. Training, evaluation and
the running agent use the same encoders, so an observation means the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.profile import Array
from dasha_ros.optics.lens import LensModel
from dasha_ros.optics.limited_lens import whole_of
from dasha_ros.policies.lens_actions import LensActions
from dasha_ros.policies.moves import MoveLog

Floats = NDArray[np.float32]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class FocusInputs:
    """What is read from one picture of each of b episodes."""

    position: Array
    """Where the lens was commanded to, shape (b,)."""
    score: Array
    """Score of the best detection of a wanted object, 0 without one, shape (b,)."""
    detected: NDArray[np.bool_]
    """Whether the score reaches the task's ``min_score``, shape (b,)."""
    brisque: Array
    """Shape (b,)."""
    latent: Floats
    """Last-layer latent, shape (b, n); n = 0 where the encoder does not use it."""
    frame: Array
    """Numbers read from the early latent of the frame, shape (b, m)."""
    box: Array
    """Numbers read from the early latent inside the best detection's box, shape (b, m); NaN without one."""
    detail: Array
    """Numbers read from the object's own detail inside that box, shape (b, m); NaN without one."""
    place: Array
    """The same where the object was last detected in this episode, shape (b, m); NaN where that is unknown.
    An encoder uses it only after a detection, because over the percept cache it is always known."""
    cells: Array
    """How many cells of the map of detail ``detail``, or else ``place``, is read from, shape (b,); NaN where
    no place is known, and in training. Who learns that small objects count less looks more often for all of
    them, which costs 0.3 moves at two depths, and no more goals end well."""
    colour: Array | None = None
    """`colour_sign.colour_ratio` in the best detection's box, or where the object was last detected, shape
    (b, bands); NaN where that is unknown, ``None`` where the encoder does not use it."""
    given: NDArray[np.bool_] | None = None
    """Whether the object's place was given, shape (b,): then no detector found it, and its score, 1, tells
    nothing of its focus. ``None``: nowhere."""
    again: Array | None = None
    """Where the object was first detected in this picture: the same there in the episode's earlier pictures,
    oldest first, shape (b, k, m). ``None``: what ``place`` was then holds."""
    peak: Array | None = None
    """P of Eq. 7, grey levels 0..255, shape (b,); ``None`` where it is not needed."""
    taken_s: Array | None = None
    """When the picture was taken, by any clock [s], shape (b,); ``None`` in training, where nothing moves."""

    def take(self, rows: Rows) -> FocusInputs:
        """The inputs of some of the episodes."""
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

    @property
    def scale(self) -> float:
        """What thresholds in dioptres are divided by for this lens; see `MoveLog`."""
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
        """The targets of actions of shape (batch, parts), inside the lens's range; shape (batch,)."""
        ...

    def defocus_probability(self, log: MoveLog) -> Array:
        """Probability that the lens is out of focus where it stands, shape (batch,).

        Based on the pictures alone; 0 for an encoder without a belief.
        """
        ...

    def focus_probability(self, log: MoveLog) -> Array:
        """Probability that the object has at most 2 px of blur where the lens stands, shape (batch,).

        Based on everything that was seen; NaN for an encoder without a belief.
        """
        ...

    def sharp_probability(self, log: MoveLog) -> Array:
        """Probability that the object itself is sharp where the lens stands, shape (batch,).

        Based on its own detail alone; NaN for an encoder without a belief, or where no detail is known.
        """
        ...

    def is_far(self, position: Array, log: MoveLog) -> NDArray[np.bool_]:
        """Whether an object that is sharp where the lens stands would be blurred at ``position``."""
        ...

    def sharpest(self, log: MoveLog) -> Array:
        """Where the object's own detail says that it is sharpest, shape (batch,)."""
        ...

    def next_look(self, log: MoveLog) -> Array:
        """Where a picture would tell most about the object's own sharpness, shape (batch,)."""
        ...

    def search(self, log: MoveLog) -> Array:
        """Where to look next for an object that the detector does not find, shape (batch,).

        Where the lens stands, for an encoder without plans.
        """
        ...


class LatentFocusEncoder:
    """As in the paper: the latent of one frame (Eq. 5), absolute coarse and fine positions."""

    def __init__(self, lens: LensModel, batch: int, latent_size: int) -> None:
        # The network's choices are places of the whole lens.
        self._actions = LensActions.of(whole_of(lens))
        self._limits = lens.position_min, lens.position_max
        self._latent = np.zeros((batch, latent_size), np.float32)

    @property
    def size(self) -> int:
        """Length of an observation."""
        return self._latent.shape[1]

    @property
    def scale(self) -> float:
        """See `FocusEncoder`: 1, because it fits one lens only."""
        return 1.0

    @property
    def nvec(self) -> tuple[int, ...]:
        """Number of coarse and of fine actions."""
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
        result: Array = np.clip(self._actions.positions(actions), *self._limits)
        return result

    def defocus_probability(self, log: MoveLog) -> Array:
        """See `FocusEncoder`."""
        return np.zeros(len(self._latent))

    def focus_probability(self, log: MoveLog) -> Array:
        """See `FocusEncoder`."""
        return np.full(len(self._latent), np.nan)

    def sharp_probability(self, log: MoveLog) -> Array:
        """See `FocusEncoder`."""
        return np.full(len(self._latent), np.nan)

    def is_far(self, position: Array, log: MoveLog) -> NDArray[np.bool_]:
        """See `FocusEncoder`."""
        return np.zeros(len(position), bool)

    def sharpest(self, log: MoveLog) -> Array:
        """See `FocusEncoder`."""
        return log.position.copy()

    def next_look(self, log: MoveLog) -> Array:
        """See `FocusEncoder`."""
        return log.position.copy()

    def search(self, log: MoveLog) -> Array:
        """See `FocusEncoder`."""
        return log.position.copy()
