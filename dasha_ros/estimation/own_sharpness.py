"""How sure it is that the object itself is sharp: a posterior over its focus by its own detail alone.

Whatever fills the frame, and whatever the detector prefers, do not count here. The object's blur is read at
each place of the lens, from the same part of its surface, and the object's own amount of texture is
integrated out (`profile`). An object may blur less or more than the lens's map says
(another aperture, a response curve, a wrong scale): `SCALES` are equally likely, and a goal's pictures tell
which fits.

Some objects are unlike all that was fitted: nearly without texture, or noisy. For them counts what needs no
model. Where the object was seen to be more blurred at most `BRACKET_PX` away on both sides, and nowhere
sharper, its focus is nearer to here than to either, so its blur is at most half of that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.candidates import Candidate, candidates, probability_within
from dasha_ros.estimation.profile import Array, Profile, ProfileEvidence, nearest_node

SCALES = (0.63, 1.0, 1.6)
"""How much more or less than the lens's map says an object may blur; equally likely."""
MISTAKEN = 0.02
"""Share of objects whose detail tells nothing of their blur."""
SURE_SCORES = (0.1, 0.4)
"""The weight of a detection's box grows from 0 to 1 between these scores: an unsure detection may be another
thing, sharp at another depth."""
SHARP_PX = 2.0
"""An object with at most this blur counts as sharp when a goal ends [px of blur at 640]."""
BRACKET_PX = 2.0 * SHARP_PX
"""So near are the places on both sides where detail must have fallen [px of blur at 640]."""
FALL = 0.1
"""Increase of the logarithm of the blur that is no noise of the reading."""
BRACKETED = 0.95
"""Least probability that an object is sharp where its detail was seen to fall on both sides."""
LOOKS_PX = (3.0, 6.0)
"""How far beside a place looks tell whether the object gets sharper there [px of blur at 640]."""
NOVEL_PX = 2.5
"""A picture counts fully if it was taken at least this much blur away from all earlier ones [px at 640],
and less if nearer. The model's errors are the same at one place, so more pictures of it add no certainty."""
_SEEN_PX = 1.5
"""A place so near to one that was visited tells nothing new [px of blur at 640]."""
_APART_PX = 4.0
_PICTURES = 16
"""Number of places that are remembered."""


class OwnSharpness:
    """The posterior of a batch of episodes."""

    def __init__(
        self, profile: Profile, batch: int, dioptres: Array, prior: Array, px_per_dioptre: float
    ) -> None:
        """Nothing seen yet.

        Args:
            profile: How the numbers read from an object's detail depend on blur.
            batch: Number of episodes.
            dioptres: Hypotheses [1/m], shape (h,).
            prior: Their log probabilities, shape (h,).
            px_per_dioptre: Blur radius of a dioptre [px at 640].
        """
        self.dioptres, self._prior, self._px = dioptres, prior, px_per_dioptre
        self._evidence = tuple(ProfileEvidence(profile, batch, len(dioptres)) for _ in SCALES)
        self._visited = np.full((batch, _PICTURES), np.inf)
        self._blur = np.full((batch, _PICTURES), np.nan)
        """First number of each picture, the logarithm of the blur; NaN where the object is not known."""
        self.posterior = np.repeat(np.exp(prior)[None], batch, axis=0)
        """Shape (batch, h); rows sum to 1."""
        self.heard = np.zeros(batch, bool)
        """Whether any detail of the object counted, shape (batch,)."""
        self._told: Array | None = None
        """The log likelihood of all that was added; ``None``: not computed since."""

    def reset(self, rows: NDArray[np.intp]) -> None:
        """Restart these episodes with the prior."""
        for evidence in self._evidence:
            evidence.reset(rows)
        self._told = None
        self._visited[rows] = np.inf
        self._blur[rows] = np.nan
        self.posterior[rows] = np.exp(self._prior)
        self.heard[rows] = False

    def add(
        self,
        rows: NDArray[np.intp],
        here: Array,
        numbers: NDArray[np.floating],
        trust: NDArray[np.floating],
    ) -> None:
        """Take in one picture of some episodes.

        Args:
            rows: Which episodes, shape (b,).
            here: Where the lens focused [1/m], shape (b,).
            numbers: Read from the object's own detail, shape (b, m); NaN where no object is known.
            trust: Score of the detection that told where the object is, shape (b,).
        """
        apart = np.abs(self._visited[rows] - here[:, None]).min(axis=1) * self._px
        weight = np.minimum(apart / NOVEL_PX, 1.0)
        self._visited[rows] = np.concatenate([here[:, None], self._visited[rows, :-1]], axis=1)
        known = np.isfinite(numbers).all(axis=1)
        low, high = SURE_SCORES
        sure = np.where(known, np.clip((trust - low) / (high - low), 0.0, 1.0) * weight, 0.0)
        told = sure > 0.0
        newest = np.where(told, numbers[:, 0], np.nan)
        self._blur[rows] = np.concatenate([newest[:, None], self._blur[rows, :-1]], axis=1)
        if not told.any():
            return
        mine = rows[told]
        radius = np.abs(here[told, None] - self.dioptres) * self._px
        for scale, evidence in zip(SCALES, self._evidence, strict=True):
            evidence.add(mine, nearest_node(radius * scale), numbers[told], sure[told])
        self._told = None
        self.heard[mine] = True
        logarithms = self._log_likelihood()[mine] + self._prior
        shares = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
        self.posterior[mine] = shares / shares.sum(axis=1, keepdims=True)

    def log_likelihood(self) -> Array:
        """Of each hypothesis, relative to the mean of all, shape (batch, h).

        A few objects are unlike all others, so with a probability of `MISTAKEN` it is the same everywhere.
        """
        told = self._log_likelihood()
        mean = np.logaddexp.reduce(told, axis=1, keepdims=True) - np.log(told.shape[1])
        result: Array = np.logaddexp(np.log1p(-MISTAKEN) + told - mean, np.log(MISTAKEN))
        return result

    def _log_likelihood(self) -> Array:
        if self._told is None:
            self._told = np.logaddexp.reduce([e.log_likelihood() for e in self._evidence], axis=0)
        return self._told

    def probability(self, here: Array) -> Array:
        """Probability that the object has at most `SHARP_PX` of blur at ``here`` [1/m], shape (batch,).

        NaN where no detail of an object was heard.
        """
        within = probability_within(self.posterior, self.dioptres, here, SHARP_PX / self._px)
        bracketed = self._is_sharpest(here) & self._falls(here, 1.0) & self._falls(here, -1.0)
        return np.where(self.heard, np.where(bracketed, np.maximum(within, BRACKETED), within), np.nan)

    def sharpest(self) -> Candidate:
        """The object's likeliest place of each episode."""
        return candidates(self.posterior, self.dioptres, SHARP_PX / self._px, _APART_PX / self._px)[0]

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
        beyond = self.posterior * (np.abs(apart) * self._px > SHARP_PX)
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
        near = np.abs(self._visited - here[:, None]) * self._px <= _SEEN_PX
        read = np.where(near & np.isfinite(self._blur), self._blur, np.inf).min(axis=1)
        return np.where(np.isfinite(read), read, np.nan)

    def _is_sharpest(self, here: Array) -> NDArray[np.bool_]:
        """Whether nothing was read as clearly sharper than here."""
        sharper = self._blur < (self._here(here) - FALL)[:, None]
        result: NDArray[np.bool_] = np.isfinite(self._here(here)) & ~sharper.any(axis=1)
        return result

    def _falls(self, here: Array, side: Array | float) -> NDArray[np.bool_]:
        """Whether more blur was read at most `BRACKET_PX` away on one side."""
        apart = (self._visited - here[:, None]) * self._px * np.reshape(side, (-1, 1))
        beside = (apart > _SEEN_PX) & (apart <= BRACKET_PX)
        result: NDArray[np.bool_] = (beside & (self._blur > (self._here(here) + FALL)[:, None])).any(axis=1)
        return result
