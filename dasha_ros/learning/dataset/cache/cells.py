"""The cells of a percept cache, and the features that are computed once for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.readout import FEATURES, GRID_ENCODER, features
from dasha_ros.learning.dataset.cache.axes import Grid, Locator, kind_of
from dasha_ros.learning.dataset.cache.layout import CELL, Layout
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.scenes.views import View

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
Floats = NDArray[np.float32]
Progress = Callable[[str, float], None]
"""Called with the name of the work in progress, and the share that is done, 0..1."""

SEEN_SCORE = 0.05
"""Least score of a detection whose box is read."""
_CHUNK = 256


class ReadingError(ValueError):
    """A cache that lacks something or is damaged; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class ViewCells:
    """The cells of one grid of one view."""

    rows: Rows
    """Shape (defocus, exposures, draws): into the cache's fields."""
    defocus: Array
    """Axis [1/m]: focus minus object; not negative for planes."""
    ev: Array
    """Axis [EV]."""

    def along_blur(self, numbers: Array | Floats, radii: Array, px_per_dioptre: float, side: float) -> Array:
        """Numbers of cells along blur on one side of the focus: a curve for each exposure and noise draw.

        Args:
            numbers: Of every cell of the cache, shape (all cells, m).
            radii: Blur [px at 640], shape (k,).
            px_per_dioptre: Blur of a dioptre [px at 640].
            side: 1 where the lens is focused nearer than the object, -1 where farther.

        Returns:
            Shape (n, k, m); NaN beyond the cells.
        """
        half = np.flatnonzero(self.defocus * side >= 0.0)
        half = half[np.argsort(np.abs(self.defocus[half]))]
        at = np.abs(self.defocus[half]) * px_per_dioptre
        along = numbers[self.rows[half].reshape(len(half), -1)]
        curves = [
            [np.interp(radii, at, line, np.nan, np.nan) for line in curve]
            for curve in along.transpose(1, 2, 0)
        ]
        return np.array(curves).transpose(0, 2, 1)


class CellMap:
    """Finds the cells of each view."""

    def __init__(self, cache: PerceptCache) -> None:
        """Lay out a cache."""
        self._grids, self._views = cache.meta.grids, cache.views
        views = [View(info, scene) for info, scene in zip(cache.views, cache.scenes, strict=True)]
        self._layout = Layout.of(self._grids, views)
        self.count = self._layout.rows[CELL]
        self.focus = Locator(self._grids.focus, self._layout.kinds, self._layout.focus)
        """Finds the cells around points of the focus grid."""
        self.light = Locator(self._grids.light, self._layout.kinds, self._layout.light)

    def view_of(self, row: int) -> int:
        """The view that a cell is of."""
        grids = (self._layout.focus, self._layout.light)
        return max((int(first), view) for grid in grids for view, first in enumerate(grid) if first <= row)[1]

    def focus_cells(self, view: int) -> ViewCells:
        """The focus grid of a view."""
        return self._cells(self._grids.focus, int(self._layout.focus[view]), view)

    def light_cells(self, view: int) -> ViewCells:
        """The light grid of a view."""
        return self._cells(self._grids.light, int(self._layout.light[view]), view)

    def _cells(self, grid: Grid, first: int, view: int) -> ViewCells:
        defocus = np.array(grid.defocus(kind_of(self._views[view])))
        shape = (len(defocus), len(grid.ev), grid.draws)
        rows = first + np.arange(int(np.prod(shape)), dtype=np.intp).reshape(shape)
        return ViewCells(rows, defocus, np.array(grid.ev))


@dataclass(frozen=True)
class CellFeatures:
    """Pooled latents of every cell of a cache."""

    frame: Floats
    """Shape (cells, `FEATURES`)."""
    box: Floats
    """Pooled under the best detection; NaN where there is none."""


def latent_field(cache: PerceptCache, encoder: str) -> str:
    """The field that holds an encoder's latents.

    Raises:
        ReadingError: None does.
    """
    for field, name in cache.meta.encoders.items():
        if name == encoder:
            return field
    have = ", ".join(cache.meta.encoders.values())
    raise ReadingError(
        f"the percept cache {cache.path} holds latents of {have}, not of {encoder}: build one that "
        "does, or give a preset whose encoder is one of those"
    )


def check_finite(cache: PerceptCache, views: Rows, read: Mapping[str, NDArray[np.floating]]) -> None:
    """Reject values of a damaged cache before anything is trained on them.

    Args:
        cache: Where it was read.
        views: Number of the view of each of n percepts, shape (n,).
        read: By name, what was read; shape (n,) or (n, m) each.

    Raises:
        ReadingError: A value is not a finite number; the message names its view.
    """
    for name, values in read.items():
        if not np.isfinite(values).all():
            first = int(np.argmin(np.isfinite(values).reshape(len(views), -1).all(axis=1)))
            raise ReadingError(
                f"the percept cache {cache.path} is damaged: in view {cache.views[int(views[first])].name} "
                f"{name} is not a finite number; delete the folder and run `dasha cache build` again"
            )


def cell_features(cache: PerceptCache, progress: Progress | None = None) -> CellFeatures:
    """Pool the latents of every cell.

    Raises:
        ReadingError: The cache holds no grid latents, or a damaged one.
    """
    latents = cache.fields[latent_field(cache, GRID_ENCODER)]
    boxes, scores = cache.fields["box"], cache.fields["score"]
    count = len(latents)
    frame = np.empty((count, FEATURES), np.float32)
    box = np.full((count, FEATURES), np.nan, np.float32)
    for begin in range(0, count, _CHUNK):
        chunk = slice(begin, begin + _CHUNK)
        cells = np.asarray(latents[chunk], np.float32)
        frame[chunk] = features(cells)
        seen = np.flatnonzero(scores[chunk] >= SEEN_SCORE)
        if len(seen):
            box[begin + seen] = features(cells[seen], boxes[chunk][seen])
        if not np.isfinite(frame[chunk]).all():
            bad = begin + np.flatnonzero(~np.isfinite(frame[chunk]).all(axis=1))
            views = np.array([CellMap(cache).view_of(int(bad[0]))])
            check_finite(cache, views, {"the latent": frame[bad[:1]]})
        if progress is not None:
            progress("reading latents", min(1.0, (begin + _CHUNK) / count))
    return CellFeatures(frame, box)


def weighted(weights: NDArray[np.floating], values: Array) -> Array:
    """Mean over cells around points: weights (n, c), values (n, c, m); NaN where under half is known."""
    known = np.isfinite(values)
    total = np.einsum("nc,ncm->nm", weights, known.astype(np.float64))
    summed = np.einsum("nc,ncm->nm", weights, np.where(known, values, 0.0))
    result: Array = np.where(total >= 0.5, summed / np.maximum(total, 1e-9), np.nan)
    return result


def joined(parts: Iterable[NDArray[np.intp]]) -> Rows:
    """All rows of several arrays of any shape."""
    flat = [part.ravel() for part in parts]
    return np.concatenate(flat) if flat else np.empty(0, np.intp)
