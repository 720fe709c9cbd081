"""Many episodes of A^L over the percept cache at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dasha_ros.learning.dataset.scenes.views import ViewInfo
from dasha_ros.learning.envs.episodes import FocusEpisodes, Rows, StepResults
from dasha_ros.learning.envs.rewards_and_ends import FocusRules
from dasha_ros.learning.envs.worlds import FocusWorlds
from dasha_ros.learning.fitting.focus import FocusLookup
from dasha_ros.learning.training.preset_models import Preset
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.learned.focus_encoder import FocusInputs

Array = NDArray[np.float64]


def focus_rules(preset: Preset) -> FocusRules:
    """The rules of a preset for A^L."""
    focus = preset.focus
    prices = (focus.move_price, focus.reversal_price, focus.hunting_price, focus.defocus_price)
    return FocusRules(
        focus.horizon,
        focus.end_on_detection,
        *prices,
        false_end_price=focus.false_end_price,
        as_deployed=focus.as_deployed,
        detection=focus.detection,
        exposure_reward=focus.exposure_reward,
    )


class HasViews(Protocol):
    """Something with views: a `FocusLookup`, or an arena."""

    @property
    def views(self) -> Sequence[ViewInfo]:
        """The views, by number."""
        ...


@dataclass(frozen=True)
class ViewSampler:
    """Draws the views of episodes."""

    planes: Rows
    composites: Rows
    composite_share: float
    disturbed: ViewSampler | None = None
    """Draws the views of episodes under a disturbance."""
    disturbed_share: float = 0.0

    @classmethod
    def of(
        cls,
        shown: HasViews,
        views: Rows,
        composite_share: float,
        disturbed: Rows | None = None,
        disturbed_share: float = 0.0,
    ) -> ViewSampler:
        """A sampler of some views; it draws only planes if there are no composites, and vice versa.

        Args:
            shown: Says what the views are.
            views: Numbers of the plain views.
            composite_share: Share of composites.
            disturbed: Numbers of views under a disturbance.
            disturbed_share: Their share, if there are any.
        """
        is_plane = np.array([shown.views[v].kind == "plane" for v in views], bool)
        share = composite_share if not is_plane.all() else 0.0
        made = cls(views[is_plane], views[~is_plane], share if is_plane.any() else 1.0)
        if disturbed is None or not len(disturbed) or not disturbed_share:
            return made
        others = cls.of(shown, disturbed, composite_share)
        return replace(made, disturbed=others, disturbed_share=disturbed_share)

    def __call__(self, count: int, rng: np.random.Generator) -> Rows:
        """Draw ``count`` views at random."""
        two_depths = rng.random(count) < self.composite_share
        drawn = np.empty(count, np.intp)
        for mine, pool in ((two_depths, self.composites), (~two_depths, self.planes)):
            if mine.any():
                drawn[mine] = rng.choice(pool, int(mine.sum()))
        if self.disturbed is not None:
            mine = rng.random(count) < self.disturbed_share
            drawn[mine] = self.disturbed(int(mine.sum()), rng)
        return drawn


class FocusBatch:
    """A batch of episodes of A^L, each with a view of its own. The caller restarts those that end."""

    def __init__(
        self, table: FocusLookup, preset: Preset, draw: ViewSampler, batch: int, rng: np.random.Generator
    ) -> None:
        """Begin every episode.

        Args:
            table: Looks up the inputs.
            preset: Tells what is drawn, which rewards are paid, and when episodes end.
            draw: Draws the views.
            batch: Number of episodes.
            rng: Random generator of everything that is drawn; its state is part of `state`.
        """
        lens = lens_model(preset.lens)
        self._table, self._draw, self.rng = table, draw, rng
        self.worlds = FocusWorlds(lens, table.views, preset.focus.world, batch, table.handed_over)
        self.episodes = FocusEpisodes(
            table.extractor.observation_encoder(lens, batch),
            focus_rules(preset),
            lens,
            batch,
            preset.focus.stay_dioptres,
        )
        self.begin(np.arange(batch))

    def begin(self, rows: Rows, views: Rows | None = None) -> None:
        """Restart these episodes, with the given views or random ones."""
        self.worlds.place(rows, self._draw(len(rows), self.rng) if views is None else views, self.rng)
        self.episodes.begin(rows, self.look(rows))

    def step(self, actions: NDArray[np.integer]) -> StepResults:
        """Act in every episode. Episodes that end wait for `begin`."""
        return self._answer(*self.episodes.command(actions))

    def move(self, position: Array) -> StepResults:
        """Command every lens to a position, as a deployed policy does."""
        return self._answer(*self.episodes.move(position))

    def _answer(self, position: Array, moved: Rows) -> StepResults:
        self.worlds.step(len(position))
        if len(moved):
            self.worlds.move(moved, position[moved], self.rng)
        return self.episodes.finish_step(moved, self.look(moved))

    def look(self, rows: Rows) -> FocusInputs:
        """The current pictures of these episodes."""
        worlds = self.worlds
        return self._table.pictures(
            worlds.commanded[rows],
            worlds.view[rows],
            worlds.defocus(rows),
            worlds.ev[rows],
            worlds.draw[rows],
        )
