"""Where the object's focus may be: the exact posterior of a small model, for a batch of episodes.

A picture tells how blurred things are, but not on which side of the focus. Several pictures, taken at known
lens positions, leave only the hypotheses that explain all of them. What counts as evidence:

- the frame's latent: its blur, and the scene's own way of showing it (`profile`);
- the latent inside the box of the best detection, mostly of the object, and the object's own detail
  (`own_sharpness`), which is also read where the object was last seen;
- the detector's score, which falls with blur differently for each kind of object (`detectability`);
- with a colour camera, on which side of the focus the picture was taken (`colour_sign`).

The frame may show another depth than the object's, so three cases are kept: the object lies in the plane
that fills the frame; it stands in front of that plane; or it is seen behind something large and near.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.cases import cases_of
from dasha_ros.estimation.colour_sign import NOVEL_PX as COLOUR_NOVEL_PX
from dasha_ros.estimation.colour_sign import ColourEvidence
from dasha_ros.estimation.detectability import Detectability, DetectionEvidence
from dasha_ros.estimation.lens_map import LensMap
from dasha_ros.estimation.motion import NEAREST_M, carried, places_after
from dasha_ros.estimation.own_sharpness import NOVEL_PX, OwnSharpness, sureness
from dasha_ros.estimation.profile import Array, Profile, ProfileEvidence, nearest_node
from dasha_ros.optics.lens import LensModel
from dasha_ros.optics.profiles import lens_model

PX_PER_DIOPTRE = abs(lens_model().blur_px(1.0, 0.0))
"""Unit of the belief: the blur of a dioptre [px at 640] of the lens of the twin, 25 mm at f/2."""
NEAREST_D, FARTHEST_D = 1.0 / NEAREST_M, 1.0 / 10.0
"""Where objects are expected [1/m]: 0.3 to 10 m."""
MARGIN_D = 0.35
"""Margin beyond both ends [1/m]: the drift of a lens by seven kelvin."""
STEP_D = 0.025
"""Distance between two hypotheses [1/m]: 0.22 px of blur at 25 mm, f/2."""
SEPARATE = 0.45
"""Prior probability that the object stands in front of what fills the frame. With 0.3, one object in a
hundred more is missed on two-depth views, and nothing is gained on planes."""
BEHIND = 0.1
"""Prior probability that the object stands behind what fills the frame. Without this case, a person behind a
model motorcycle is never searched at a distance, because the frame suggests near."""
OUT_OF_REACH = 0.1
"""How much rarer an object is where the lens can't focus on it."""
GAP_D = 0.3
"""Least depth between an object and what fills the frame [1/m]; less makes no difference in blur."""
_PICTURES = 16
"""Number of places that are remembered."""


@dataclass(frozen=True)
class BeliefModel:
    """Models of the sources of evidence, fitted on training photographs (`learning.fitting.fit`)."""

    frame: Profile
    box: Profile
    detail: Profile
    """Of the object's own detail."""
    detection: Detectability
    colour: Profile | None = None
    """Of the colours' ratios over signed defocus; ``None``: colours are not heard."""


def belief_map(lens: LensModel) -> LensMap:
    """The map of any lens in the units of the belief: those of `PX_PER_DIOPTRE` of blur.

    It is tabulated once for each lens that can be told apart: a goal asks for it several times.
    """
    return _known_map(lens) if isinstance(lens, Hashable) else LensMap(lens, PX_PER_DIOPTRE)


@lru_cache(maxsize=8)
def _known_map(lens: Any) -> LensMap:
    return LensMap(lens, PX_PER_DIOPTRE)


def hypotheses(scale: float = 1.0) -> Array:
    """The focus positions that the belief distinguishes, shape (h,).

    Args:
        scale: How many units of the map a dioptre is (`LensMap.scale`).
    """
    return np.arange(FARTHEST_D * scale - MARGIN_D, NEAREST_D * scale + MARGIN_D, STEP_D, dtype=np.float64)


def log_prior(dioptres: Array, reach: tuple[float, float] = (-np.inf, np.inf), scale: float = 1.0) -> Array:
    """Log prior of each hypothesis: half even in dioptres, half in log distance, small beyond the ends.

    Args:
        dioptres: Hypotheses, evenly spaced.
        reach: Least and greatest focus of the lens. An object that it can't focus on is unusual.
        scale: How many units of the map a dioptre is.
    """
    farthest, nearest = FARTHEST_D * scale, NEAREST_D * scale
    inside = (dioptres >= farthest) & (dioptres <= nearest)
    near = np.abs(dioptres - np.clip(dioptres, farthest, nearest))
    by_distance = np.where(inside, 1.0 / np.maximum(dioptres, farthest), 0.0)
    density = inside / inside.sum() + by_distance / by_distance.sum()
    density += np.exp(-near / 0.1) / len(dioptres)
    density = np.where((dioptres < reach[0]) | (dioptres > reach[1]), OUT_OF_REACH * density, density)
    result: Array = np.log(density / density.sum())
    return result


def prior_of(lens: LensMap) -> tuple[Array, Array]:
    """Hypotheses and their log prior for a lens."""
    places = hypotheses(lens.scale)
    return places, log_prior(places, lens.reach, lens.scale)


class FocusBelief:
    """The posterior over focus positions of a batch of episodes."""

    def __init__(
        self,
        model: BeliefModel,
        lens: LensMap,
        batch: int,
        prior: tuple[Array, Array] | None = None,
        *,
        moving: bool = False,
    ) -> None:
        """Begin with the prior.

        Args:
            model: Models of the evidence.
            lens: Maps positions to focus and blur; `belief_map`.
            batch: Number of episodes.
            prior: Hypotheses, `STEP_D` apart, and their log probabilities; left out:
                `hypotheses` and `log_prior`.
            moving: Whether the object may move in depth; only where the lens's blur is known, because a scale
                that is wrong looks like a speed.
        """
        self.dioptres, self._prior = prior or prior_of(lens)
        self._lens = lens
        self.cases = cases_of(lens.blur_doubt, moving=moving)
        """How much more or less than its map says the lens may blur, and how the object may move."""
        # What is behind an object does not move with it.
        self._background = np.where(self.cases.speeds == 0.0, np.arange(len(self.cases.speeds)), 0)
        count = len(self.cases.scales) * len(self.dioptres)
        self._frame = ProfileEvidence(model.frame, batch, count)
        self.own = OwnSharpness(
            model.detail,
            batch,
            self.dioptres,
            self._prior,
            lens.px_per_dioptre,
            cases=self.cases,
            scale=lens.scale,
        )
        """What the object's own detail tells, whatever fills the frame and the detector prefers."""
        self._box = ProfileEvidence(model.box, batch, count)
        self._detection = DetectionEvidence(model.detection, batch, count)
        log_prior = self._prior + self.cases.log_prior[:, None]
        self._colour = ColourEvidence(model.colour, batch, log_prior) if model.colour else None
        self._visited = np.full((batch, _PICTURES), np.inf)
        self._gap = round(GAP_D / STEP_D)
        # Prior mass at least GAP_D farther, and nearer, than each hypothesis.
        shares = np.exp(self._prior)[None]
        self._farther = np.maximum(_below(shares, self._gap), 1e-12)
        self._nearer = np.maximum(_above(shares, self._gap), 1e-12)
        self._prior_of_both = np.exp(self._prior) * np.exp(self.cases.log_prior)[:, None]
        self.both = np.repeat(self._prior_of_both[None], batch, axis=0)
        """Probability of each case of `cases` and each place at the next picture, shape (batch, s, h)."""
        self.posterior = self.both.sum(axis=1)
        """Of each place, shape (batch, h); rows sum to 1."""
        self.blur_scale: Array = np.ones(batch)
        """The likeliest scale of blur, shape (batch,)."""
        self.separate = np.full(batch, SEPARATE + BEHIND)
        """Probability that the object is at another depth than what fills the frame, shape (batch,)."""

    def reset(self, rows: NDArray[np.intp]) -> None:
        """Restart these episodes with the prior."""
        self._frame.reset(rows)
        self._box.reset(rows)
        self.own.reset(rows)
        self._detection.reset(rows)
        if self._colour:
            self._colour.reset(rows)
        self._visited[rows] = np.inf
        self.both[rows] = self._prior_of_both
        self.posterior[rows] = self.both[rows].sum(axis=1)
        self.blur_scale[rows] = 1.0
        self.separate[rows] = SEPARATE + BEHIND

    def add(
        self,
        rows: NDArray[np.intp],
        position: NDArray[np.floating],
        frame: NDArray[np.floating],
        box: NDArray[np.floating],
        scores: NDArray[np.floating],
        *,
        detail: NDArray[np.floating],
        trust: NDArray[np.floating],
        cells: NDArray[np.floating],
        seconds: Array | float = 0.0,
        ahead: Array | float = 0.0,
        colour: Array | None = None,
    ) -> None:
        """Take in one picture of some episodes.

        Args:
            rows: Which episodes, shape (b,).
            position: Where the lens was, shape (b,).
            frame: Numbers read from the frame's latent, shape (b, m); NaN where the frame does not count.
            box: Numbers read from the latent in the best detection's box, shape (b, m); NaN without one.
            scores: Scores of the best detection, shape (b,); 0 without one, NaN where no detector was asked.
            detail: Numbers read from the object's own detail, shape (b, m); NaN where no object is known.
            trust: Score of the detection that told where the object is, shape (b,).
            cells: How many cells its detail was read from, shape (b,); NaN where nobody counted.
            seconds: Time since the episode's first picture [s], shape (b,) or one for all.
            ahead: Time until the next picture is due [s], shape (b,) or one for all. A lens that goes to
                where a moving object was comes too late.
            colour: `colour_sign.colour_ratio` of the object, shape (b, bands); NaN where it is not known,
                ``None``: nowhere.
        """
        here, px = self._lens.dioptres(position), self._lens.px_per_dioptre
        apart = np.abs(self._visited[rows] - here[:, None]).min(axis=1) * px
        # A scale below 1 makes no picture count less: else a wrong guess of it could not be corrected.
        apart_px = apart * np.maximum(self.blur_scale[rows], 1.0)
        weight = np.minimum(apart_px / NOVEL_PX, 1.0)
        self._visited[rows] = np.concatenate([here[:, None], self._visited[rows, :-1]], axis=1)
        passed = np.broadcast_to(np.asarray(seconds, np.float64), len(rows))
        places = places_after(self.dioptres, self.cases.speeds, passed, self._lens.scale)
        blur_px = (here[:, None, None] - places) * px * self.cases.scales[:, None]
        nodes = nearest_node(np.abs(blur_px)).reshape(len(rows), -1)
        framed = np.isfinite(frame).all(axis=1)
        if framed.any():
            self._frame.add(rows[framed], nodes[framed], frame[framed], weight[framed])
        heard = np.isfinite(scores)
        if heard.any():
            self._detection.add(rows[heard], nodes[heard], scores[heard], weight[heard])
        boxed = np.isfinite(box).all(axis=1)
        if boxed.any():
            sure = sureness(np.where(heard, scores, trust)) * weight
            self._box.add(rows[boxed], nodes[boxed], box[boxed], sure[boxed])
        self.own.add(rows, here, detail, trust, cells, seconds=seconds)
        if self._colour and colour is not None:
            novel = np.minimum(apart_px / COLOUR_NOVEL_PX, 1.0)
            self._colour.add(rows, blur_px, colour, sureness(trust) * novel)
        self._update(rows, passed + ahead)

    def _update(self, rows: NDArray[np.intp], seconds: Array) -> None:
        """Weigh all that was told, for so long after the first picture [s], shape (b,)."""
        shape = len(rows), len(self.cases.scales), len(self.dioptres)
        prior = self._prior + self.cases.log_prior[:, None]
        told: Array = np.zeros(shape) if self._colour is None else self._colour.log_likelihood(rows)
        for witness in (self._box, self._detection):
            told = told + witness.log_likelihood(rows).reshape(shape)
        others, own = prior + told, self.own.log_likelihood(rows)
        frame = self._frame.log_likelihood(rows).reshape(shape)
        top = frame.max(axis=(1, 2), keepdims=True)
        likelihood = np.exp(frame - top)
        elsewhere = np.exp(self._prior) * likelihood[:, self._background]
        apart = SEPARATE * _below(elsewhere, self._gap) / self._farther
        apart += BEHIND * _above(elsewhere, self._gap) / self._nearer
        together = (1.0 - SEPARATE - BEHIND) * likelihood
        weight = _relative(others + own)
        joint = weight * (apart + together)
        total = np.maximum(_total(joint), 1e-300)
        shares = joint / total[:, None, None]
        if self.cases.moves:
            places = places_after(self.dioptres, self.cases.speeds, seconds, self._lens.scale)
            shares = carried(shares, self.dioptres, places, self._prior)
        self.both[rows] = shares
        self.posterior[rows] = self.both[rows].sum(axis=1)
        self.blur_scale[rows] = self.cases.likeliest(self.both[rows].sum(axis=2))
        self.separate[rows] = _total(weight * apart) / total
        if len(self.cases.scales) > 1:
            self.own.learn(rows, (_relative(others) * (apart + together)).sum(axis=2))


def _relative(logarithms: Array) -> Array:
    """Of each scale and place, relative to the greatest."""
    result: Array = np.exp(logarithms - logarithms.max(axis=(1, 2), keepdims=True))
    return result


def _total(joint: Array) -> Array:
    """Sum over scales and places, shape (batch,)."""
    result: Array = joint.reshape(len(joint), -1).sum(axis=1)
    return result


def _below(values: Array, gap: int) -> Array:
    """For each place, the sum of all places at least ``gap`` before it on the last axis."""
    sums = np.zeros_like(values)
    sums[..., gap:] = np.cumsum(values, axis=-1)[..., :-gap]
    return sums


def _above(values: Array, gap: int) -> Array:
    """For each place, the sum of all places at least ``gap`` after it on the last axis."""
    return _below(values[..., ::-1], gap)[..., ::-1]
