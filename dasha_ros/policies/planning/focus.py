"""A^L's simple baselines: they believe what the learned policy ``plus`` believes, and need no network."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from dasha_ros.estimation.belief import belief_map
from dasha_ros.estimation.candidates import candidates, probability_within
from dasha_ros.estimation.profile import Array
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.learned.belief_encoder import APART_PX, SHARP_PX, BeliefEncoder
from dasha_ros.policies.learned.deployed import GIVE_UP, by_evidence
from dasha_ros.policies.learned.focus_episode import FocusEpisode
from dasha_ros.policies.learned.object_evidence import shipped_belief
from dasha_ros.policies.learned.policy_file import check_encoder
from dasha_ros.policies.moves import STAY_DIOPTRES
from dasha_ros.policies.planning.qmdp import plans
from dasha_ros.policies.policy import FocusDecision, FocusTask

SURE = 0.7
"""`GreedyFocus` stops once the focus is here with this probability."""
_SEARCH_PX = 4.0
"""Step of a search that sees nothing and has nowhere else to go [px of blur at 640]."""


class BeliefFocus(ABC):
    """Decides from the belief of ``plus``. Holds the state of one episode."""

    name: str

    def __init__(self) -> None:
        """Read the belief's fitted models from the shipped policy ``plus``.

        Raises:
            PolicyFileError: The file is missing or damaged.
        """
        self._info, self._extractor = shipped_belief()
        self._episode: FocusEpisode[BeliefEncoder] | None = None

    def reset(self, task: FocusTask) -> None:
        """Begin a new episode on any lens whose map is known."""
        encoder = self._extractor.observation_encoder(task.lens, 1, moving=True)
        self._episode = FocusEpisode(self._extractor, encoder, task)
        self._map, self._log = belief_map(task.lens), self._episode.log

    def act(self, percept: Percept) -> FocusDecision:
        """Decide from the percept that answers the last command.

        Raises:
            PolicyFileError: The percept's latent comes from another encoder.
            RuntimeError: `reset` was not called for this episode.
        """
        if self._episode is None:
            raise RuntimeError("act before reset: a policy needs a task for every episode")
        check_encoder(self._info, percept.encoder)
        pictures = self._episode.see(percept)
        detected = bool(pictures.detected[0])
        dioptres, chances = self._episode.encoder.belief(0)
        # In the units of the belief, prices and thresholds mean the same blur on every lens.
        grid = dioptres * self._map.scale
        here = self._map.dioptres(self._log.position)
        self._px = self._episode.encoder.px_per_dioptre
        target, stays = self.target(grid, chances[None], here)
        position = self._map.position(target)
        idle = stays or not self._log.would_move(position)[0]
        ends = detected and (idle or bool(self._log.would_repeat(position)[0]))
        if not detected:
            if self._log.moves[0] >= GIVE_UP:
                return self._end(percept, found=False)
            if idle:
                position = self._elsewhere(grid, chances[None], here)
        encoder = self._episode.encoder
        position, stop = by_evidence(encoder, self._log, position, pictures.detected, np.array([ends]))
        if stop[0]:
            return self._end(percept, found=detected)
        self._log.go(position)
        return FocusDecision(float(self._log.position[0]))

    @abstractmethod
    def target(self, grid: Array, posterior: Array, here: Array) -> tuple[Array, bool]:
        """Where to focus next, shape (1,), and whether to stay here; all in the units of `belief_map`.

        Args:
            grid: Hypotheses, shape (h,).
            posterior: Their probabilities, shape (1, h).
            here: Where the lens is focused, shape (1,).
        """

    def _elsewhere(self, grid: Array, posterior: Array, here: Array) -> Array:
        """The second-best place; if the lens is there already, a step nearer, or farther at the near end."""
        px = self._px
        _, second = candidates(posterior, grid, SHARP_PX / px, APART_PX / px)
        for dioptres in (second.dioptres, here + _SEARCH_PX / px, here - _SEARCH_PX / px):
            position = self._map.position(dioptres)
            if self._log.would_move(position)[0]:
                break
        return position

    def _end(self, percept: Percept, *, found: bool) -> FocusDecision:
        return FocusDecision(percept.lens.commanded_position, done=True, found=found)


class GreedyFocus(BeliefFocus):
    """Goes to the likeliest place, until it is likely enough that the focus is there."""

    name = "greedy"

    def target(self, grid: Array, posterior: Array, here: Array) -> tuple[Array, bool]:
        """See `BeliefFocus.target`."""
        px = self._px
        first, _ = candidates(posterior, grid, SHARP_PX / px, APART_PX / px)
        sure = probability_within(posterior, grid, here, SHARP_PX / px)[0] >= SURE
        return first.dioptres, bool(sure)


class PlannerFocus(BeliefFocus):
    """Plans with `qmdp`: turning back costs more than going on, and hunting costs most."""

    name = "planner"

    def target(self, grid: Array, posterior: Array, here: Array) -> tuple[Array, bool]:
        """See `BeliefFocus.target`."""
        (planned,) = plans(
            posterior,
            grid,
            here,
            self._log.direction * self._map.slope,
            self._log.reversals,
            px_per_dioptre=self._px,
            stay_dioptres=STAY_DIOPTRES,
        )
        return planned.dioptres, bool(planned.stays[0])
