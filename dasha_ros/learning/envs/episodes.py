"""Batches of episodes of both agents: the one place that defines a step.

The Gymnasium environments run a batch of one over a `Rig`; vector environments and evaluations run many
episodes over the percept cache. The caller takes the pictures: `command` tells where the actuators go, and
`finish_step` takes in the pictures from there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dasha_ros.learning.envs.rewards_and_ends import Array, ExposureRules, Flags, FocusRules, LensStep
from dasha_ros.optics.lens import LensModel
from dasha_ros.policies.learned.deployed import as_deployed
from dasha_ros.policies.learned.exposure_encoder import ExposureEncoder, ExposureInputs
from dasha_ros.policies.learned.focus_encoder import FocusEncoder, FocusInputs
from dasha_ros.policies.moves import MoveLog

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class StepResults:
    """Results of one step of each episode; all of shape (batch,)."""

    reward: Array
    terms: dict[str, Array]
    """Terms that add up to ``reward``."""
    terminated: Flags
    """Whether the episode has ended."""
    truncated: Flags
    """Whether the episode was cut off."""


class FocusEpisodes:
    """Episodes of A^L (Algorithm 2).

    If an action does not move the lens, no new picture is taken: the last one still holds.
    """

    def __init__(
        self, encoder: FocusEncoder, rules: FocusRules, lens: LensModel, batch: int, stay_dioptres: float
    ) -> None:
        self.encoder, self.rules = encoder, rules
        self.log = MoveLog(lens, batch, stay_dioptres, encoder.scale)
        self.steps = np.zeros(batch, np.intp)
        self.detected: Flags = np.zeros(batch, bool)
        self.brisque: Array = np.zeros(batch)
        self.peak: Array = np.zeros(batch)
        self._step = LensStep(np.zeros(batch, bool), np.zeros(batch, bool))

    def begin(self, rows: Rows, pictures: FocusInputs) -> None:
        """Begin these episodes at the current positions."""
        self.steps[rows] = 0
        self.log.reset(rows, pictures.position)
        self.encoder.reset(rows, pictures)
        self._note(rows, pictures)

    def command(self, actions: NDArray[np.integer]) -> tuple[Array, Rows]:
        """Command the lenses by actions, shape (batch, parts).

        Returns:
            The commanded positions, and the episodes whose lens moves and that need a new picture.
        """
        asked = self.encoder.position(actions, self.log)
        if self.rules.as_deployed:
            asked = as_deployed(self.encoder, self.log, asked, self.detected)
        return self.move(asked)

    def move(self, position: Array) -> tuple[Array, Rows]:
        """Command every lens to a position; see `command`."""
        self._step = LensStep(*self.log.go(position))
        return self.log.position, np.flatnonzero(self._step.moved)

    def finish_step(self, rows: Rows, pictures: FocusInputs) -> StepResults:
        """Take in the pictures of the episodes whose lens moved, and return the results of all."""
        if len(rows):
            self.encoder.see(rows, pictures)
            self._note(rows, pictures)
        self.steps += 1
        terms = {
            **self.rules.rewards(
                self.detected,
                self.brisque,
                self.log,
                self._step,
                defocus_probability=self.encoder.defocus_probability(self.log),
                sharp_probability=self.encoder.sharp_probability(self.log),
            ),
            **self.rules.intrinsic(self.peak, self.brisque),
        }
        terminated = self.detected & self.rules.end_on_detection
        truncated = ~terminated & (self.steps >= self.rules.horizon)
        return StepResults(sum(terms.values(), np.zeros(len(self.steps))), terms, terminated, truncated)

    def observation(self) -> NDArray[np.float32]:
        """Shape (batch, size)."""
        return self.encoder.observation(self.log)

    def _note(self, rows: Rows, pictures: FocusInputs) -> None:
        self.detected[rows], self.brisque[rows] = pictures.detected, pictures.brisque
        if pictures.peak is not None:
            self.peak[rows] = pictures.peak


class ExposureEpisodes:
    """Episodes of A^H (Algorithm 1). Every action is one picture."""

    def __init__(self, encoder: ExposureEncoder, rules: ExposureRules, batch: int) -> None:
        self.encoder, self.rules = encoder, rules
        self.steps = np.zeros(batch, np.intp)

    def begin(self, rows: Rows, pictures: ExposureInputs) -> None:
        """Begin these episodes with the active exposures."""
        self.steps[rows] = 0
        self.encoder.reset(rows, pictures)

    def finish_step(self, pictures: ExposureInputs) -> StepResults:
        """Take in the pictures of all episodes and return the results."""
        self.encoder.see(np.arange(len(self.steps)), pictures)
        self.steps += 1
        terms = self.rules.rewards(pictures)
        terminated = self.rules.terminated(pictures)
        truncated = ~terminated & (self.steps >= self.rules.horizon)
        return StepResults(sum(terms.values(), np.zeros(len(self.steps))), terms, terminated, truncated)

    def observation(self) -> NDArray[np.float32]:
        """Shape (batch, size)."""
        return self.encoder.observation()
