"""The learned A^L: a small network over the observations of its encoder."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from dasha_ros.estimation.profile import Array
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.learned.belief_encoder import BeliefEncoder
from dasha_ros.policies.learned.deployed import focus_moves
from dasha_ros.policies.learned.focus_encoder import FocusEncoder
from dasha_ros.policies.learned.focus_features import (
    FocusFeatureExtractor,
    FocusReader,
    focus_extractor,
)
from dasha_ros.policies.learned.learned_policy import ROW, LearnedPolicy
from dasha_ros.policies.learned.policy_file import (
    check_encoder,
    check_lens,
    shipped_policy,
)
from dasha_ros.policies.moves import STAY_DIOPTRES, MoveLog
from dasha_ros.policies.policy import FocusDecision, FocusTask


class LearnedFocus(LearnedPolicy[FocusFeatureExtractor]):
    """Runs a policy file of A^L. Holds the state of one episode.

    `deployed.focus_moves` decides when it stops.
    """

    def __init__(self, path: Path, sampled: bool = False, seed: int | None = None) -> None:
        """Read a policy; see `LearnedPolicy`."""
        super().__init__(path, "focus", focus_extractor, sampled, seed)
        self._end_on_detection = bool(self.file.info.rules.get("end_on_detection", False))
        self._task: FocusTask | None = None
        self._encoder: FocusEncoder | None = None
        self._stay_dioptres = float(self.file.info.rules.get("stay_dioptres", STAY_DIOPTRES))
        self._log: MoveLog | None = None
        self._begun = False
        self._reader = FocusReader(self.extractor)

    def reset(self, task: FocusTask) -> None:
        """Begin a new episode.

        Raises:
            PolicyFileError: The policy commands positions of the lens that it was trained with, and this is
                another one.
        """
        check_lens(self.file.info, task.lens.id)
        self._task = task
        self._reader.reset()
        self._encoder = self.extractor.observation_encoder(task.lens, 1)
        self._log, self._begun = MoveLog(task.lens, 1, self._stay_dioptres, self._encoder.scale), False

    def act(self, percept: Percept) -> FocusDecision:
        """Decide from the percept that answers the last command.

        Raises:
            PolicyFileError: The percept's latent comes from another encoder.
            RuntimeError: `reset` was not called for this episode.
        """
        if self._task is None or self._log is None or self._encoder is None:
            raise RuntimeError("act before reset: a policy needs a task for every episode")
        check_encoder(self.file.info, percept.encoder)
        pictures = self._reader.read(percept, self._task)
        if not self._begun:
            self._begun = True
            self._log.reset(ROW, pictures.position)
            self._encoder.reset(ROW, pictures)
        else:
            self._encoder.see(ROW, pictures)
        position, stop = focus_moves(
            self.file.net,
            self._encoder,
            self._log,
            pictures.detected,
            end_on_detection=self._end_on_detection,
            rng=self._rng,
        )
        if stop[0]:
            here = percept.lens.commanded_position
            return FocusDecision(here, done=True, found=bool(pictures.detected[0]))
        self._log.go(position)
        return FocusDecision(float(position[0]))

    def belief(self) -> tuple[Array, Array] | None:
        """See `HasBelief`; only the preset ``plus`` has one."""
        return self._encoder.belief(0) if isinstance(self._encoder, BeliefEncoder) else None


def shipped_focus(name: str) -> LearnedFocus:
    """A policy that ships with the package.

    Raises:
        PolicyFileError: It is missing or damaged.
    """
    return LearnedFocus(shipped_policy(name, "focus"))


paper, plus = partial(shipped_focus, "paper"), partial(shipped_focus, "plus")
"""The policies that ship, as `registry` makes them."""
