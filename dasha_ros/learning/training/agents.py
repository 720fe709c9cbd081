"""Prepares both agents to learn from the percept cache: environment, evaluation, and policy files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dasha_ros.estimation.readout import GRID_ENCODER
from dasha_ros.learning.dataset.cache.cells import (
    CellFeatures,
    ReadingError,
    Rows,
    cell_features,
    latent_field,
)
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.scenes import Split
from dasha_ros.learning.dataset.scenes.planes import stem
from dasha_ros.learning.dataset.scenes.splits import copies_of
from dasha_ros.learning.fitting.colour import check_colours
from dasha_ros.learning.fitting.exposure import (
    ExposureLookup,
    latent_exposure_lookup,
    readout_exposure_lookup,
)
from dasha_ros.learning.fitting.focus import (
    FocusLookup,
    belief_focus_lookup,
    latent_focus_lookup,
    planes_to_read,
)
from dasha_ros.learning.training.preset_models import Preset
from dasha_ros.learning.training.presets import preset_from
from dasha_ros.learning.training.run_folder import Agent, RunInfo
from dasha_ros.learning.training.score import score_exposure, score_focus
from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.learned.network import PolicyNet
from dasha_ros.policies.learned.policy_file import PolicyFile, PolicyInfo

if TYPE_CHECKING:
    from dasha_ros.learning.envs.vector import BatchVecEnv

_DRAW_SEED = 1_000_003
"""Separates the episodes' random numbers from the learner's."""


class Score(Protocol):
    """The score of a network."""

    @property
    def merit(self) -> float:
        """One number for choosing the best network."""
        ...

    def as_dict(self) -> dict[str, float]:
        """For JSON and TensorBoard."""
        ...


@dataclass(frozen=True)
class PolicyPacker:
    """Makes policy files of networks."""

    info: RunInfo
    extractor: Any
    """A `FocusFeatureExtractor` or an `ExposureFeatureExtractor`."""
    rules: dict[str, Any]

    def __call__(self, net: PolicyNet, evaluation: dict[str, float]) -> PolicyFile:
        """The policy file of a network, with its score on the validation views."""
        info, is_focus = self.info, self.info.agent == "focus"
        made = {key: value for key, value in asdict(info).items() if key != "cache"}
        # A path of one machine has no business in a file that others use.
        made["pictures"] = [[stem(name), digest] for name, digest in info.pictures.items()]
        described = PolicyInfo(
            agent=info.agent,
            preset=str(info.preset["name"]),
            extractor=self.extractor.kind,
            encoder=self.extractor.encoder,
            lens=info.lens if is_focus else "",
            table="" if is_focus else info.exposures,
            nvec=net.nvec,
            observation_size=net.actor.weights[0].shape[0],
            rules=self.rules,
            made={**made, "validation": evaluation},
        )
        return PolicyFile(described, net, self.extractor.arrays())


@dataclass(frozen=True)
class Trainee:
    """One agent that is ready to learn: its environment, its evaluation, and its policy files."""

    env: BatchVecEnv
    score: Callable[[PolicyNet], Score]
    pack: PolicyPacker


def focus_trainee(info: RunInfo, table: FocusLookup, split: Split) -> Trainee:
    """Prepare A^L for the training views of a split."""
    from dasha_ros.learning.envs.focus_batch import FocusBatch, ViewSampler
    from dasha_ros.learning.envs.parts import action_space
    from dasha_ros.learning.envs.vector import BatchVecEnv

    preset = preset_from(info.preset, "of the run")
    rng = np.random.default_rng([info.seed, _DRAW_SEED])
    world = preset.focus.world
    draw = ViewSampler.of(
        table, split.train, world.composite_share, copies_of(table.views, split.train), world.disturbed_share
    )
    batch = FocusBatch(table, preset, draw, preset.focus.ppo.n_envs, rng)
    env = BatchVecEnv(batch, action_space(batch.episodes.encoder.nvec))
    rules: dict[str, Any] = {
        "end_on_detection": preset.focus.end_on_detection,
        "stay_dioptres": preset.focus.stay_dioptres,
        "min_score": preset.focus.min_score,
    }

    return Trainee(
        env,
        lambda net: score_focus(net, table, preset, split.validation),
        PolicyPacker(info, table.extractor, rules),
    )


def exposure_trainee(info: RunInfo, table: ExposureLookup, exposures: ExposureTable, split: Split) -> Trainee:
    """Prepare A^H for the training views of a split."""
    from gymnasium import spaces

    from dasha_ros.learning.envs.exposure_batch import ExposureBatch
    from dasha_ros.learning.envs.vector import BatchVecEnv

    preset = preset_from(info.preset, "of the run")
    rng = np.random.default_rng([info.seed, _DRAW_SEED])
    batch = ExposureBatch(
        table, exposures, preset, views=split.train, batch=preset.exposure.ppo.n_envs, rng=rng
    )
    env = BatchVecEnv(batch, spaces.Discrete(batch.episodes.encoder.actions))
    rules = {"stop": preset.exposure.rule, "deployed": preset.exposure.deployed}

    return Trainee(
        env,
        lambda net: score_exposure(net, table, exposures, preset, split.validation),
        PolicyPacker(info, table.extractor, rules),
    )


def check_readable(agent: Agent, cache: PerceptCache, preset: Preset, train: Rows) -> None:
    """Refuse a cache from which an agent can't learn with a preset.

    Args:
        agent: Which agent.
        cache: The cache.
        preset: The preset.
        train: Numbers of the training views.

    Raises:
        CacheError: The cache was made with another lens than the preset's.
        ReadingError: The cache lacks views or latents that the preset reads.
    """
    cache.check_lens(lens_model(preset.lens))
    own = preset.focus if agent == "focus" else preset.exposure
    latent_field(cache, preset.encoder if own.observation == "latent" else GRID_ENCODER)
    is_disturbed = agent == "focus" and preset.focus.world.disturbed_share > 0.0
    if is_disturbed and not len(copies_of(cache.views, train)):
        raise ReadingError(
            f"the preset {preset.name} learns under disturbances, and the percept cache {cache.path} has no "
            "view under one: build one with `dasha cache build --disturbed 1`"
        )
    if agent == "focus" and preset.focus.observation == "belief":
        planes_to_read(cache, train)
        if preset.focus.colour:
            check_colours(cache)


def focus_lookup(cache: PerceptCache, preset: Preset, train: Rows, cells: CellFeatures | None) -> FocusLookup:
    """The look-up for A^L of a preset; ``cells`` are used if its observation needs them.

    Raises:
        CacheError: The cache was made with another lens than the preset's.
        ReadingError: The cache lacks what the preset reads, or is damaged.
    """
    check_readable("focus", cache, preset, train)
    if preset.focus.observation == "latent":
        table = latent_focus_lookup(cache, preset.encoder, preset.focus)
    else:
        table = belief_focus_lookup(cache, train, preset.focus, cells or cell_features(cache))
    table.reads_peak = preset.focus.exposure_reward > 0.0
    return table


def exposure_lookup(
    cache: PerceptCache, preset: Preset, train: Rows, cells: CellFeatures | None
) -> ExposureLookup:
    """The look-up for A^H of a preset; ``cells`` are used if its observation needs them."""
    if preset.exposure.observation == "latent":
        return latent_exposure_lookup(cache, preset.encoder)
    return readout_exposure_lookup(cache, train, preset.exposure, cells or cell_features(cache))
