"""What A^L of the preset ``plus`` sees and can do: a belief about the focus, and moves relative to it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.belief import BeliefModel, FocusBelief, belief_map
from dasha_ros.estimation.candidates import Candidate, candidates
from dasha_ros.estimation.motion import Elapsed
from dasha_ros.estimation.own_sharpness import SHARP_PX as SHARP_ENOUGH_PX
from dasha_ros.estimation.profile import Array
from dasha_ros.optics.lens import LensModel
from dasha_ros.policies.learned.focus_encoder import Floats, FocusInputs, Rows
from dasha_ros.policies.moves import MoveLog

FRAMES = 3
"""Number of pictures in an observation."""
WINDOW_PX, APART_PX = 1.5, 4.0
"""Half width of a candidate, and least distance between the two [px of blur at 640]."""
UNREAD = 16
"""Number of pictures before the first detection that are read again."""
FIRST_OFFSETS = (0.0, 0.5, 1.0, 2.0, -0.5, -1.0)
"""Offsets of moves to the first candidate, in shares of its spread: short of it, or past it (negative)."""
SECOND_OFFSETS = (0.0, 1.0)
EXPLORE_PX = (1.5, -1.5, 4.0, -4.0, 12.0, -12.0)
"""Moves from here [px of blur at 640], for cases that the belief does not foresee."""
SHARP_PX = 1.0
"""A picture with at most this blur counts as sharp [px of blur at 640]."""
SPREAD_PX = (0.1, 8.0)
"""Least and greatest spread for offsets [px of blur at 640]."""
ACTIONS = 2 + len(FIRST_OFFSETS) + len(SECOND_OFFSETS) + len(EXPLORE_PX)
STAY = 0
"""The action that leaves the lens where it is."""


class BeliefEncoder:
    """A belief about where the focus is, from early latents (see `estimation.belief`).

    Observation: where the lens is; distance [asinh of px of blur], probability and spread of the two best
    candidates of the posterior; the probabilities that the focus is here, nearer or farther, and that the
    object is at another depth than what fills the frame; the numbers read from the last three pictures,
    and where these were taken, relative to here; direction and size of the last move, and the number of
    reversals.

    Action, one choice of `ACTIONS`: stay; go to a candidate, or short of it, or past it; go to the
    posterior's mean; move from here.
    """

    def __init__(
        self,
        model: BeliefModel,
        lens: LensModel,
        batch: int,
        prior: tuple[Array, Array] | None = None,
        *,
        moving: bool = False,
    ) -> None:
        """Nothing seen yet.

        Args:
            model: Models of latents and detections.
            lens: Maps positions to focus and blur.
            batch: Number of episodes.
            prior: Prior of the belief; see `FocusBelief`.
            moving: Whether the object may move in depth.
        """
        self._map = belief_map(lens)
        self._belief = FocusBelief(model, self._map, batch, prior, moving=moving)
        self._elapsed = Elapsed(batch)
        self._pictures = np.zeros((batch, FRAMES, 4 + 2 * model.frame.mean.shape[1]))
        self._best_score = np.zeros(batch)
        self._found = np.zeros(batch, bool)
        self._unread = np.full((batch, UNREAD, 2 + model.detail.mean.shape[1]), np.nan)
        """Where the lens was in the pictures before the first detection, when, and what `place` was then."""
        self._ahead: tuple[Candidate, Candidate] | None = None
        self.size = self.observation(MoveLog(lens, batch)).shape[1]
        """Length of an observation."""

    @property
    def scale(self) -> float:
        """See `FocusEncoder`."""
        return self._map.scale

    @property
    def px_per_dioptre(self) -> Array:
        """Blur of a unit of the map [px at 640], by the scale of blur that is likeliest, shape (batch,)."""
        return self._map.px_per_dioptre * self._belief.blur_scale

    @property
    def nvec(self) -> tuple[int, ...]:
        """One choice."""
        return (ACTIONS,)

    def reset(self, rows: Rows, pictures: FocusInputs) -> None:
        """See `FocusEncoder`."""
        self._forget(rows)
        self.see(rows, pictures)

    def see(self, rows: Rows, pictures: FocusInputs) -> None:
        """See `FocusEncoder`."""
        self._belief_changed()
        score = np.nan_to_num(pictures.score)
        best = self._best_score[rows] = np.maximum(self._best_score[rows], score)
        # What was once detected is still there when the detector is silent.
        lost = self._found[rows] & ~pictures.detected
        detail = np.where(lost[:, None], pictures.place, pictures.detail)
        trust = np.where(lost, best, score)
        seconds = self._elapsed.see(rows, pictures.taken_s)
        self._read_again(rows, pictures, score, seconds)
        self._found[rows] |= pictures.detected
        frame, heard = pictures.frame, pictures.score
        if pictures.given is not None:
            # Of a given place, only its own pixels tell.
            frame = np.where(pictures.given[:, None], np.nan, frame)
            heard = np.where(pictures.given, np.nan, heard)
        inputs = pictures.position, frame, pictures.box, heard
        self._belief.add(
            rows,
            *inputs,
            detail=detail,
            trust=trust,
            cells=pictures.cells,
            seconds=seconds,
            ahead=self._elapsed.ahead(rows),
            colour=pictures.colour,
        )
        boxed = np.isfinite(pictures.box).all(axis=1, keepdims=True)
        newest = np.concatenate(
            [
                pictures.position[:, None],
                np.ones_like(boxed, np.float64),
                score[:, None],
                pictures.brisque[:, None] / 100.0,
                pictures.frame,
                np.where(boxed, pictures.box, 0.0),
            ],
            axis=1,
        )
        self._pictures[rows] = np.concatenate([newest[:, None], self._pictures[rows, :-1]], axis=1)

    def _read_again(self, rows: Rows, pictures: FocusInputs, score: Array, seconds: Array) -> None:
        """Once the object is found, what earlier pictures show of its detail counts, too."""
        waits = ~self._found[rows]
        first = waits & pictures.detected
        if first.any():
            mine = rows[first]
            earlier = self._unread[mine]
            if pictures.again is not None:
                count = min(pictures.again.shape[1], UNREAD)
                earlier[:, UNREAD - count :, 2:] = pictures.again[first, pictures.again.shape[1] - count :]
            self._belief.own.reset(mine)
            for picture in np.moveaxis(earlier, 1, 0):
                seen = np.isfinite(picture[:, 0])
                here = self._map.dioptres(picture[seen, 0])
                cells, trust = pictures.cells[first][seen], score[first][seen]
                self._belief.own.add(
                    mine[seen], here, picture[seen, 2:], trust, cells, seconds=picture[seen, 1]
                )
        newest = np.column_stack([pictures.position, seconds, pictures.place])[waits]
        self._unread[rows[waits]] = np.concatenate([self._unread[rows[waits], 1:], newest[:, None]], axis=1)

    def observation(self, log: MoveLog) -> Floats:
        """See `FocusEncoder`."""
        here = self._map.dioptres(log.position)
        px = self.px_per_dioptre
        posterior, grid = self._belief.posterior, self._belief.dioptres
        columns = [here / 5.0]
        for place in self._candidates():
            columns += [
                squeezed((place.dioptres - here) * px),
                place.mass,
                squeezed(place.spread * px),
            ]
        mean = posterior @ grid
        columns += [
            squeezed((mean - here) * px),
            squeezed(np.sqrt(np.maximum(posterior @ grid**2 - mean**2, 0.0)) * px),
            self._within(SHARP_PX, log),
            self._within(2.0 * SHARP_PX, log),
            (posterior * (grid > here[:, None])).sum(axis=1),
            self._belief.separate,
            self._best_score,
            squeezed((here - self._map.dioptres(log.position - log.last)) * px),
            np.sign(log.direction),
            log.reversals / 2.0,
        ]
        pictures = self._pictures.copy()
        known = pictures[:, :, 1] > 0.0
        at = self._map.dioptres(pictures[:, :, 0])
        pictures[:, :, 0] = np.where(known, squeezed((at - here[:, None]) * px[:, None]), 0.0)
        stacked = np.column_stack(columns)
        return np.concatenate([stacked, pictures.reshape(len(here), -1)], axis=1).astype(np.float32)

    def position(self, actions: NDArray[np.integer], log: MoveLog) -> Array:
        """See `FocusEncoder`."""
        here = self._map.dioptres(log.position)
        px = self.px_per_dioptre
        places = [here]
        for place, offsets in zip(self._candidates(), (FIRST_OFFSETS, SECOND_OFFSETS), strict=True):
            spread = np.clip(place.spread, SPREAD_PX[0] / px, SPREAD_PX[1] / px)
            towards = np.sign(here - place.dioptres)
            places += [place.dioptres + towards * spread * offset for offset in offsets]
        places.append(self._belief.posterior @ self._belief.dioptres)
        places += [here + step / px for step in EXPLORE_PX]
        choice = np.asarray(actions).reshape(len(here), -1)[:, 0]
        chosen = np.stack(places, axis=1)[np.arange(len(here)), choice]
        result: Array = np.where(choice == STAY, log.position, self._map.position(chosen))
        return result

    def defocus_probability(self, log: MoveLog) -> Array:
        """See `FocusEncoder`: the probability that the focus is more than `SHARP_PX` of blur from here."""
        return 1.0 - self._within(SHARP_PX, log)

    def focus_probability(self, log: MoveLog) -> Array:
        """See `FocusEncoder`."""
        return self._within(SHARP_ENOUGH_PX, log)

    def belief(self, row: int) -> tuple[Array, Array]:
        """Focus positions [1/m] and the probability of each, in one episode; shape (h,)."""
        return self._belief.dioptres / self._map.scale, self._belief.posterior[row]

    def sharp_probability(self, log: MoveLog) -> Array:
        """See `FocusEncoder`."""
        return self._belief.own.probability(self._map.dioptres(log.position))

    def is_far(self, position: Array, log: MoveLog) -> NDArray[np.bool_]:
        """See `FocusEncoder`."""
        apart = self._map.dioptres(position) - self._map.dioptres(log.position)
        far: NDArray[np.bool_] = np.abs(apart) * self.px_per_dioptre > SHARP_ENOUGH_PX
        return far

    def sharpest(self, log: MoveLog) -> Array:
        """See `FocusEncoder`."""
        return self._map.position(self._belief.own.sharpest().dioptres)

    def next_look(self, log: MoveLog) -> Array:
        """See `FocusEncoder`."""
        look = self._belief.own.next_look(self._map.dioptres(log.position), self._map.reach)
        result: Array = self._map.position(look)
        return result

    def search(self, log: MoveLog) -> Array:
        """See `FocusEncoder`: it has no plans."""
        return log.position.copy()

    def _belief_changed(self) -> None:
        """What was derived from the belief no longer holds."""
        self._ahead = None

    def _forget(self, rows: Rows) -> None:
        self._belief.reset(rows)
        self._elapsed.reset(rows)
        self._pictures[rows] = 0.0
        self._best_score[rows] = 0.0
        self._found[rows] = False
        self._unread[rows] = np.nan

    def _within(self, px: float, log: MoveLog) -> Array:
        here, window = self._map.dioptres(log.position), px / self._map.px_per_dioptre
        belief = self._belief
        return belief.cases.probability_within(belief.both, belief.dioptres, here, window)

    def _candidates(self) -> tuple[Candidate, Candidate]:
        if self._ahead is None:
            px = self.px_per_dioptre
            self._ahead = candidates(
                self._belief.posterior, self._belief.dioptres, WINDOW_PX / px, APART_PX / px
            )
        return self._ahead


def squeezed(value: Array) -> Array:
    """Compress large numbers and keep small ones."""
    result: Array = np.arcsinh(value) / 2.0
    return result
