"""How sure it is that the object itself is sharp: a posterior over its focus by its own detail alone.

Whatever fills the frame, and whatever the detector prefers, do not count here. The object's blur is read at
each place of the lens, from the same part of its surface, and the object's own amount of texture is
integrated out (`profile`). An object may look less or more blurred than it is (a response curve, its own
kind of texture): a rung of `cases.RUNGS` less, the same, and one more are equally likely, and a goal's
pictures tell which fits. Where the lens's scale of blur is not known, it is integrated out, too.

Some objects are unlike all that was fitted: nearly without texture, or noisy. For them counts what needs no
model. Where the object was seen to be more blurred at most `BRACKET_PX` away on both sides, and nowhere
sharper, its focus is nearer to here than to either, so its blur is at most half of that. And as long as the
object was nowhere seen to be more blurred than here, how sharp it looks says little: a coarse label at 4 px
of blur looks like a fine one in focus.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.candidates import Candidate, likeliest
from dasha_ros.estimation.cases import KNOWN, Cases
from dasha_ros.estimation.motion import carried, places_after
from dasha_ros.estimation.profile import Array, Profile, ProfileEvidence, nearest_node

MISTAKEN = 0.02
"""Share of objects whose detail tells nothing of their blur."""
SURE_SCORES = (0.1, 0.4)
"""The weight of a detection's box grows from 0 to 1 between these scores: an unsure detection may be another
thing, sharp at another depth."""
ENOUGH_CELLS = 8.0
"""An object whose core covers fewer cells of the map of detail counts less: a small object's cells hold its
outline and what is beside it, whose detail need not be the object's."""
SHARP_PX = 2.0
"""An object with at most this blur counts as sharp when a goal ends [px of blur at 640]."""
BRACKET_PX = 2.0 * SHARP_PX
"""So near are the places on both sides where detail must have fallen [px of blur at 640]."""
FALL = 0.1
"""Increase of the logarithm of the blur that is no noise of the reading."""
BRACKETED = 0.95
"""Least probability that an object is sharp where its detail was seen to fall on both sides."""
UNCOMPARED = 0.5
"""Greatest probability that an object is sharp as long as it was nowhere seen to be more blurred."""
LOOKS_PX = (3.0, 6.0)
"""How far beside a place looks tell whether the object gets sharper there [px of blur at 640]."""
NOVEL_PX = 2.5
"""A picture counts fully if it was taken at least this much blur away from all earlier ones [px at 640],
and less if nearer. The model's errors are the same at one place, so more pictures of it add no certainty."""
_SEEN_PX = 1.5
"""A place so near to one that was visited tells nothing new [px of blur at 640]."""
_LEAST_CHANCE = 1e-12
"""Of a scale: however unlikely, the object's own detail may still speak for it."""
_TINY = np.finfo(np.float64).tiny
_PICTURES = 16
"""Number of places that are remembered."""


def sureness(scores: NDArray[np.floating]) -> Array:
    """How much boxes count by the scores of their detections (`SURE_SCORES`), 0..1."""
    low, high = SURE_SCORES
    share: Array = np.clip((scores - low) / (high - low), 0.0, 1.0)
    return share


class OwnSharpness:
    """The posterior of a batch of episodes."""

    def __init__(
        self,
        profile: Profile,
        batch: int,
        dioptres: Array,
        prior: Array,
        px_per_dioptre: float,
        *,
        cases: Cases = KNOWN,
        scale: float = 1.0,
    ) -> None:
        """Nothing seen yet.

        Args:
            profile: How the numbers read from an object's detail depend on blur.
            batch: Number of episodes.
            dioptres: Hypotheses [1/m], shape (h,).
            prior: Their log probabilities, shape (h,).
            px_per_dioptre: Blur radius of a dioptre [px at 640], as the lens's map has it.
            cases: How much more or less than that it may be, and how the object may move.
            scale: How many units of the map a dioptre is (`LensMap.scale`).
        """
        self.dioptres, self._prior, self._cases = dioptres, prior, cases
        self._mapped_px = px_per_dioptre
        pairs = np.column_stack([cases.rungs.ravel(), np.repeat(cases.speeds, 3)])
        variants, which = np.unique(pairs, axis=0, return_inverse=True)
        self._rungs, self._speeds = variants.T
        self._of_case = which.reshape(-1, 3)
        """For each case, which rungs at which speeds are equally likely, shape (s, 3)."""
        self._evidence = ProfileEvidence(profile, batch, len(variants) * len(dioptres))
        self._map_scale, self._seconds = scale, np.zeros(batch)
        self._log_cases = np.repeat(cases.log_prior[None], batch, axis=0)
        """Log probability of each case, by all but the object's own detail, shape (batch, s)."""
        self._px = np.full(batch, px_per_dioptre)
        """Blur radius of a dioptre by the scale that all else tells [px at 640], shape (batch,)."""
        self._visited = np.full((batch, _PICTURES), np.inf)
        self._blur = np.full((batch, _PICTURES), np.nan)
        """First number of each picture, the logarithm of the blur; NaN where the object is not known."""
        self._both = np.repeat(self._prior_of_both()[None], batch, axis=0)
        """Probability of each case and place by now, shape (batch, s, h)."""
        self.posterior = self._both.sum(axis=1)
        """Shape (batch, h); rows sum to 1."""
        self.heard = np.zeros(batch, bool)
        """Whether any detail of the object counted, shape (batch,)."""
        self._told = np.empty((batch, *self._both.shape[1:]))
        """The log likelihood of all that was added, shape (batch, s, h), where it is not `_outdated`."""
        self._outdated = np.ones(batch, bool)
        self._sharpest: Candidate | None = None
        """Of the posterior; ``None``: not computed since it changed."""

    def reset(self, rows: NDArray[np.intp]) -> None:
        """Restart these episodes with the prior."""
        self._evidence.reset(rows)
        self._seconds[rows] = 0.0
        self._outdated[rows] = True
        self._sharpest = None
        self._visited[rows] = np.inf
        self._blur[rows] = np.nan
        self._log_cases[rows] = self._cases.log_prior
        self._px[rows] = self._mapped_px
        self._both[rows] = self._prior_of_both()
        self.posterior[rows] = self._both[rows].sum(axis=1)
        self.heard[rows] = False

    def add(
        self,
        rows: NDArray[np.intp],
        here: Array,
        numbers: NDArray[np.floating],
        trust: NDArray[np.floating],
        cells: NDArray[np.floating],
        *,
        seconds: Array | float = 0.0,
    ) -> None:
        """Take in one picture of some episodes.

        Args:
            rows: Which episodes, shape (b,).
            here: Where the lens focused [1/m], shape (b,).
            numbers: Read from the object's own detail, shape (b, m); NaN where no object is known.
            trust: Score of the detection that told where the object is, shape (b,).
            cells: How many cells of the map of detail they were read from (`detail_reading.core_cells`),
                shape (b,); NaN where nobody counted, which means enough.
            seconds: Time since the episode's first picture [s], shape (b,) or one for all.
        """
        self._seconds[rows] = seconds
        apart = np.abs(self._visited[rows] - here[:, None]).min(axis=1)
        apart *= np.maximum(self._px[rows], self._mapped_px)
        weight = np.minimum(apart / NOVEL_PX, 1.0)
        self._visited[rows] = np.concatenate([here[:, None], self._visited[rows, :-1]], axis=1)
        known = np.isfinite(numbers).all(axis=1)
        weight *= np.minimum(np.nan_to_num(cells, nan=ENOUGH_CELLS) / ENOUGH_CELLS, 1.0)
        sure = np.where(known, sureness(trust) * weight, 0.0)
        told = sure > 0.0
        newest = np.where(told, numbers[:, 0], np.nan)
        self._blur[rows] = np.concatenate([newest[:, None], self._blur[rows, :-1]], axis=1)
        if told.any():
            mine = rows[told]
            places = places_after(self.dioptres, self._speeds, self._seconds[mine], self._map_scale)
            radius = np.abs(here[told, None, None] - places) * (self._mapped_px * self._rungs[:, None])
            self._evidence.add(mine, nearest_node(radius).reshape(len(mine), -1), numbers[told], sure[told])
            self._outdated[mine] = True
            self.heard[mine] = True
        # What moves is elsewhere by now, even if this picture did not tell of it.
        self._weigh(rows[told | (self.heard[rows] & self._cases.moves)])

    def learn(self, rows: NDArray[np.intp], chances: Array) -> None:
        """Take in what everything but the object's own detail tells of the case, in place of what was known.

        Args:
            rows: Which episodes, shape (b,).
            chances: In proportion to the probability of each case, shape (b, s).
        """
        total = chances.sum(axis=1, keepdims=True)
        # Pictures that nothing explains tell no case from another.
        shares = np.where(total > 0.0, chances / np.maximum(total, _TINY), np.exp(self._cases.log_prior))
        self._log_cases[rows] = np.log(np.maximum(shares, _LEAST_CHANCE))
        # Where objects are unlike all others, their own detail tells the scale no better than the place.
        self._px[rows] = self._mapped_px * self._cases.likeliest(shares)
        self._sharpest = None
        self._weigh(rows[self.heard[rows]])

    def _weigh(self, mine: NDArray[np.intp]) -> None:
        """What follows from all that was told, for episodes that heard of their object."""
        if not len(mine):
            return
        self._sharpest = None
        logarithms = self._log_likelihood(mine) + self._prior + self._log_cases[mine, :, None]
        shares = np.exp(logarithms - logarithms.max(axis=(1, 2), keepdims=True))
        shares /= shares.reshape(len(mine), -1).sum(axis=1)[:, None, None]
        if self._cases.moves:
            speeds = self._cases.speeds
            places = places_after(self.dioptres, speeds, self._seconds[mine], self._map_scale)
            shares = carried(shares, self.dioptres, places, self._prior)
        self._both[mine] = shares
        self.posterior[mine] = self._both[mine].sum(axis=1)

    def log_likelihood(self, rows: NDArray[np.intp]) -> Array:
        """Of each case and first place of some episodes, relative to the mean of all, shape (b, s, h).

        A few objects are unlike all others, so with a probability of `MISTAKEN` it is the same everywhere.
        """
        told = self._log_likelihood(rows)
        weighted = (told + self._cases.log_prior[:, None]).reshape(len(told), -1)
        mean = np.logaddexp.reduce(weighted, axis=1)[:, None, None] - np.log(told.shape[2])
        result: Array = np.logaddexp(np.log1p(-MISTAKEN) + told - mean, np.log(MISTAKEN))
        return result

    def _log_likelihood(self, rows: NDArray[np.intp]) -> Array:
        due = rows[self._outdated[rows]]
        if len(due):
            each = self._evidence.log_likelihood(due).reshape(-1, len(self._rungs), len(self.dioptres))
            self._told[due] = np.logaddexp.reduce(each[:, self._of_case], axis=2)
            self._outdated[due] = False
        return self._told[rows]

    def _prior_of_both(self) -> Array:
        """Probability of each case and place before anything was seen, shape (s, h)."""
        prior: Array = np.exp(self._prior) * np.exp(self._cases.log_prior)[:, None]
        return prior

    def probability(self, here: Array) -> Array:
        """Probability that the object has at most `SHARP_PX` of blur at ``here`` [1/m], shape (batch,).

        NaN where no detail of an object was heard.
        """
        within = self._cases.probability_within(self._both, self.dioptres, here, SHARP_PX / self._mapped_px)
        bracketed = self._is_sharpest(here) & self._falls(here, 1.0) & self._falls(here, -1.0)
        within = np.where(self._is_compared(here), within, np.minimum(within, UNCOMPARED))
        # What was seen on both sides of an object counts as far as it has stayed where it was.
        stays = self._both[:, self._cases.speeds == 0.0].sum(axis=(1, 2))
        return np.where(
            self.heard, np.where(bracketed, np.maximum(within, BRACKETED * stays), within), np.nan
        )

    def sharpest(self) -> Candidate:
        """The object's likeliest place of each episode."""
        if self._sharpest is None:
            self._sharpest = likeliest(self.posterior, self.dioptres, SHARP_PX / self._px)
        return self._sharpest

    def next_look(self, here: Array, reach: tuple[float, float]) -> Array:
        """Where a picture would tell most about the object's sharpness [1/m], shape (batch,).

        That is its likeliest place, if it was not visited; else the sharpest that was; or, if this is here, a
        place beside it that was not visited, on the likelier side first. ``here`` where nothing is left.

        Args:
            here: Where the lenses focus [1/m], shape (batch,).
            reach: Least and greatest focus of the lens [1/m].
        """
        best = self.sharpest()
        apart = self.dioptres - here[:, None]
        beyond = self.posterior * (np.abs(apart) * self._px[:, None] > SHARP_PX)
        nearer, farther = (beyond * (apart > 0.0)).sum(axis=1), (beyond * (apart < 0.0)).sum(axis=1)
        side = np.where(nearer >= farther, 1.0, -1.0)
        look = np.clip(best.dioptres, *reach)
        is_open = ~self._is_new(look)
        sharpest = np.where(np.isnan(self._blur), np.inf, self._blur).argmin(axis=1)
        back = np.take_along_axis(self._visited, sharpest[:, None], axis=1)[:, 0]
        goes_back = is_open & ~self._is_sharpest(here) & np.isfinite(back)
        look = np.where(goes_back, back, np.where(is_open, here, look))
        is_open &= ~goes_back
        for px, sign in ((px, sign) for px in LOOKS_PX for sign in (1.0, -1.0)):
            inside = np.clip(here + sign * side * px / self._px, *reach)
            new = is_open & self._is_new(inside) & ~self._falls(here, sign * side)
            look = np.where(new, inside, look)
            is_open &= ~new
        return look

    def _is_new(self, place: Array) -> NDArray[np.bool_]:
        new: NDArray[np.bool_] = np.abs(self._visited - place[:, None]).min(axis=1) * self._px > _SEEN_PX
        return new

    def _here(self, here: Array) -> Array:
        """Blur that was read here, shape (batch,); NaN where nothing was."""
        near = np.abs(self._visited - here[:, None]) * self._px[:, None] <= _SEEN_PX
        read = np.where(near & np.isfinite(self._blur), self._blur, np.inf).min(axis=1)
        return np.where(np.isfinite(read), read, np.nan)

    def _is_sharpest(self, here: Array) -> NDArray[np.bool_]:
        """Whether nothing was read as clearly sharper than here."""
        sharper = self._blur < (self._here(here) - FALL)[:, None]
        result: NDArray[np.bool_] = np.isfinite(self._here(here)) & ~sharper.any(axis=1)
        return result

    def _is_compared(self, here: Array) -> NDArray[np.bool_]:
        """Whether more blur was read anywhere than here; also where nothing was read here."""
        read = self._here(here)
        result: NDArray[np.bool_] = np.isnan(read) | (self._blur > (read + FALL)[:, None]).any(axis=1)
        return result

    def _falls(self, here: Array, side: Array | float) -> NDArray[np.bool_]:
        """Whether more blur was read at most `BRACKET_PX` away on one side."""
        apart = (self._visited - here[:, None]) * self._px[:, None] * np.reshape(side, (-1, 1))
        beside = (apart > _SEEN_PX) & (apart <= BRACKET_PX)
        result: NDArray[np.bool_] = (beside & (self._blur > (self._here(here) + FALL)[:, None])).any(axis=1)
        return result
