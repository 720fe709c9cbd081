"""Looks up what the colours of any view say about the side of the focus; see `estimation.colour_sign`."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from dasha_ros.learning.dataset.cache.cells import Array, CellMap, ReadingError, Rows, weighted
from dasha_ros.learning.dataset.cache.colour_camera import FARTHER, NEARER
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache


def check_colours(cache: PerceptCache) -> None:
    """Refuse a cache without colours.

    Raises:
        ReadingError: It has none.
    """
    if not cache.has_colour:
        raise ReadingError(
            f"the percept cache {cache.path} holds no colours, which this preset reads: build one that "
            "does (`dasha cache build --colour`)"
        )


class ColourRatios:
    """The logarithm of the detail of red over that of blue, of every cell of a cache."""

    def __init__(self, cache: PerceptCache) -> None:
        """Read the cells.

        Raises:
            ReadingError: The cache holds no colours.
        """
        check_colours(cache)
        self._cache, self._map = cache, CellMap(cache)
        self.box: Array = _ratio(cache.fields["box_colour"])
        """In the box of the best detection, `NEARER` and `FARTHER`, shape (cells, 2, bands); NaN without
        one."""
        self.place: Array = _ratio(cache.fields["object_colour"])
        """The same where the object is in the sharp picture."""

    def curves(self, radii: Array, views: Iterable[int]) -> Array:
        """Ratios in the object's place along blur: a curve for each view, exposure and noise draw.

        Args:
            radii: Blur [px at 640], shape (k,).
            views: Numbers of views.

        Returns:
            Shape (n, 2, k, bands): `NEARER`, then `FARTHER`; NaN where unknown.
        """
        return np.concatenate([self._curves_of(int(view), radii) for view in views])

    def _curves_of(self, view: int, radii: Array) -> Array:
        mine, is_plane = self._map.focus_cells(view), self._cache.views[view].kind == "plane"
        sides = [
            # A cell of a plane stands for both sides.
            mine.along_blur(self.place[:, side], radii, self._cache.px_per_dioptre, 1.0 if is_plane else sign)
            for side, sign in ((NEARER, 1.0), (FARTHER, -1.0))
        ]
        return np.stack(sides, axis=1)

    def around(
        self, rows: Rows, weights: NDArray[np.floating], defocus: Array, seen: NDArray[np.bool_]
    ) -> Array:
        """Ratios at n points, shape (n, bands).

        Args:
            rows: The cells around each point, shape (n, c).
            weights: Of these cells, shape (n, c).
            defocus: Focus minus object [1/m], shape (n,).
            seen: Whether the detector finds the object, shape (n,): then its box is read, else its place.
        """
        side = np.where(defocus >= 0.0, NEARER, FARTHER)[:, None]
        box, place = weighted(weights, self.box[rows, side]), weighted(weights, self.place[rows, side])
        return np.where(seen[:, None] & np.isfinite(box), box, place)


def _ratio(details: NDArray[np.floating]) -> Array:
    """Of details of shape (cells, sides, colours, bands)."""
    both = np.asarray(details, np.float64)
    ratio: Array = both[:, :, 0] - both[:, :, 1]
    return ratio
