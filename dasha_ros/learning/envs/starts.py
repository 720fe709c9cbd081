"""Random starts for episodes of the Gymnasium environments over the twin or a cache."""

from __future__ import annotations

from typing import Literal

import numpy as np

from dasha_ros.estimation.lens_map import LensMap
from dasha_ros.learning.dataset.scenes.views import ViewInfo
from dasha_ros.learning.envs.episodes import Rows
from dasha_ros.learning.envs.focus_batch import ViewSampler
from dasha_ros.learning.envs.schedule import distance_cycle, light_cycle
from dasha_ros.learning.evaluation.arenas import Arena
from dasha_ros.learning.evaluation.settings import COMPOSITE_SHIFT_D, Start, composite_dioptres
from dasha_ros.learning.training.preset_models import Preset
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.policy import FocusTask
from dasha_ros.twin.world import FACTORY_EXPOSURE_US

Kind = Literal["exposure", "focus", "joint"]


class ArenaRig:
    """The current rig of an arena; implements `Rig`."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self.lens, self.table = arena.lens, arena.table
        self.steps = 0
        """Number of commands so far."""

    def observe(self) -> Percept:
        """See `Rig`."""
        return self._arena.rig.observe()

    def expose(self, exposure_us: float) -> Percept:
        """See `Rig`."""
        self.steps += 1
        return self._arena.rig.expose(exposure_us)

    def move(self, position: float) -> Percept:
        """See `Rig`."""
        self.steps += 1
        return self._arena.rig.move(position)


class PresetStarts:
    """Begins episodes as a preset says: draws light, view, distance, drift, lens position and exposure.

    The lens's hysteresis is the rig's own.
    """

    def __init__(
        self,
        arena: Arena,
        preset: Preset,
        views: Rows,
        kind: Kind,
        encoder: str,
        *,
        disturbed: Rows | None = None,
    ) -> None:
        """Prepare the draws.

        Args:
            arena: Where episodes take place.
            preset: Tells what is drawn.
            views: Numbers of the views that episodes are of.
            kind: Which agents act; only episodes of A^L alone begin with a usable exposure.
            encoder: Id of the encoder whose latents are read.
            disturbed: Numbers of views under a disturbance, of which the preset's share of episodes are.
        """
        self._arena, self._preset, self._kind, self._encoder = arena, preset, kind, encoder
        self.rig = ArenaRig(arena)
        """The rig of the arena; its steps advance the schedules."""
        self._light, self._distances = light_cycle(preset.exposure.world), distance_cycle(preset.focus.world)
        world = preset.focus.world
        self._draw = ViewSampler.of(arena, views, world.composite_share, disturbed, world.disturbed_share)
        self._lens = LensMap(arena.lens)

    def begin(self, rng: np.random.Generator) -> FocusTask:
        """Place the arena; see `parts.EpisodeSource`."""
        number = int(self._draw(1, rng)[0])
        view = self._arena.views[number]
        world = self._preset.focus.world
        at = self._distance(view, rng)
        drift = float(rng.uniform(-world.drift_dioptres, world.drift_dioptres))
        lux = self._lux(rng)
        start = Start(
            view=number,
            position=self._position(at, rng),
            object_dioptres=at,
            drift_dioptres=drift,
            illuminance_lx=lux,
            exposure_us=self._exposure_us(view, lux, rng),
            seed=int(rng.integers(1 << 31)),
        )
        self._arena.place(start, self._encoder)
        return FocusTask(self._arena.lens, frozenset({view.label}), self._preset.focus.min_score)

    def _lux(self, rng: np.random.Generator) -> float:
        if self._light is not None:
            return self._light.at(self.rig.steps)
        return float(np.exp(rng.uniform(*np.log(self._preset.exposure.world.light_lx))))

    def _distance(self, view: ViewInfo, rng: np.random.Generator) -> float:
        """A distance of the object [1/m], drawn as in training: `worlds.FocusWorlds`."""
        if view.kind == "composite":
            return composite_dioptres(view, float(rng.uniform(-COMPOSITE_SHIFT_D, COMPOSITE_SHIFT_D)))
        if self._distances is not None:
            return 1.0 / self._distances.at(self.rig.steps)
        near, far = self._preset.focus.world.distance_m
        if rng.random() < 0.5:
            return float(rng.uniform(1.0 / far, 1.0 / near))
        return float(np.exp(rng.uniform(np.log(1.0 / far), np.log(1.0 / near))))

    def _position(self, at: float, rng: np.random.Generator) -> float:
        if self._kind == "exposure":
            defocus = float(rng.uniform(*self._preset.exposure.world.defocus_dioptres))
            return float(self._lens.position(np.array([at + defocus]))[0])
        lens = self._arena.lens
        start = self._preset.focus.world.start_position or (lens.position_min, lens.position_max)
        return float(rng.uniform(*start))

    def _exposure_us(self, view: ViewInfo, lux: float, rng: np.random.Generator) -> float:
        table = self._arena.table
        if self._kind == "focus":
            ev = float(rng.uniform(*self._preset.focus.world.ev))
            ideal_us = view.mid_grey_lux_seconds / lux * 1e6 * 2.0**ev
            return table.exposure_us(table.nearest(ideal_us))
        given = self._preset.exposure.world.exposure_index
        if given == "factory":
            return table.exposure_us(table.nearest(FACTORY_EXPOSURE_US))
        first, last = (0, len(table) - 1) if given == "any" else given
        return table.exposure_us(int(rng.integers(first, last + 1)))
