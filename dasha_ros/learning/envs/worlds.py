"""Lenses and views of many episodes at once, in numpy.

An episode here has what `TwinLens` and the twin's world have for one rig: the quantisation of the
electronics, the hysteresis of the moving part, a drift of the map from position to focus, and the rest of a
move when a lens counts as settled.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.lens_map import LensMap
from dasha_ros.learning.dataset.scenes.views import ViewInfo
from dasha_ros.learning.envs.schedule import distance_cycle
from dasha_ros.learning.training.preset_models import FocusWorld
from dasha_ros.optics.lens import LensProfile

Array = NDArray[np.float64]
Rows = NDArray[np.intp]


class FocusWorlds:
    """The lenses of a batch of episodes, and the distances of their objects."""

    def __init__(
        self,
        lens: LensProfile,
        views: tuple[ViewInfo, ...],
        world: FocusWorld,
        batch: int,
        handed_over: Array | None = None,
    ) -> None:
        """Prepare a batch; `place` begins episodes.

        Args:
            lens: Maps positions to focus, and follows commands.
            views: HasViews of the cache.
            world: Tells what is drawn for every episode.
            batch: Number of episodes.
            handed_over: Exposures that episodes begin with, relative to mid grey [EV], shape
                (views, draws); left out: those of ``world``.
        """
        self._lens, self._drive = LensMap(lens), lens.drive
        self._views, self._world = views, world
        self._starts = world.start_position or (lens.position_min, lens.position_max)
        self._cycle = distance_cycle(world)
        self._handed_over = handed_over
        self.view: Rows = np.zeros(batch, np.intp)
        self.object_dioptres: Array = np.zeros(batch)
        self.drift_dioptres: Array = np.zeros(batch)
        self.hysteresis: Array = np.zeros(batch)
        self.ev: Array = np.zeros(batch)
        self.commanded: Array = np.zeros(batch)
        """The last commanded position of each lens."""
        self._felt: Array = np.zeros(batch)
        self._unsettled: Array = np.zeros(batch)
        self.draw: Rows = np.zeros(batch, np.intp)
        """Noise draw of the newest picture."""

    def place(self, rows: Rows, views: Rows, rng: np.random.Generator) -> None:
        """Draw new episodes with the given views for these rows."""
        world, n = self._world, len(rows)
        self.view[rows] = views
        self.object_dioptres[rows] = self._distances(views, rng)
        self.drift_dioptres[rows] = rng.uniform(-world.drift_dioptres, world.drift_dioptres, n)
        self.hysteresis[rows] = rng.uniform(*world.hysteresis, n)
        if self._handed_over is None:
            self.ev[rows] = rng.uniform(*world.ev, n)
        else:
            self.ev[rows] = self._handed_over[views, rng.integers(self._handed_over.shape[1], size=n)]
        position = rng.uniform(*self._starts, n)
        self.commanded[rows] = position
        slack = self.hysteresis[rows]
        self._felt[rows] = self._drive.outputs(position) + rng.uniform(-1.0, 1.0, n) * slack
        self._unsettled[rows] = 0.0
        self.draw[rows] = rng.integers(1 << 16, size=n)

    def step(self, count: int) -> None:
        """Advance the schedule of the distance, where there is one, by ``count`` steps."""
        if self._cycle is not None:
            self._cycle.step(count)

    def move(self, rows: Rows, position: Array, rng: np.random.Generator) -> None:
        """Command these lenses; `optics.actuator.LensActuator` for arrays."""
        put_out, slack = self._drive.outputs(position), self.hysteresis[rows]
        self.commanded[rows] = position
        self._felt[rows] = np.clip(self._felt[rows], put_out - slack, put_out + slack)
        left = self._world.settling_dioptres
        self._unsettled[rows] = rng.uniform(-left, left, len(rows))
        self.draw[rows] = rng.integers(1 << 16, size=len(rows))

    def defocus(self, rows: Rows) -> Array:
        """Focus minus object [1/m]: positive when focused too near."""
        focus = self._lens.dioptres(self._felt[rows]) + self.drift_dioptres[rows]
        return focus + self._unsettled[rows] - self.object_dioptres[rows]

    def blur_px(self, rows: Rows) -> Array:
        """True blur radius of the object [px at 640], for evaluations."""
        return np.abs(self.defocus(rows)) * self._lens.px_per_dioptre

    def _distances(self, views: Rows, rng: np.random.Generator) -> Array:
        """Distances of the objects [1/m]: planes in the preset's range, composites near their own.

        The depth between the layers of a composite is part of its picture.
        """
        near, far = self._world.distance_m
        n = len(views)
        evenly = rng.uniform(1.0 / far, 1.0 / near, n)
        by_logarithm = np.exp(rng.uniform(np.log(1.0 / far), np.log(1.0 / near), n))
        plane = np.where(rng.random(n) < 0.5, evenly, by_logarithm)
        if self._cycle is not None:
            plane[:] = 1.0 / self._cycle.value
        shift = rng.uniform(-0.1, 0.1, n)
        composed = np.array([1.0 / self._views[v].distance_m for v in views])
        is_plane = np.array([self._views[v].kind == "plane" for v in views])
        return np.where(is_plane, plane, np.maximum(composed + shift, 1.0 / far))
