"""What ``gymnasium.make`` makes: the environments over the twin, or over a percept cache.

    import gymnasium, dasha_ros.learning.envs
    env = gymnasium.make("DashaFocus-v0")                                # the twin, preset plus
    env = gymnasium.make("DashaJoint-v0", preset="paper", scene="cat_pagoda")
    env = gymnasium.make("DashaFocus-v0", rig="cached", cache="training-c4e5", part="validation")

With the twin, every picture is rendered and read by the real perception; the feature extractor comes from a
policy file. With a cache, percepts are looked up, about a thousand times faster; the feature extractor is
fitted on the split's training views, as `dasha train` does, unless a policy is named. Environments over the
running graph are not made here: their rig (`ros.actuation.ros_rig.RosRig`) needs a node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict, TypeVar, get_args

import numpy as np

from dasha_ros.estimation.readout import GRID_ENCODER
from dasha_ros.files.naming import expanded
from dasha_ros.learning.dataset.cache.cells import CellFeatures, cell_features
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.places import found_cache
from dasha_ros.learning.dataset.scenes.shipped import scene_views
from dasha_ros.learning.dataset.scenes.splits import copies_of
from dasha_ros.learning.envs.episodes import Rows
from dasha_ros.learning.envs.joint import DashaJointEnv
from dasha_ros.learning.envs.parts import RigEnv
from dasha_ros.learning.envs.single import DashaExposureEnv, DashaFocusEnv
from dasha_ros.learning.envs.starts import ArenaRig, Kind, PresetStarts
from dasha_ros.learning.evaluation.arenas import Arena, CacheArena, TwinArena
from dasha_ros.learning.fitting.exposure import exposure_kind
from dasha_ros.learning.fitting.focus import focus_kind
from dasha_ros.learning.training.agents import exposure_lookup, focus_lookup
from dasha_ros.learning.training.preset_models import Preset
from dasha_ros.learning.training.presets import load_preset
from dasha_ros.learning.training.train import split_of
from dasha_ros.perception.encoders.joint import joined
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.learned.exposure_encoder import ExposureFeatureExtractor, exposure_extractor
from dasha_ros.policies.learned.focus_features import FocusFeatureExtractor, focus_extractor
from dasha_ros.policies.learned.policy_content import WITH_COLOUR
from dasha_ros.policies.learned.policy_file import Agent, PolicyFile, PolicyFileError, shipped_policy

if TYPE_CHECKING:
    from typing_extensions import Unpack

RigKind = Literal["twin", "cached"]
RIGS: tuple[RigKind, ...] = get_args(RigKind)
Part = Literal["train", "validation", "test"]
PathLike: TypeAlias = "str | Path"

AnyEnv = TypeVar("AnyEnv", bound=RigEnv)


class UnknownOptionError(TypeError, ValueError):
    """An environment has no such option.

    A `TypeError`, as for any function: libraries such as stable-baselines3 first give ``render_mode``, and do
    without it when that is refused as Python refuses it.
    """


class EnvOptions(TypedDict, total=False):
    """Options of every environment; each has a default."""

    rig: RigKind
    """``twin`` (the default) renders, ``cached`` looks up."""
    scene: str | Sequence[str]
    """Twin: names of shipped scenes, or paths of YAML files; one is drawn for every episode."""
    cache: PathLike | None
    """Cached: folder of a percept cache, or its name below the default place; the newest if left out."""
    split: int
    """Cached: number of the split by photograph."""
    part: Part
    """Cached: which of the split's views episodes are of."""
    seed: int | None
    """Seed of the episodes, where ``reset`` is not given one."""


def focus_env(
    preset: PathLike = "plus", *, policy: PathLike | None = None, **options: Unpack[EnvOptions]
) -> DashaFocusEnv:
    """``DashaFocus-v0``: A^L alone.

    Args:
        preset: By name, or a YAML file.
        policy: Policy file whose feature extractor is taken; left out: the one that ships for the preset
            (twin), or what is fitted on the split's training views (cached).
        **options: See `EnvOptions`.

    Raises:
        PresetError: No such preset.
        PolicyFileError: The policy can't be used.
        SceneError: No such scene, or one without objects.
        CacheError: No such cache.
        TrainingError: No such split.
        ReadingError: The cache lacks what the preset reads.
        UnknownOptionError: There is no such argument.
        ValueError: Another argument has an unknown value, or means nothing with the rig.
    """
    plan = _planned(preset, **options)
    made = plan.make("focus", focus_policy=policy)
    assert made.focus is not None
    return plan.seeded(DashaFocusEnv(made.rig, made.starts, plan.preset, made.focus))


def exposure_env(
    preset: PathLike = "plus", *, policy: PathLike | None = None, **options: Unpack[EnvOptions]
) -> DashaExposureEnv:
    """``DashaExposure-v0``: A^H alone. Arguments and errors as for `focus_env`."""
    plan = _planned(preset, **options)
    made = plan.make("exposure", exposure_policy=policy)
    assert made.exposure is not None
    return plan.seeded(DashaExposureEnv(made.rig, made.starts, plan.preset, made.exposure))


def joint_env(
    preset: PathLike = "plus",
    *,
    exposure_policy: PathLike | None = None,
    focus_policy: PathLike | None = None,
    **options: Unpack[EnvOptions],
) -> DashaJointEnv:
    """``DashaJoint-v0``: both agents in turn, with the hand-over. Arguments and errors as for `focus_env`."""
    plan = _planned(preset, **options)
    made = plan.make("joint", exposure_policy=exposure_policy, focus_policy=focus_policy)
    assert made.exposure is not None
    assert made.focus is not None
    return plan.seeded(DashaJointEnv(made.rig, made.starts, plan.preset, made.exposure, made.focus))


@dataclass(frozen=True)
class _Made:
    """What an environment needs, with a feature extractor for each agent that acts."""

    rig: ArenaRig
    starts: PresetStarts
    exposure: ExposureFeatureExtractor | None
    focus: FocusFeatureExtractor | None


@dataclass(frozen=True)
class _Plan:
    """The options of an environment."""

    preset: Preset
    rig: RigKind = "twin"
    scene: str | Sequence[str] = "motorcycle_street"
    cache: PathLike | None = None
    split: int = 0
    part: Part = "train"
    seed: int | None = None

    def seeded(self, env: AnyEnv) -> AnyEnv:
        if self.seed is not None:
            env.np_random = np.random.default_rng(self.seed)
        return env

    def make(
        self,
        kind: Kind,
        exposure_policy: PathLike | None = None,
        focus_policy: PathLike | None = None,
    ) -> _Made:
        exposes, focuses = kind in ("exposure", "joint"), kind in ("focus", "joint")
        if self.rig == "twin":
            exposure = _exposure_extractor(self.preset, exposure_policy) if exposes else None
            focus = _focus_extractor(self.preset, focus_policy) if focuses else None
            encoder = _encoders(exposure, focus)
            scenes = [self.scene] if isinstance(self.scene, str) else self.scene
            arena: Arena = TwinArena(
                scene_views(scenes), Perception(encoder, colour_detail=_reads_colours(focus))
            )
            views, disturbed = np.arange(len(arena.views)), None
        elif self.rig == "cached":
            cache = PerceptCache.open(found_cache(self.cache), verify=False)
            chosen = split_of(cache, self.split)
            if self.part not in ("train", "validation", "test"):
                raise ValueError(f"part {self.part!r}: a split has train, validation and test")
            views = getattr(chosen, self.part)
            disturbed = copies_of(cache.views, chosen.train) if self.part == "train" else None
            fitted = _Fitted(cache, self.preset, chosen.train)
            exposure = fitted.exposure(exposure_policy) if exposes else None
            focus = fitted.focus(focus_policy) if focuses else None
            encoder = _encoders(exposure, focus)
            arena = CacheArena(cache)
        else:
            raise ValueError(
                f"rig {self.rig!r}: there are twin and cached; the graph's is `ros.actuation.ros_rig.RosRig`"
            )
        starts = PresetStarts(arena, self.preset, views, kind, encoder, disturbed=disturbed)
        return _Made(starts.rig, starts, exposure, focus)


_ONLY_WITH: dict[str, RigKind] = {"scene": "twin", "cache": "cached", "split": "cached", "part": "cached"}
"""Options that mean nothing with the other rig."""


def _planned(preset: PathLike, **options: Unpack[EnvOptions]) -> _Plan:
    rig = options.get("rig", "twin")
    for name, value in options.items():
        if name not in EnvOptions.__annotations__:
            known = ", ".join(EnvOptions.__annotations__)
            raise UnknownOptionError(
                f"no option {name!r}; there are: {known}, preset, and those of policy files"
            )
        wanted = _ONLY_WITH.get(name, rig)
        if value is not None and rig in RIGS and wanted != rig:
            raise ValueError(f"{name} does not apply to the rig {rig}, only to {wanted}")
    return _Plan(load_preset(preset), **options)


def _reads_colours(focus: FocusFeatureExtractor | None) -> bool:
    return focus is not None and focus.kind == WITH_COLOUR


class _Fitted:
    """Feature extractors: of a named policy, or fitted on training views."""

    def __init__(self, cache: PerceptCache, preset: Preset, train: Rows) -> None:
        self._cache, self._preset, self._train = cache, preset, train
        self._cells: CellFeatures | None = None

    def exposure(self, policy: PathLike | None) -> ExposureFeatureExtractor:
        if policy is not None:
            return _exposure_extractor(self._preset, policy)
        return exposure_lookup(self._cache, self._preset, self._train, self._features()).extractor

    def focus(self, policy: PathLike | None) -> FocusFeatureExtractor:
        if policy is not None:
            return _focus_extractor(self._preset, policy)
        return focus_lookup(self._cache, self._preset, self._train, self._features()).extractor

    def _features(self) -> CellFeatures | None:
        if self._cells is None and self._preset.encoder == GRID_ENCODER:
            self._cells = cell_features(self._cache)
        return self._cells


def _exposure_extractor(preset: Preset, policy: PathLike | None) -> ExposureFeatureExtractor:
    file = _file(preset, "exposure", exposure_kind(preset.exposure), policy)
    return exposure_extractor(file.info.extractor, file.info.encoder, file.fitted)


def _focus_extractor(preset: Preset, policy: PathLike | None) -> FocusFeatureExtractor:
    file = _file(preset, "focus", focus_kind(preset.focus), policy)
    return focus_extractor(file.info.extractor, file.info.encoder, file.fitted)


def _file(preset: Preset, agent: Agent, observation: str, policy: PathLike | None) -> PolicyFile:
    path = shipped_policy(preset.name, agent) if policy is None else expanded(policy, PolicyFileError)
    file = PolicyFile.load(path, agent)
    if file.info.extractor != observation:
        raise PolicyFileError(
            f"the policy {path} reads percepts as {file.info.extractor!r}, and the preset {preset.name} as "
            f"{observation!r}: give a policy that was trained with this preset"
        )
    return file


def _encoders(exposure: ExposureFeatureExtractor | None, focus: FocusFeatureExtractor | None) -> str:
    """The ids of all encoders that are read, joined."""
    return joined(extractor.encoder for extractor in (exposure, focus) if extractor is not None)
