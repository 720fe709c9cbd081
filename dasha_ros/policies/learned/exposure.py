"""The learned A^H: a small network over the observations of its encoder."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from dasha_ros.perception.percept import Percept
from dasha_ros.policies.learned.deployed import ExposureBounds
from dasha_ros.policies.learned.exposure_encoder import (
    ExposureEncoder,
    ExposureFeatureExtractor,
    exposure_extractor,
)
from dasha_ros.policies.learned.learned_policy import ROW, LearnedPolicy
from dasha_ros.policies.learned.policy_content import RELATIVE
from dasha_ros.policies.learned.policy_file import (
    check_encoder,
    check_table,
    shipped_policy,
)
from dasha_ros.policies.policy import ExposureDecision, ExposureRule, ExposureTask


class LearnedExposure(LearnedPolicy[ExposureFeatureExtractor]):
    """Runs a policy file of A^H. Holds the state of one episode.

    `deployed.ExposureBounds` decides when it stops and what it does not try again.
    """

    def __init__(self, path: Path, sampled: bool = False, seed: int | None = None) -> None:
        """Read a policy; see `LearnedPolicy`."""
        super().__init__(path, "exposure", exposure_extractor, sampled, seed)
        encoder = self.extractor.observation_encoder(self.file.info.nvec[0], 1)
        self._check_observation(encoder.size)
        self._check_actions((encoder.actions,))
        self._task: ExposureTask | None = None
        self._encoder: ExposureEncoder | None = None
        self.rule: ExposureRule = self.file.info.rules.get("stop", "well_exposed")
        self._once = self.file.info.rules.get("deployed") == "algorithm_1"
        self._bounds: ExposureBounds | None = None

    @property
    def uses_gain(self) -> bool:
        """Whether it was trained with a table that goes on with gain; only steps can go beyond the table."""
        return self.extractor.kind == RELATIVE

    def reset(self, task: ExposureTask) -> None:
        """Begin a new episode.

        Raises:
            PolicyFileError: The table is another than the policy was trained with, or its network has
                other choices than this table.
        """
        check_table(self.file.info, task.table.id)
        self._check_actions((self.extractor.observation_encoder(len(task.table), 1).actions,))
        self._task, self._encoder = task, None
        self._bounds = ExposureBounds(1, task.table, self.rule, self._once)

    def act(self, percept: Percept) -> ExposureDecision:
        """Decide from the percept that answers the last command.

        Raises:
            PolicyFileError: The percept's latent comes from another encoder.
            RuntimeError: `reset` was never called.
        """
        if self._task is None or self._bounds is None:
            raise RuntimeError("act before reset: a policy needs a task first")
        check_encoder(self.file.info, percept.encoder)
        here = self._task.table.seen(percept.capture.exposure_us, percept.capture.gain_db)
        pictures = self.extractor.read(percept, here)
        good, exhausted = self._bounds.see(pictures)
        if good[0] or exhausted[0]:
            return ExposureDecision(here, done=True)
        if self._encoder is None:
            self._encoder = self.extractor.observation_encoder(len(self._task.table), 1)
            self._encoder.reset(ROW, pictures)
        else:
            self._encoder.see(ROW, pictures)
        chosen = self._bounds.choose(self.file.net, self._encoder, self._rng)
        return ExposureDecision(int(chosen[0]))


def shipped_exposure(name: str) -> LearnedExposure:
    """A policy that ships with the package.

    Raises:
        PolicyFileError: It is missing or damaged.
    """
    return LearnedExposure(shipped_policy(name, "exposure"))


paper, plus = partial(shipped_exposure, "paper"), partial(shipped_exposure, "plus")
"""The policies that ship, as `registry` makes them."""
