"""The learned A^L: a small network over the observations of its encoder."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from dasha_ros.estimation.profile import Array
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.learned.belief_encoder import BeliefEncoder
from dasha_ros.policies.learned.deployed import focus_moves
from dasha_ros.policies.learned.focus_encoder import FocusEncoder
from dasha_ros.policies.learned.focus_episode import FocusEpisode
from dasha_ros.policies.learned.focus_features import FocusFeatureExtractor, focus_extractor
from dasha_ros.policies.learned.learned_policy import LearnedPolicy
from dasha_ros.policies.learned.policy_content import WITH_COLOUR
from dasha_ros.policies.learned.policy_file import (
    check_encoder,
    check_lens,
    shipped_policy,
)
from dasha_ros.policies.moves import STAY_DIOPTRES
from dasha_ros.policies.policy import FocusDecision, FocusTask


class LearnedFocus(LearnedPolicy[FocusFeatureExtractor]):
    """Runs a policy file of A^L. Holds the state of one episode.

    `deployed.focus_moves` decides when it stops.
    """

    def __init__(self, path: Path, sampled: bool = False, seed: int | None = None) -> None:
        """Read a policy; see `LearnedPolicy`."""
        super().__init__(path, "focus", focus_extractor, sampled, seed)
        encoder = self.extractor.observation_encoder(lens_model(), 1)
        self._check_observation(encoder.size)
        if isinstance(encoder, BeliefEncoder):  # The others' actions are positions of the lens of a goal.
            self._check_actions(encoder.nvec)
        self._end_on_detection = bool(self.file.info.rules.get("end_on_detection", False))
        self._stay_dioptres = float(self.file.info.rules.get("stay_dioptres", STAY_DIOPTRES))
        self._episode: FocusEpisode[FocusEncoder] | None = None

    @property
    def reads_colours(self) -> bool:
        """Whether it reads `Percept.colour_detail`; without any, it works as if it did not."""
        return self.extractor.kind == WITH_COLOUR

    def reset(self, task: FocusTask) -> None:
        """Begin a new episode.

        Raises:
            PolicyFileError: The policy commands positions of the lens that it was trained with, and this is
                another one; or its network has other choices than this lens.
        """
        check_lens(self.file.info, task.lens.id)
        encoder = self.extractor.observation_encoder(task.lens, 1, moving=True)
        self._check_actions(encoder.nvec)
        self._episode = FocusEpisode(self.extractor, encoder, task, self._stay_dioptres)

    def act(self, percept: Percept) -> FocusDecision:
        """Decide from the percept that answers the last command.

        Raises:
            PolicyFileError: The percept's latent comes from another encoder.
            RuntimeError: `reset` was not called for this episode.
        """
        if self._episode is None:
            raise RuntimeError("act before reset: a policy needs a task for every episode")
        check_encoder(self.file.info, percept.encoder)
        pictures, log = self._episode.see(percept), self._episode.log
        position, stop = focus_moves(
            self.file.net,
            self._episode.encoder,
            log,
            pictures.detected,
            end_on_detection=self._end_on_detection,
            rng=self._rng,
        )
        if stop[0]:
            here = percept.lens.commanded_position
            return FocusDecision(here, done=True, found=bool(pictures.detected[0]))
        log.go(position)
        return FocusDecision(float(position[0]))

    def belief(self) -> tuple[Array, Array] | None:
        """See `HasBelief`; only the preset ``plus`` has one."""
        encoder = None if self._episode is None else self._episode.encoder
        return encoder.belief(0) if isinstance(encoder, BeliefEncoder) else None


def shipped_focus(name: str) -> LearnedFocus:
    """A policy that ships with the package.

    Raises:
        PolicyFileError: It is missing or damaged.
    """
    return LearnedFocus(shipped_policy(name, "focus"))


paper, plus, plus_colour = (partial(shipped_focus, name) for name in ("paper", "plus", "plus_colour"))
"""The policies that ship, as `registry` makes them."""
