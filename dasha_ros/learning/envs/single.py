"""The Gymnasium environments of both agents over a rig: twin, cache, or the running graph.

Each runs a batch of one of `episodes`, so that a step means the same as in training from the cache. The rig
supplies the pictures, and an `EpisodeSource` begins episodes: it places the twin at random, or waits for the
next goal.
"""

from __future__ import annotations

from typing import Any

from dasha_ros.control.rig import Rig
from dasha_ros.learning.envs.parts import (
    EpisodeSource,
    ExposurePart,
    FocusPart,
    Info,
    Observation,
    RigEnv,
    StepResult,
)
from dasha_ros.learning.training.preset_models import Preset
from dasha_ros.policies.learned.exposure_encoder import ExposureFeatureExtractor
from dasha_ros.policies.learned.focus_features import FocusFeatureExtractor


class DashaFocusEnv(RigEnv):
    """``DashaFocus-v0``: A^L alone, Algorithm 2. The light is as good as the episode source makes it.

    **Observation** ``Box(size,) float32``: the observation of the preset's encoder.
    ``latent``: E(I) of the newest frame (Eq. 5). ``belief``: see `policies.learned.belief_encoder`.

    **Action**: ``latent``: ``MultiDiscrete([47, 10])``, coarse and fine positions, absolute.
    ``belief``: ``Discrete(16)``: stay, go to or beside a likely place, move by so much. With ``plan``, as in
    the preset ``plus``, ``Discrete(19)``: also follow one of two plans, or look where a picture would tell
    most of the object's own sharpness. Every action is a position inside the lens's range; one that is at
    most ``stay_dioptres`` from the last is not sent.

    **Reward**: Eq. 8 of the picture that answers: -1 without a detection of what was asked for, else
    -0.01 BRISQUE; less ``move_price`` for a move, ``reversal_price`` for a turn by more than 0.093 D (and
    ``hunting_price`` for each after the first), ``defocus_price`` times the probability of
    defocus that the encoder ``belief`` states, and, where the lens stays, ``false_end_price`` times the
    probability that the object itself is not sharp. ``exposure_reward`` times Eq. 7 is added.
    An action that does not move the lens takes no picture: the last one is paid again.

    **Info**: ``terms``, the parts of the reward (after a step), and the active settings: ``exposure_us``
    and ``lens_position``. The newest percept is the environment's attribute ``percept``.

    **Start**: the episode source's: for the twin random light, scene, distance, drift and lens position as
    the preset says; over ROS the next goal.

    **End**: terminated on detection where the preset says so (the paper does), else never. Truncated
    after ``horizon`` steps.

    **Version**: v0. Its number rises when an observation, action or reward changes its meaning.

    Raises `RigError` from ``reset`` and ``step`` when no percept answers, or one that holds values that
    are not finite numbers: the episode is lost, the environment is not.
    """

    def __init__(
        self, rig: Rig, episode_source: EpisodeSource, preset: Preset, extractor: FocusFeatureExtractor
    ) -> None:
        """Set up an agent with a rig.

        Args:
            rig: Takes pictures.
            episode_source: Begins episodes.
            preset: Rules and prices.
            extractor: Reads percepts; fitted before (`learning.fitting.focus`), or from a policy's file.
        """
        super().__init__(rig, episode_source, preset)
        self._part = FocusPart(rig, extractor, preset)
        self.action_space = self._part.action_space
        self.observation_space = self._part.observation_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Begin a new episode."""
        percept = self._begin(seed)
        return self._part.begin(percept, self.task), self._info()

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, Info]:
        """Move the lens and take a picture."""
        assert self.percept is not None, "step before reset"
        self.percept, results = self._part.step(action, self.percept, self.task)
        return self._stepped(self._part.observation(), StepResult.of(results))


class DashaExposureEnv(RigEnv):
    """``DashaExposure-v0``: A^H alone, Algorithm 1. The lens stays where it is.

    **Observation** ``Box(size,) float32``. ``latent``: (E(I), val, bin) of the newest frame (Eq. 6).
    ``readout``: see `policies.learned.exposure_encoder.ReadoutExposureEncoder`.

    **Action** ``Discrete(n)``: the exposure, an index of the rig's exposure table (n = 146), or a step from
    where a linear sensor would show mid grey (`policies.learned.exposure_encoder.RelativeExposureEncoder`).

    **Reward**: Eq. 7 of the picture that answers, with P as the preset says
    (`rewards_and_ends.ExposureRules`).

    **Start**: the episode source's: any light and exposure of the preset, lens anywhere.

    **End**: ``always``: after every step, as Algorithm 1 has it: with a penalty or with the hand-over.
    ``reached``: when the picture satisfies ``hand_over``. Truncated after ``horizon`` steps.

    **Info**, **Version** and errors: as for `DashaFocusEnv`.
    """

    def __init__(
        self, rig: Rig, episode_source: EpisodeSource, preset: Preset, extractor: ExposureFeatureExtractor
    ) -> None:
        """Set up an agent with a rig; see `DashaFocusEnv`."""
        super().__init__(rig, episode_source, preset)
        self._part = ExposurePart(rig, extractor, preset)
        self.action_space = self._part.action_space
        self.observation_space = self._part.observation_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Begin a new episode."""
        percept = self._begin(seed)
        return self._part.begin(percept), self._info()

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, Info]:
        """Set the exposure and take a picture."""
        self.percept, _, results = self._part.step(action)
        return self._stepped(self._part.observation(), StepResult.of(results))
