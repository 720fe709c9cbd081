"""Looks up what A^L sees at any defocus of any view; its read-outs are fitted on the training views.

A cell's latent is large, but an agent reads only a few numbers from it. They are computed once for every
cell, so that a step of training costs a look-up instead of a regression.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.belief import BeliefModel
from dasha_ros.estimation.detectability import score_class
from dasha_ros.estimation.readout import Readout
from dasha_ros.learning.dataset.cache.cells import (
    Array,
    CellFeatures,
    CellMap,
    Floats,
    ReadingError,
    Rows,
    check_finite,
    joined,
    latent_field,
    weighted,
)
from dasha_ros.learning.dataset.cache.percept_cache import MIN_SCORE, PerceptCache
from dasha_ros.learning.fitting.colour import ColourRatios
from dasha_ros.learning.fitting.exposure import peak_of
from dasha_ros.learning.fitting.fit import (
    fit_detectability,
    fit_profile,
    fit_ridge,
    fit_signed_profile,
    out_of_fold,
)
from dasha_ros.learning.training.preset_models import FocusPreset
from dasha_ros.policies.learned.focus_encoder import FocusInputs
from dasha_ros.policies.learned.focus_features import (
    BeliefFeatureExtractor,
    FocusFeatureExtractor,
    LatentFeatureExtractor,
)
from dasha_ros.policies.learned.policy_content import (
    BELIEF,
    LATENT,
    WITH_COLOUR,
    WITH_PLAN,
    WITHOUT_DETECTION,
    WITHOUT_POSITION,
)

BELLS_PX = (2.0, 6.0)
"""Widths of the bells 1 - exp(-(r / width)^2) of the blur radius r that are read from a latent, besides its
logarithm; they matter near focus. They are flat in focus, like pictures, in which a tenth of a pixel of blur
can't be seen; with numbers that have a kink there, 3 % fewer episodes end within 1 px."""
_BELL_HEIGHT = 4.0
_LEAST_PLANES = 4
_DETAIL_RIDGE = 0.001
"""Penalty of the regression of six numbers of detail, which can hardly overfit."""


class FocusLookup:
    """Inputs of A^L, interpolated between the cells of the focus grid."""

    def __init__(
        self,
        cache: PerceptCache,
        extractor: FocusFeatureExtractor,
        min_score: float,
        numbers: tuple[Array, Array, Array, Array] | None = None,
        colour: ColourRatios | None = None,
    ) -> None:
        """Prepare the look-up.

        Args:
            cache: Cache of percepts.
            extractor: Reads percepts in the same way.
            min_score: Least score of a detection.
            numbers: Numbers read from every cell's frame and box, and from the detail in the box and in the
                object's place, shape (cells, m) each.
            colour: What the colours of every cell say; ``None``: they are not read.
        """
        self.cache, self.extractor, self.min_score = cache, extractor, min_score
        self.views = cache.views
        self.handed_over: Array | None = None
        """Exposures that A^H hands over, from which episodes draw theirs: relative to mid grey [EV], shape
        (views, draws). ``None``: those of the preset."""
        self.reads_peak = False
        """Whether inputs hold P of Eq. 7; only rewards may need it, and its look-up takes time."""
        self._locator = CellMap(cache).focus
        nothing = np.zeros((len(cache.fields["score"]), 0))
        self._frame, self._box, self._detail, self._place = numbers or (nothing,) * 4
        self._colour = colour
        self._latent = (
            latent_field(cache, extractor.encoder) if isinstance(extractor, LatentFeatureExtractor) else ""
        )

    def pictures(self, position: Array, view: Rows, defocus: Array, ev: Array, draw: Rows) -> FocusInputs:
        """Inputs of n episodes.

        Args:
            position: Commanded positions of the lenses.
            view: Numbers of views.
            defocus: Focus minus object [1/m].
            ev: Exposure relative to mid grey [EV].
            draw: Numbers of the noise draws.

        Raises:
            ReadingError: The cache is damaged.
        """
        optional = (self._latent, "histogram" if self.reads_peak else "")
        names = ("score", "brisque", *(name for name in optional if name))
        found = self.cache.lookup(view, defocus, ev, draw, names)
        rows, weights = self._locator.corners(view, defocus, ev, draw)
        # Perception drops weaker detections and their boxes.
        seen = found["score"] >= MIN_SCORE
        score = np.where(seen, found["score"], 0.0).astype(np.float64)
        nothing = np.zeros((len(view), 0), np.float32)
        frame = weighted(weights, self._frame[rows])
        check_finite(self.cache, view, {**found, "what is read from the latent": frame})
        return FocusInputs(
            position=position,
            score=score,
            detected=score >= self.min_score,
            brisque=found["brisque"].astype(np.float64),
            latent=np.asarray(found[self._latent], np.float32) if self._latent else nothing,
            frame=frame,
            box=np.where(seen[:, None], weighted(weights, self._box[rows]), np.nan),
            detail=np.where(seen[:, None], weighted(weights, self._detail[rows]), np.nan),
            place=weighted(weights, self._place[rows]),
            cells=np.full(len(view), np.nan),
            colour=self._colour.around(rows, weights, defocus, seen) if self._colour else None,
            peak=peak_of(found["histogram"]) if self.reads_peak else None,
        )


def latent_focus_lookup(cache: PerceptCache, encoder: str, preset: FocusPreset) -> FocusLookup:
    """The look-up for the observation ``latent``; nothing is fitted.

    Raises:
        ReadingError: The cache holds no latents of the encoder.
    """
    size = cache.fields[latent_field(cache, encoder)].shape[1]
    return FocusLookup(cache, LatentFeatureExtractor(encoder, int(size)), preset.min_score)


def planes_to_read(cache: PerceptCache, train: Rows) -> list[int]:
    """Numbers of the training views from which blur is read.

    Raises:
        ReadingError: They are too few.
    """
    planes = [int(v) for v in train if cache.views[v].kind == "plane"]
    if len(planes) < _LEAST_PLANES:
        raise ReadingError(
            f"only {len(planes)} of the training views of {cache.path} are planes, and blur is read from at "
            f"least {_LEAST_PLANES}: build a percept cache of more photographs"
        )
    return planes


def belief_focus_lookup(
    cache: PerceptCache, train: Rows, preset: FocusPreset, cells: CellFeatures
) -> FocusLookup:
    """The look-up for the observation ``belief``: fits on the training views, then reads every cell.

    Cells of training views, and of their copies under disturbances, are read out of fold.

    Args:
        cache: Cache of percepts.
        train: Numbers of the training views.
        preset: Preset of A^L.
        cells: Pooled latents.

    Raises:
        ReadingError: Too few views to fit anything.
    """
    fit = _BeliefFit(cache, preset, cells)
    planes = planes_to_read(cache, train)
    readouts = fit.readouts([int(v) for v in train])
    shown = cells.frame, cells.box, *(np.asarray(cache.fields[n]) for n in ("box_detail", "object_detail"))
    frame, box, detail, place = (read(x) for read, x in zip(_reads(readouts), shown, strict=True))
    for kept, held in out_of_fold(cache.views, train):
        if any(cache.views[v].kind == "plane" for v in kept):
            mine = joined(fit.cells(int(v)) for v in held)
            others = fit.readouts([int(v) for v in kept])
            for number, read, x in zip((frame, box, detail, place), _reads(others), shown, strict=True):
                number[mine] = read(x[mine])
    colour = ColourRatios(cache) if preset.colour else None
    model = BeliefModel(
        fit_profile(fit.radii, fit.curves(frame, planes), preset.widen),
        fit_profile(fit.radii, fit.curves(box, train), preset.widen),
        fit_profile(fit.radii, fit.curves(place, train), preset.widen),
        fit_detectability(fit.radii, fit.answers(train)),
        fit_signed_profile(fit.radii, colour.curves(fit.radii, train)) if colour else None,
    )
    extractor = BeliefFeatureExtractor(*readouts, model, focus_kind(preset))
    numbers = (
        frame.astype(np.float64), box.astype(np.float64), detail.astype(np.float64), place.astype(np.float64)
    )  # fmt: skip
    return FocusLookup(cache, extractor, preset.min_score, numbers, colour)


def _reads(readouts: tuple[Readout, Readout, Readout]) -> tuple[Readout, Readout, Readout, Readout]:
    """What reads frame, box, the detail in the box, and the detail in the object's place."""
    return (*readouts, readouts[2])


def focus_kind(preset: FocusPreset) -> str:
    """The kind of extractor that a preset's policies have in their files; see `focus_extractor`."""
    if preset.observation == LATENT:
        return LATENT
    if not preset.observe_position:
        return WITHOUT_POSITION
    if not preset.observe_detection:
        return WITHOUT_DETECTION
    if preset.plan:
        return WITH_COLOUR if preset.colour else WITH_PLAN
    return BELIEF


def blur_numbers(radius: Floats) -> Array:
    """The numbers to read from a latent, shape (n, 3), for blur radii [px at 640], shape (n,)."""
    bells = [_BELL_HEIGHT * -np.expm1(-((radius / width) ** 2)) for width in BELLS_PX]
    return np.stack([np.log1p(radius), *bells], axis=1)


class _BeliefFit:
    """Prepares the cells of a cache for regressions and curves."""

    def __init__(self, cache: PerceptCache, preset: FocusPreset, features: CellFeatures) -> None:
        self._cache, self._strength, self._features = cache, preset.ridge, features
        self._map = CellMap(cache)
        px = cache.px_per_dioptre
        self.radii: Array = np.array(cache.meta.grids.focus.plane) * px
        radius = np.full(self._map.count, np.nan)
        for view in range(len(cache.views)):
            mine = self._map.focus_cells(view)
            radius[mine.rows] = np.abs(mine.defocus)[:, None, None] * px
        self._targets = blur_numbers(radius)

    def cells(self, view: int) -> Rows:
        """Rows of a view's focus grid, flat."""
        return self._map.focus_cells(view).rows.ravel()

    def readouts(self, views: list[int]) -> tuple[Readout, Readout, Readout]:
        """Fit the regressions for the latent of frame and box, and for an object's detail."""
        features, targets = self._features, self._targets
        # A composite's frame shows two blurs, so the frame is fitted on planes only.
        frame = joined(self.cells(v) for v in views if self._cache.views[v].kind == "plane")
        every = joined(self.cells(v) for v in views)
        box = every[np.isfinite(features.box[every, 0])]
        # A plane's frame is also a large box of the object: more training data.
        both = np.concatenate([features.box[box], features.frame[frame]])
        detail = np.asarray(self._cache.fields["object_detail"])[every]
        known = np.isfinite(detail[:, 0])
        return (
            fit_ridge(features.frame[frame], targets[frame], self._strength),
            fit_ridge(both, np.concatenate([targets[box], targets[frame]]), self._strength),
            fit_ridge(detail[known], targets[every[known]], _DETAIL_RIDGE),
        )

    def curves(self, numbers: Floats, views: NDArray[np.integer] | list[int]) -> Array:
        """Numbers along blur: a curve for each view, side, exposure and noise draw; NaN where unknown."""
        found = []
        for view in views:
            mine = self._map.focus_cells(int(view))
            for side in (1.0,) if self._cache.views[view].kind == "plane" else (1.0, -1.0):
                found.append(mine.along_blur(numbers, self.radii, self._cache.px_per_dioptre, side))
        return np.concatenate(found)

    def answers(self, views: NDArray[np.integer]) -> NDArray[np.intp]:
        """Classes of the detector's answers along blur; -1 where unknown."""
        scores = np.asarray(self._cache.fields["score"], np.float32)[:, None]
        along = self.curves(scores, views)[:, :, 0]
        result: NDArray[np.intp] = np.where(np.isfinite(along), score_class(np.nan_to_num(along)), -1)
        return result
