"""The grids of the percept cache: where their cells lie, and how to interpolate between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from dasha_ros.learning.dataset.scenes.views import ViewInfo

PLANE, NEAR, FAR = 0, 1, 2
"""Kinds of views by their defocus axis. A plane's blur has no sign. With two depths the axis needs more cells
on the side of the other layer, which is the far side for the nearer object."""

_HALF = (0.0, 0.05, 0.11, 0.18, 0.26, 0.36, 0.48, 0.64, 0.85, 1.15, 1.6, 2.2, 3.1, 4.4, 6.3, 9.5)
_OTHER_SIDE = (0.05, 0.11, 0.18, 0.26, 0.36, 0.5, 0.7, 0.9, 1.1, 1.35, 1.6, 1.85, 2.2, 3.0, 4.5, 9.5)
_EMPTY_SIDE = (0.0, 0.05, 0.11, 0.18, 0.26, 0.36, 0.5, 0.7, 1.0, 1.5, 2.5, 4.5, 9.5)

Floats = NDArray[np.floating]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Grid:
    """One grid of cells in every view: defocus x exposure x noise draws."""

    plane: tuple[float, ...]
    """Size of the defocus of planes [1/m], ascending from 0."""
    near: tuple[float, ...]
    """Signed defocus of composites whose nearer object is asked for; mirrored for the farther one."""
    ev: tuple[float, ...]
    """Exposures relative to the view's mid grey [EV], ascending."""
    draws: int = 1
    """Number of noise draws."""

    def __post_init__(self) -> None:
        """Check the axes."""
        for axis in (self.plane, self.near, self.ev):
            if len(axis) < 2 or any(a >= b for a, b in pairwise(axis)):
                raise ValueError(f"an axis of the cache must ascend and have two values at least: {axis}")
        if self.plane[0] != 0.0 or self.draws < 1:
            raise ValueError("the defocus axis of planes must begin at 0, and there must be a noise draw")

    def defocus(self, kind: int) -> tuple[float, ...]:
        """Defocus axis [1/m] of a kind of views."""
        if kind == PLANE:
            return self.plane
        return self.near if kind == NEAR else tuple(-d for d in reversed(self.near))

    def points(self, kind: int) -> Iterator[tuple[float, float, int]]:
        """Defocus, exposure and noise draw of the cells of a view of a kind, in their order."""
        return product(self.defocus(kind), self.ev, range(self.draws))

    def cells(self, kind: int) -> int:
        """Cells of a view of a kind."""
        return len(self.defocus(kind)) * len(self.ev) * self.draws


@dataclass(frozen=True)
class Grids:
    """All grids of a cache."""

    focus: Grid = Grid(
        plane=_HALF, near=(*(-d for d in reversed(_OTHER_SIDE)), *_EMPTY_SIDE), ev=(-0.8, 0.0, 0.7)
    )
    """Fine in defocus, near mid grey: what A^L sees after A^H. One noise draw is enough: two draws differ by
    0.006 in score and 0.15 in BRISQUE, far less than neighbouring exposures do."""
    light: Grid = Grid(
        plane=(0.0, 1.5), near=(-3.0, 0.0, 3.0), ev=(-9.0, -6.0, -4.0, -2.2, -0.8, 0.7, 3.0), draws=2
    )
    """Coarse in defocus, all exposures: what A^H sees."""
    grey: Grid = Grid(
        plane=(0.0, 0.6, 2.0, 8.0),
        near=(-8.0, -1.0, 0.0, 1.0, 8.0),
        ev=tuple(i / 4 for i in range(-13 * 4, 8 * 4 + 1)),
    )
    """Brightness alone, in many exposures."""

    @classmethod
    def tiny(cls) -> Grids:
        """Grids of a few cells, for tests."""
        near = (-9.5, -1.5, 0.0, 1.5, 9.5)
        return cls(
            focus=Grid((0.0, 0.3, 1.5, 9.5), near, (-1.2, 1.0), 1),
            light=Grid((0.0, 3.0), near, (-9.0, -1.2, 1.0, 5.0), 1),
            grey=Grid((0.0, 3.0), near, tuple(float(i) for i in range(-13, 9))),
        )


def kind_of(view: ViewInfo) -> int:
    """The kind of a view's defocus axis."""
    if view.kind == "plane":
        return PLANE
    return NEAR if view.separation_dioptres >= 0 else FAR


class Locator:
    """Finds the cells around points of one grid, for many points at once."""

    def __init__(self, grid: Grid, kinds: NDArray[np.int8], first: NDArray[np.int64]) -> None:
        """Note where each view begins.

        Args:
            grid: The grid whose cells are found.
            kinds: Kind of each view.
            first: Row of each view's first cell.
        """
        self._grid, self._kinds, self._first = grid, kinds, first
        self._ev = np.array(grid.ev)
        self._axes = [np.array(grid.defocus(kind)) for kind in (PLANE, NEAR, FAR)]

    def corners(self, view: Rows, defocus: Floats, ev: Floats, draw: Rows) -> tuple[Rows, Floats]:
        """The four cells around each point and their weights; points outside are moved to the edge.

        Returns:
            Rows and weights, shape (n, 4); weights add up to 1.
        """
        kinds = self._kinds[view]
        at = np.where(kinds == PLANE, np.abs(defocus), defocus)
        below = np.empty(len(view), np.intp)
        share = np.empty(len(view))
        for kind, axis in enumerate(self._axes):
            mine = kinds == kind
            if mine.any():
                below[mine], share[mine] = _between(axis, at[mine])
        ev_below, ev_share = _between(self._ev, ev)
        draws = self._grid.draws
        row = self._first[view] + (below * len(self._ev) + ev_below) * draws + draw % draws
        stride = len(self._ev) * draws
        rows = np.stack([row, row + stride, row + draws, row + stride + draws], axis=1)
        weights = np.stack(
            [
                (1 - share) * (1 - ev_share),
                share * (1 - ev_share),
                (1 - share) * ev_share,
                share * ev_share,
            ],
            axis=1,
        )
        return rows, weights


def _between(axis: Floats, x: Floats) -> tuple[Rows, Floats]:
    """Index of the value below each point, and how far the point is on the way to the next, 0..1."""
    below = np.clip(np.searchsorted(axis, x, side="right") - 1, 0, len(axis) - 2)
    share = (x - axis[below]) / (axis[below + 1] - axis[below])
    return below, np.clip(share, 0.0, 1.0)
