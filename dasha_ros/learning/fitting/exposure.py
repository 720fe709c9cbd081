"""Looks up what A^H sees at any exposure of any view; its read-out is fitted on the training views."""

from __future__ import annotations

import numpy as np

from dasha_ros.learning.dataset.cache.cells import (
    Array,
    CellFeatures,
    CellMap,
    Floats,
    Rows,
    check_finite,
    latent_field,
)
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.fitting.fit import fit_ridge, out_of_fold
from dasha_ros.learning.training.preset_models import ExposurePreset
from dasha_ros.perception.quality.histogram import EDGES
from dasha_ros.policies.learned.exposure_encoder import (
    BINS,
    ExposureFeatureExtractor,
    ExposureInputs,
    LatentExposureExtractor,
    ReadoutExposureExtractor,
)
from dasha_ros.policies.learned.policy_content import ABSOLUTE, LATENT, RELATIVE

CLIP_EV = (2.0, 7.0)
"""Two numbers are read from a latent: the exposure error, clipped at these values either way [EV]."""
_CENTRES = (EDGES[:-1].astype(np.float64) + EDGES[1:]) / 2.0


def peak_of(shares: Floats | Array) -> Array:
    """P of Eq. 7, the centre of the fullest bin, shape (n,), of histograms, shape (n, 10)."""
    peaks: Array = _CENTRES[np.asarray(shares).reshape(-1, BINS).argmax(axis=1)]
    return peaks


class ExposureLookup:
    """Inputs of A^H, interpolated between the cells of a percept cache."""

    def __init__(
        self, cache: PerceptCache, extractor: ExposureFeatureExtractor, numbers: Floats | None = None
    ) -> None:
        """Prepare the look-up.

        Args:
            cache: Cache of percepts.
            extractor: Reads percepts in the same way.
            numbers: Numbers read from every cell's frame, shape (cells, m); left out: the latents
                themselves are looked up.
        """
        self.cache, self.extractor = cache, extractor
        self.views = cache.views
        self._map = CellMap(cache)
        self._numbers = numbers
        self._latent = "" if numbers is not None else latent_field(cache, extractor.encoder)
        focus = cache.meta.grids.focus.ev
        self._fine = focus[0] - 1e-6, focus[-1] + 1e-6

    def pictures(self, index: Rows, view: Rows, defocus: Array, ev: Array, draw: Rows) -> ExposureInputs:
        """Inputs of n episodes.

        Args:
            index: Indices of the active exposures in the table.
            view: Numbers of views.
            defocus: Focus minus object [1/m].
            ev: Exposure relative to mid grey [EV].
            draw: Numbers of the noise draws.

        Raises:
            ReadingError: The cache is damaged.
        """
        names = ("mean_grey", "histogram", "brisque", *((self._latent,) if self._latent else ()))
        found = self.cache.lookup(view, defocus, ev, draw, names)
        shares = found["histogram"].astype(np.float64).reshape(-1, BINS)
        latent = found[self._latent] if self._latent else self._read(view, defocus, ev, draw)
        check_finite(self.cache, view, {**found, "what is read from the latent": latent})
        return ExposureInputs(
            index=index,
            shares=shares,
            peak=peak_of(shares),
            mean_grey=found["mean_grey"].astype(np.float64),
            brisque=found["brisque"].astype(np.float64),
            latent=np.asarray(latent, np.float32),
        )

    def _read(self, view: Rows, defocus: Array, ev: Array, draw: Rows) -> Floats:
        assert self._numbers is not None
        fine = (ev >= self._fine[0]) & (ev <= self._fine[1])
        rows, weights = self._map.light.corners(view, defocus, ev, draw)
        if fine.any():
            rows[fine], weights[fine] = self._map.focus.corners(
                view[fine], defocus[fine], ev[fine], draw[fine]
            )
        return np.asarray(np.einsum("nc,ncm->nm", weights, self._numbers[rows]), np.float32)


def exposure_kind(preset: ExposurePreset) -> str:
    """The kind of extractor that a preset's policies have in their files; see `exposure_extractor`."""
    if preset.observation == LATENT:
        return LATENT
    return RELATIVE if preset.relative else ABSOLUTE


def latent_exposure_lookup(cache: PerceptCache, encoder: str) -> ExposureLookup:
    """The look-up for the observation ``latent``; nothing is fitted.

    Raises:
        ReadingError: The cache holds no latents of the encoder.
    """
    size = cache.fields[latent_field(cache, encoder)].shape[1]
    return ExposureLookup(cache, LatentExposureExtractor(encoder, int(size)))


def readout_exposure_lookup(
    cache: PerceptCache, train: Rows, preset: ExposurePreset, cells: CellFeatures
) -> ExposureLookup:
    """The look-up for the observation ``readout``: fits on the training views, then reads every cell.

    Cells of training views, and of their copies under disturbances, are read out of fold.

    Args:
        cache: Cache of percepts.
        train: Numbers of the training views.
        preset: Preset of A^H.
        cells: Pooled latents.
    """
    where = CellMap(cache)
    ev = np.full(where.count, np.nan)
    rows_of: dict[int, Rows] = {}
    for view in range(len(cache.views)):
        grids = (where.focus_cells(view), where.light_cells(view))
        for grid in grids:
            ev[grid.rows] = grid.ev[None, :, None]
        rows_of[view] = np.concatenate([grid.rows.ravel() for grid in grids])
    targets = np.stack([np.clip(ev, -clip, clip) for clip in CLIP_EV], axis=1)

    def rows(views: Rows) -> Rows:
        return np.concatenate([rows_of[int(v)] for v in views])

    def fit(views: Rows) -> ReadoutExposureExtractor:
        mine = rows(views)
        readout = fit_ridge(cells.frame[mine], targets[mine], preset.ridge)
        return ReadoutExposureExtractor(readout, preset.relative)

    extractor = fit(train)
    numbers = extractor.readout(cells.frame)
    for kept, read in out_of_fold(cache.views, train):
        if len(kept):
            held = rows(read)
            numbers[held] = fit(kept).readout(cells.frame[held])
    return ExposureLookup(cache, extractor, numbers)
