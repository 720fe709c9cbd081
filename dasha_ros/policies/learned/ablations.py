"""Ablations of `belief_encoder`: A^L without the positions of its pictures, and without the detector."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.belief import STEP_D, BeliefModel, belief_map
from dasha_ros.estimation.profile import Array
from dasha_ros.optics.lens import LensModel
from dasha_ros.policies.learned.belief_encoder import BeliefEncoder
from dasha_ros.policies.learned.focus_encoder import Floats, FocusInputs, Rows
from dasha_ros.policies.moves import MoveLog


class BeliefWithoutDetection(BeliefEncoder):
    """A belief without a detector: it finds what fills the frame, whatever object is wanted.

    Scores and boxes are left out of the belief and of the observation. The observation keeps its size and
    order, so that the same network can be trained.
    """

    def see(self, rows: Rows, pictures: FocusInputs) -> None:
        """See `FocusEncoder`. Detections are left out."""
        deaf = replace(
            pictures,
            score=np.full_like(pictures.score, np.nan),
            box=np.full_like(pictures.box, np.nan),
            detail=np.full_like(pictures.detail, np.nan),
            place=np.full_like(pictures.place, np.nan),
        )
        super().see(rows, deaf)


class BeliefWithoutPosition(BeliefEncoder):
    """The belief of one picture at an unknown lens position.

    Pictures at unknown positions can't be combined, so only the newest one counts. It tells how far the focus
    is from here, but not on which side; the prior is even up to half the lens's range away. Nothing in the
    observation tells where the lens is or was. Actions are moves from here, as long as `BeliefEncoder` would
    have moved. Observation and action keep their size and order, so that the same network can be trained.
    """

    def __init__(self, model: BeliefModel, lens: LensModel, batch: int, *, moving: bool = False) -> None:
        """See `BeliefEncoder`."""
        places_of = belief_map(lens)
        ends = places_of.dioptres(np.array([lens.position_min, lens.position_max]))
        self._middle, reach = float(ends.mean()), float(np.ptp(ends)) / 2.0
        count = int(reach / STEP_D)
        places: Array = self._middle + STEP_D * np.arange(-count, count + 1, dtype=np.float64)
        evenly: Array = np.full(len(places), -np.log(len(places)))
        self._nowhere = MoveLog(lens, batch)
        """A log of a lens that stands in the middle of its range and never moved."""
        self._nowhere.reset(np.arange(batch), places_of.position(np.full(batch, self._middle)))
        super().__init__(model, lens, batch, (places, evenly), moving=moving)

    def see(self, rows: Rows, pictures: FocusInputs) -> None:
        """See `FocusEncoder`. Earlier pictures are forgotten."""
        self._forget(rows)
        super().see(rows, replace(pictures, position=self._nowhere.position[rows]))

    def observation(self, log: MoveLog) -> Floats:
        """See `FocusEncoder`."""
        return super().observation(self._nowhere)

    def position(self, actions: NDArray[np.integer], log: MoveLog) -> Array:
        """See `FocusEncoder`."""
        move = self._map.dioptres(super().position(actions, self._nowhere)) - self._middle
        return self._map.position(self._map.dioptres(log.position) + move)

    def defocus_probability(self, log: MoveLog) -> Array:
        """See `FocusEncoder`."""
        return super().defocus_probability(self._nowhere)

    def focus_probability(self, log: MoveLog) -> Array:
        """See `FocusEncoder`."""
        return super().focus_probability(self._nowhere)
