"""Scores networks on views that they were not trained on, played from the percept cache as deployed."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from dasha_ros.learning.envs.exposure_batch import ExposureBatch
from dasha_ros.learning.envs.focus_batch import FocusBatch, ViewSampler
from dasha_ros.learning.envs.schedule import drawn
from dasha_ros.learning.envs.worlds import Rows
from dasha_ros.learning.evaluation.settings import FOCUSED_PX
from dasha_ros.learning.fitting.exposure import ExposureLookup
from dasha_ros.learning.fitting.focus import FocusLookup
from dasha_ros.learning.training.preset_models import Preset
from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.policies.learned.deployed import ExposureBounds, focus_moves
from dasha_ros.policies.learned.exposure_encoder import ExposureInputs
from dasha_ros.policies.learned.network import PolicyNet
from dasha_ros.policies.moves import HUNTING_REVERSALS

_MOST_MOVES = 40


def merit(
    *, within_2px: float, within_1px: float, moves_settled: float, hunting: float, hunting_weight: float
) -> float:
    """How good A^L is: success, then sharpness, then few and calm moves.

    Args:
        within_2px: Share of episodes that ended within 2 px of blur.
        within_1px: Within 1 px.
        moves_settled: Mean number of moves.
        hunting: Share of episodes that hunted.
        hunting_weight: What an episode that hunts costs.
    """
    return (within_2px + within_1px) / 2 - 0.02 * moves_settled - hunting_weight * hunting


@dataclass(frozen=True)
class FocusScore:
    """Score of A^L. The keys are those of `benchmark.focus`."""

    episodes: int
    within_2px: float
    within_1px: float
    detected: float
    moves_first: float
    """Mean over the episodes that ever came within 2 px."""
    moves_settled: float
    hunting: float
    reward: float
    """Mean return of Eq. 8 with prices, until the policy stopped."""
    hunting_weight: float = 0.2
    """Weight of hunting in `merit`; see `FocusPreset.merit_hunting`."""

    @property
    def merit(self) -> float:
        """One number for choosing the best network; see the function `merit`."""
        return merit(
            within_2px=self.within_2px,
            within_1px=self.within_1px,
            moves_settled=self.moves_settled,
            hunting=self.hunting,
            hunting_weight=self.hunting_weight,
        )

    def as_dict(self) -> dict[str, float]:
        """For JSON and TensorBoard."""
        numbers = asdict(self)
        del numbers["hunting_weight"]
        return {**numbers, "merit": self.merit}


@dataclass(frozen=True)
class ExposureScore:
    """Score of A^H."""

    episodes: int
    well_exposed: float
    """Share of episodes that ended well exposed."""
    commands: float
    """Mean number of commands of all episodes."""
    commands_from_bad: float
    """Mean number of commands of the episodes that did not begin well exposed."""

    @property
    def merit(self) -> float:
        """One number for choosing the best network."""
        return self.well_exposed - 0.1 * self.commands_from_bad

    def as_dict(self) -> dict[str, float]:
        """For JSON and TensorBoard."""
        return {**asdict(self), "merit": self.merit}


def score_focus(
    net: PolicyNet,
    table: FocusLookup,
    preset: Preset,
    views: Rows,
    *,
    episodes: int = 400,
    seed: int = 0,
    composite_share: float | None = None,
    sampled: bool = False,
) -> FocusScore:
    """Play episodes of A^L until the policy stops.

    Args:
        net: The policy.
        table: Looks up the inputs.
        preset: Tells what is drawn.
        views: Numbers of the views.
        episodes: Number of episodes; all begin together, so short ones are not favoured.
        seed: Seed of starts and noise: the same ones for every network.
        composite_share: Share of episodes with two depths; the preset's if left out.
        sampled: Draw actions instead of taking the likeliest.
    """
    rng, preset = np.random.default_rng(seed), drawn(preset)
    share = preset.focus.world.composite_share if composite_share is None else composite_share
    batch = FocusBatch(table, preset, ViewSampler.of(table, views, share), episodes, rng)
    playing, everyone = batch.episodes, np.arange(episodes)
    first = np.where(batch.worlds.blur_px(everyone) <= FOCUSED_PX, 0, -1)
    settled = np.full(episodes, _MOST_MOVES)
    done = np.zeros(episodes, bool)
    returns = np.zeros(episodes)
    for step in range(_MOST_MOVES):
        position, stop = focus_moves(
            net,
            playing.encoder,
            playing.log,
            playing.detected,
            end_on_detection=preset.focus.end_on_detection,
            rng=rng if sampled else None,
        )
        settled[stop & ~done] = step
        done |= stop
        if done.all():
            break
        results = batch.move(np.where(done, playing.log.position, position))
        returns += np.where(done, 0.0, results.reward)
        first[(first < 0) & (batch.worlds.blur_px(everyone) <= FOCUSED_PX)] = step + 1
    blur = batch.worlds.blur_px(everyone)
    return FocusScore(
        episodes=episodes,
        within_2px=float((blur <= FOCUSED_PX).mean()),
        within_1px=float((blur <= 1.0).mean()),
        detected=float(playing.detected.mean()),
        moves_first=float(first[first >= 0].mean()) if (first >= 0).any() else float(_MOST_MOVES),
        moves_settled=float(settled.mean()),
        hunting=float((playing.log.reversals >= HUNTING_REVERSALS).mean()),
        reward=float(returns.mean()),
        hunting_weight=preset.focus.merit_hunting,
    )


def score_exposure(
    net: PolicyNet,
    table: ExposureLookup,
    exposures: ExposureTable,
    preset: Preset,
    views: Rows,
    *,
    episodes: int = 400,
    seed: int = 0,
    sampled: bool = False,
) -> ExposureScore:
    """Play episodes of A^H until the policy stops; see `score_focus`."""
    rng, preset = np.random.default_rng(seed), drawn(preset)
    batch = ExposureBatch(table, exposures, preset, views=views, batch=episodes, rng=rng)
    first = batch.look(np.arange(episodes))
    began_bad = ~first.reached("well_exposed")
    played = play_exposure(net, batch, first, exposures=exposures, preset=preset, rng=rng, sampled=sampled)
    return ExposureScore(
        episodes=episodes,
        well_exposed=float(played.pictures.reached("well_exposed").mean()),
        commands=float(played.commands.mean()),
        commands_from_bad=float(played.commands[began_bad].mean()) if began_bad.any() else 0.0,
    )


@dataclass(frozen=True)
class PlayedExposure:
    """Episodes of a deployed A^H; arrays of shape (batch,)."""

    pictures: ExposureInputs
    """The last pictures."""
    handed_over: NDArray[np.bool_]
    """Whether the last picture satisfies the stop rule."""
    commands: NDArray[np.intp]


def play_exposure(
    net: PolicyNet,
    batch: ExposureBatch,
    pictures: ExposureInputs,
    *,
    exposures: ExposureTable,
    preset: Preset,
    rng: np.random.Generator,
    sampled: bool = False,
) -> PlayedExposure:
    """Play episodes that have begun, as deployed, until the policy stops in each.

    Args:
        net: The policy.
        batch: Batch of the episodes.
        pictures: Their first pictures.
        exposures: The exposures that can be commanded.
        preset: Tells the stop rule.
        rng: Random generator of the noise, and of sampled actions.
        sampled: Draw actions instead of taking the likeliest.
    """
    count = len(pictures.peak)
    everyone = np.arange(count)
    bounds = ExposureBounds(count, exposures, preset.exposure.rule, preset.exposure.deployed == "algorithm_1")
    commands = np.zeros(count, np.intp)
    done, handed = np.zeros(count, bool), np.zeros(count, bool)
    for _ in range(_MOST_MOVES):
        good, exhausted = bounds.see(pictures)
        handed |= good & ~done
        done |= good | exhausted
        if done.all():
            break
        chosen = bounds.choose(net, batch.episodes.encoder, rng if sampled else None)
        batch.worlds.expose(everyone, np.where(done, batch.worlds.index, chosen), rng)
        commands += ~done
        pictures = batch.look(everyone)
        batch.episodes.finish_step(pictures)
    return PlayedExposure(pictures, handed, commands)
