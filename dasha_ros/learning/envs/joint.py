"""The Gymnasium environment of both agents in turn, with the hand-over."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from dasha_ros.control.rig import Rig
from dasha_ros.learning.envs.parts import EpisodeSource, ExposurePart, FocusPart, Info, RigEnv, StepResult
from dasha_ros.learning.training.preset_models import Preset
from dasha_ros.policies.learned.exposure_encoder import ExposureFeatureExtractor
from dasha_ros.policies.learned.focus_features import FocusFeatureExtractor


class DashaJointEnv(RigEnv):
    """``DashaJoint-v0``: both agents one after the other, with the hand-over (Algorithms 1 and 2).

    **Observation** ``Dict``: ``phase`` ``Discrete(2)``, 0 while A^H acts and 1 while A^L does;
    ``exposure`` and ``focus``, what either agent sees (zeros while it is not its turn).

    **Action** ``MultiDiscrete([n, ...])``: first A^H's action, then A^L's parts. Only the part of
    the agent whose turn it is counts. The lens does not move before the hand-over.

    **Reward**: that of the agent whose turn it is (Eq. 7, then Eq. 8); ``info["agent"]`` names it.

    **End**: A^H's phase ends in the hand-over once the picture satisfies the preset's ``hand_over``
    (`policies.reached`). With the preset's ``end: always``, a picture that does not satisfy it terminates the
    episode. A^L's phase ends as in ``DashaFocus-v0``. Truncated after either agent's horizon.

    **Info**: ``agent``, ``terms`` (after a step), and the settings: ``exposure_us`` and ``lens_position``.

    **Version**: v0.

    Raises `RigError` from ``reset`` and ``step`` when no percept answers, or one that is not finite.
    """

    def __init__(
        self,
        rig: Rig,
        episode_source: EpisodeSource,
        preset: Preset,
        exposure: ExposureFeatureExtractor,
        focus: FocusFeatureExtractor,
    ) -> None:
        """Set up both agents with a rig; see `single.DashaFocusEnv`."""
        super().__init__(rig, episode_source, preset)
        self._exposure, self._focus = ExposurePart(rig, exposure, preset), FocusPart(rig, focus, preset)
        focus_nvec = self._focus.episodes.encoder.nvec
        self.action_space = spaces.MultiDiscrete([self._exposure.episodes.encoder.actions, *focus_nvec])
        self.observation_space = spaces.Dict(
            {
                "phase": spaces.Discrete(2),
                "exposure": self._exposure.observation_space,
                "focus": self._focus.observation_space,
            }
        )
        self._handed_over = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], Info]:
        """Begin a new episode with A^H."""
        percept = self._begin(seed)
        self._handed_over = False
        self._exposure.begin(percept)
        return self._observation(), self._info(agent="exposure")

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, Info]:
        """One step of the agent whose turn it is."""
        assert self.percept is not None, "step before reset"
        agent = "focus" if self._handed_over else "exposure"
        if self._handed_over:
            self.percept, results = self._focus.step(action[1:], self.percept, self.task)
            result = StepResult.of(results)
        else:
            result = self._expose(action[0])
        return self._stepped(self._observation(), result, agent=agent)

    def _expose(self, action: Any) -> StepResult:
        self.percept, pictures, results = self._exposure.step(action)
        result = StepResult.of(results)
        if not self._exposure.episodes.rules.reached(pictures)[0]:
            return result
        self._handed_over = True
        self._focus.begin(self.percept, self.task)
        return StepResult(result.reward, result.terms, terminated=False, truncated=False)

    def _observation(self) -> dict[str, Any]:
        seen = {
            "exposure": self._exposure.observation(),
            "focus": self._focus.observation(),
        }
        idle = "exposure" if self._handed_over else "focus"
        seen[idle] = np.zeros_like(seen[idle])
        return {"phase": np.int64(self._handed_over), **seen}
