"""The parts of the Gymnasium environments: each agent's half of a step over a rig."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from dasha_ros.control.rig import Rig, checked
from dasha_ros.learning.envs.episodes import ExposureEpisodes, FocusEpisodes, StepResults
from dasha_ros.learning.envs.exposure_batch import exposure_rules
from dasha_ros.learning.envs.focus_batch import focus_rules
from dasha_ros.learning.training.preset_models import Preset
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.learned.exposure_encoder import ExposureFeatureExtractor, ExposureInputs
from dasha_ros.policies.learned.focus_features import FocusFeatureExtractor, FocusReader
from dasha_ros.policies.policy import FocusTask

Observation = NDArray[np.float32]
Info = dict[str, Any]
_ROW = np.zeros(1, np.intp)


@dataclass(frozen=True)
class StepResult:
    """StepResult of one step of one episode."""

    reward: float
    terms: dict[str, float]
    terminated: bool
    truncated: bool

    @classmethod
    def of(cls, results: StepResults) -> StepResult:
        """The result of the first episode of a batch."""
        terms = {name: float(value[0]) for name, value in results.terms.items()}
        return cls(float(results.reward[0]), terms, bool(results.terminated[0]), bool(results.truncated[0]))


class EpisodeSource(Protocol):
    """Begins episodes on a rig."""

    def begin(self, rng: np.random.Generator) -> FocusTask:
        """Prepare the rig for a new episode and return its goal.

        Blocks until there is something to do. The environment takes the first picture.
        """
        ...


class RigEnv(gym.Env[Any, Any]):
    """The common part of the environments: rig, episode source, and newest percept."""

    metadata = {"render_modes": []}  # noqa: RUF012 - Gymnasium's own name and type

    def __init__(self, rig: Rig, episode_source: EpisodeSource, preset: Preset) -> None:
        self.rig, self.episode_source, self.preset = rig, episode_source, preset
        self.percept: Percept | None = None
        """The newest percept."""
        self._task: FocusTask | None = None

    @property
    def task(self) -> FocusTask:
        """The goal of this episode."""
        assert self._task is not None, "step before reset"
        return self._task

    def _info(self, **more: Any) -> Info:
        """The active settings, as plain numbers. The percept itself is the attribute ``percept``."""
        assert self.percept is not None, "step before reset"
        in_force = {
            "exposure_us": self.percept.capture.exposure_us,
            "lens_position": self.percept.lens.commanded_position,
        }
        return {**in_force, **more}

    def _stepped(
        self, observation: Any, result: StepResult, **more: Any
    ) -> tuple[Any, float, bool, bool, Info]:
        """What ``step`` returns."""
        info = self._info(terms=result.terms, **more)
        return observation, result.reward, result.terminated, result.truncated, info

    def _begin(self, seed: int | None) -> Percept:
        super().reset(seed=seed)
        self._task = self.episode_source.begin(self.np_random)
        self.percept = checked(self.rig.observe())
        return self.percept


def action_space(nvec: tuple[int, ...]) -> spaces.Space[Any]:
    """``Discrete`` for one choice, else ``MultiDiscrete``.

    Args:
        nvec: Number of choices of each part of an action.
    """
    return spaces.Discrete(nvec[0]) if len(nvec) == 1 else spaces.MultiDiscrete(list(nvec))


def _checked_action(action: Any, nvec: tuple[int, ...]) -> NDArray[np.intp]:
    """An action as indices, shape (1, parts).

    Raises:
        ValueError: It is not one of the action space.
    """
    numbers = np.asarray(action)
    is_whole = np.issubdtype(numbers.dtype, np.integer) and numbers.size == len(nvec)
    if not is_whole or not all(0 <= n < most for n, most in zip(numbers.ravel(), nvec, strict=True)):
        raise ValueError(f"{action!r} is no action: give whole numbers from 0, less than {list(nvec)}")
    return numbers.astype(np.intp).reshape(1, -1)


class FocusPart:
    """A^L's part of a step."""

    def __init__(self, rig: Rig, extractor: FocusFeatureExtractor, preset: Preset) -> None:
        self._rig, self._reader = rig, FocusReader(extractor)
        encoder = extractor.observation_encoder(rig.lens, 1)
        self.episodes = FocusEpisodes(encoder, focus_rules(preset), rig.lens, 1, preset.focus.stay_dioptres)
        self.action_space = action_space(encoder.nvec)
        self.observation_space = spaces.Box(-np.inf, np.inf, (encoder.size,), np.float32)

    def begin(self, percept: Percept, task: FocusTask) -> Observation:
        """Begin an episode at the current position."""
        self._reader.reset()
        self.episodes.begin(_ROW, self._reader.read(percept, task))
        return self.observation()

    def observation(self) -> Observation:
        """The agent's current observation."""
        return np.asarray(self.episodes.observation()[0], np.float32)

    def step(self, action: Any, last: Percept, task: FocusTask) -> tuple[Percept, StepResults]:
        """Move the lens and take a picture; if the lens stays, the last percept still holds."""
        position, moved = self.episodes.command(_checked_action(action, self.episodes.encoder.nvec))
        percept = checked(self._rig.move(float(position[0]))) if len(moved) else last
        return percept, self.episodes.finish_step(moved, self._reader.read(percept, task))


class ExposurePart:
    """A^H's part of a step."""

    def __init__(self, rig: Rig, extractor: ExposureFeatureExtractor, preset: Preset) -> None:
        self._rig, self._reader = rig, extractor
        encoder = extractor.observation_encoder(len(rig.table), 1)
        self.episodes = ExposureEpisodes(encoder, exposure_rules(preset), 1)
        self.action_space = spaces.Discrete(encoder.actions)
        self.observation_space = spaces.Box(-np.inf, np.inf, (encoder.size,), np.float32)

    def begin(self, percept: Percept) -> Observation:
        """Begin an episode with the active exposure."""
        self.episodes.begin(_ROW, self._read(percept))
        return self.observation()

    def observation(self) -> Observation:
        """The agent's current observation."""
        return np.asarray(self.episodes.observation()[0], np.float32)

    def step(self, action: Any) -> tuple[Percept, ExposureInputs, StepResults]:
        """Set the exposure and take a picture."""
        chosen = _checked_action(action, (self.episodes.encoder.actions,))
        index = self.episodes.encoder.index(chosen[:, 0])
        exposure_us = self._rig.table.exposure_us(int(index[0]))
        percept = checked(self._rig.expose(exposure_us))
        pictures = self._read(percept)
        return percept, pictures, self.episodes.finish_step(pictures)

    def _read(self, percept: Percept) -> ExposureInputs:
        return self._reader.read(
            percept, self._rig.table.seen(percept.capture.exposure_us, percept.capture.gain_db)
        )
