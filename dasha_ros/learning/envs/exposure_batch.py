"""Many episodes of A^H over the percept cache at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dasha_ros.learning.envs.episodes import ExposureEpisodes, Rows, StepResults
from dasha_ros.learning.envs.rewards_and_ends import Array, ExposureRules
from dasha_ros.learning.envs.schedule import light_cycle
from dasha_ros.learning.fitting.exposure import ExposureLookup
from dasha_ros.learning.training.preset_models import ExposureWorld, Preset
from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.policies.learned.exposure_encoder import ExposureInputs
from dasha_ros.twin.world import FACTORY_EXPOSURE_US


def exposure_rules(preset: Preset) -> ExposureRules:
    """The rules of a preset for A^H."""
    exposure = preset.exposure
    return ExposureRules(exposure.horizon, exposure.criterion, exposure.end, exposure.rule)


class ExposureWorlds:
    """The light, the views and the active exposures of a batch of episodes."""

    def __init__(
        self, table: ExposureLookup, exposures: ExposureTable, world: ExposureWorld, batch: int
    ) -> None:
        """Nothing placed yet."""
        self._world = world
        self._cycle = light_cycle(world)
        self._factory = exposures.nearest(FACTORY_EXPOSURE_US)
        self._log_us = np.log2(np.array(exposures.values_us))
        self._log_mid = np.log2([view.mid_grey_lux_seconds * 1e6 for view in table.views])
        self.view: Rows = np.zeros(batch, np.intp)
        self.defocus: Array = np.zeros(batch)
        self.log_lx: Array = np.zeros(batch)
        self.index: Rows = np.zeros(batch, np.intp)
        self.draw: Rows = np.zeros(batch, np.intp)

    def place(self, rows: Rows, views: Rows, rng: np.random.Generator) -> None:
        """Draw new episodes for these rows before the given views."""
        world, n = self._world, len(rows)
        first, last = self._starts()
        self.view[rows] = views
        self.defocus[rows] = rng.uniform(*world.defocus_dioptres, n)
        self.log_lx[rows] = (
            rng.uniform(np.log2(world.light_lx[0]), np.log2(world.light_lx[1]), n)
            if self._cycle is None
            else np.log2(self._cycle.value)
        )
        self.expose(rows, rng.integers(first, last + 1, n), rng)

    def _starts(self) -> tuple[int, int]:
        """Least and greatest index of the exposure at the start."""
        given = self._world.exposure_index
        if given == "any":
            return 0, len(self._log_us) - 1
        return (self._factory, self._factory) if given == "factory" else given

    def step(self, count: int) -> None:
        """Advance the schedule of the light, where there is one, by ``count`` steps."""
        if self._cycle is not None:
            self._cycle.step(count)

    def expose(self, rows: Rows, index: Rows, rng: np.random.Generator) -> None:
        """Command these exposures."""
        self.index[rows] = index
        self.draw[rows] = rng.integers(1 << 16, size=len(rows))

    def ev(self, rows: Rows) -> Array:
        """Exposure relative to mid grey [EV]."""
        result: Array = self._log_us[self.index[rows]] + self.log_lx[rows] - self._log_mid[self.view[rows]]
        return result


class ExposureBatch:
    """A batch of episodes of A^H, each with a view of its own. The caller restarts those that end."""

    def __init__(
        self,
        table: ExposureLookup,
        exposures: ExposureTable,
        preset: Preset,
        *,
        views: Rows,
        batch: int,
        rng: np.random.Generator,
    ) -> None:
        """Begin every episode.

        Args:
            table: Looks up the inputs.
            exposures: The exposures that can be commanded.
            preset: Tells what is drawn, which rewards are paid, and when episodes end.
            views: Numbers of the views to draw from.
            batch: Number of episodes.
            rng: Random generator of everything that is drawn.
        """
        self._table, self._views, self.rng = table, views, rng
        self.worlds = ExposureWorlds(table, exposures, preset.exposure.world, batch)
        self.episodes = ExposureEpisodes(
            table.extractor.observation_encoder(len(exposures), batch), exposure_rules(preset), batch
        )
        self.begin(np.arange(batch))

    def begin(self, rows: Rows) -> None:
        """Begin these episodes anew."""
        self.worlds.place(rows, self.rng.choice(self._views, len(rows)), self.rng)
        self.episodes.begin(rows, self.look(rows))

    def step(self, actions: NDArray[np.integer]) -> StepResults:
        """Act in every episode. Episodes that end wait for `begin`."""
        everyone = np.arange(len(self.episodes.steps))
        self.worlds.step(len(everyone))
        index = self.episodes.encoder.index(np.asarray(actions, np.intp).reshape(-1))
        self.worlds.expose(everyone, index, self.rng)
        return self.episodes.finish_step(self.look(everyone))

    def look(self, rows: Rows) -> ExposureInputs:
        """The current pictures of these episodes."""
        worlds = self.worlds
        return self._table.pictures(
            worlds.index[rows], worlds.view[rows], worlds.defocus[rows], worlds.ev(rows), worlds.draw[rows]
        )
