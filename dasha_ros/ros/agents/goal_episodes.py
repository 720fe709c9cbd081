"""Goals of an action server as episodes of a learner: ``reset`` waits for the next goal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from dasha_ros.control.rig import RigError
from dasha_ros.control.step import EXPOSURE_US, LENS_POSITION, Command, Step
from dasha_ros.learning.training.online import NoMoreEpisodes
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureDecision, FocusDecision, FocusTask
from dasha_ros.policies.rewards import Reward
from dasha_ros.ros.goals.simple_action_server import ActiveGoal

_LOOK_S = 0.2


@dataclass(frozen=True)
class EpisodeEnd:
    """How a goal's episode ended."""

    code: ErrorCode
    what: str
    """What happened, without advice; empty for success."""
    steps: int
    percept: Percept | None


class GoalQueue:
    """Hands goals to the learner: an `EpisodeSource` for the environment, and `serve` for the action server.

    Args:
        task_of: Returns the task that a goal describes.
        stop: Set when the learner has to end.
    """

    def __init__(self, task_of: Callable[[Any], FocusTask], stop: threading.Event) -> None:
        self._task_of, self._stop = task_of, stop
        self._changed = threading.Condition()
        self._waiting: ActiveGoal | None = None
        self.run: ActiveGoal | None = None
        """The goal whose episode is in progress."""
        self._end: EpisodeEnd | None = None
        self.gone: str | None = None
        """Why the learner is gone; `None` while it runs."""

    def open(self) -> None:
        """Accept goals for a new learner."""
        self.gone = None

    def serve(self, run: ActiveGoal) -> EpisodeEnd:
        """Let the learner play a goal. Blocks until its episode has ended."""
        with self._changed:
            self._waiting, self._end = run, None
            self._changed.notify_all()
            while self._end is None:
                self._end = self._unplayed(run)
                if self._end is None:
                    self._changed.wait(_LOOK_S)
            # The learner of the next activation must not play a goal that has ended.
            self._waiting = None
            return self._end

    def _unplayed(self, run: ActiveGoal) -> EpisodeEnd | None:
        """How a goal ends that the learner will not finish, or `None`."""
        if self._stop.is_set():
            return EpisodeEnd(ErrorCode.SHUTDOWN, "the node was stopped", 0, None)
        if self.gone is not None:
            return EpisodeEnd(ErrorCode.LEARNER_STOPPED, f"the learner has stopped: {self.gone}", 0, None)
        if self._waiting is run and (reason := run.interrupted()) is not None:
            return EpisodeEnd(reason, run.why, 0, None)
        return None

    def begin(self, rng: np.random.Generator) -> FocusTask:
        """Wait for the next goal; see `learning.envs.parts.EpisodeSource`.

        Raises:
            NoMoreEpisodes: The node stops.
        """
        with self._changed:
            while self._waiting is None:
                if self._stop.is_set():
                    raise NoMoreEpisodes
                self._changed.wait(_LOOK_S)
            self.run, self._waiting = self._waiting, None
            return self._task_of(self.run.request)

    def interrupted(self) -> ErrorCode | None:
        """Why the episode must end now, or `None`."""
        if self._stop.is_set():
            return ErrorCode.SHUTDOWN
        return self.run.interrupted() if self.run else None

    def abandon(self, why: str) -> None:
        """Say that the learner is gone: all goals end at once until there is a new learner."""
        with self._changed:
            self.run, self.gone = None, why
            self._changed.notify_all()

    def end(self, end: EpisodeEnd) -> None:
        """End the goal of the current episode."""
        with self._changed:
            self.run, self._end = None, end
            self._changed.notify_all()


class GoalEpisodes(gym.Wrapper[Any, Any, Any, Any]):
    """An environment of one agent whose episodes are goals.

    If no percept answers or the goal is cancelled, the episode is truncated: that step has no reward, and
    the next ``reset`` waits for the next goal.

    Args:
        env: The environment of one agent over a rig, with ``queue`` as its episode source.
        queue: Where the goals come from.
        agent: ``A^H`` or ``A^L``.
        report: Called with every step.
        verdict: Returns how an episode ended, from its last percept.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        queue: GoalQueue,
        agent: str,
        report: Callable[[ActiveGoal, Step], None],
        verdict: Callable[[Percept, FocusTask], tuple[ErrorCode, str]],
    ) -> None:
        super().__init__(env)
        self._queue, self._agent, self._report, self._verdict = queue, agent, report, verdict
        self._index = 0
        self._percept: Percept | None = None
        self._observation: Any = None

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """Wait for a goal whose first picture can be taken.

        Raises:
            NoMoreEpisodes: The node stops.
        """
        while True:
            self._index = 0
            try:
                self._observation, info = self.env.reset(**options)
            except RigError as error:
                self._queue.end(EpisodeEnd(ErrorCode(error.code), str(error), 0, None))
                continue
            self._percept = self._newest()
            return self._observation, info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take a step. If no percept answers, the episode ends."""
        run = self._queue.run
        self._index += 1
        try:
            observation, reward, terminated, truncated, info = self.env.step(action)
        except RigError as error:
            self._queue.end(EpisodeEnd(ErrorCode(error.code), str(error), self._index, self._percept))
            return self._observation, 0.0, False, True, {"lost": True}
        percept = self._newest()
        self._observation, self._percept = observation, percept
        if run is not None:
            self._report(run, self._step(percept, float(reward), info["terms"]))
        if terminated or truncated:
            code, what = self._verdict(percept, self.env.unwrapped.task)  # type: ignore[attr-defined]
            self._queue.end(EpisodeEnd(code, what, self._index, percept))
        return observation, float(reward), terminated, truncated, info

    def _newest(self) -> Percept:
        percept: Percept = self.env.unwrapped.percept  # type: ignore[attr-defined]
        return percept

    def _step(self, percept: Percept, reward: float, terms: dict[str, float]) -> Step:
        exposes = self._agent == "A^H"
        value = percept.capture.exposure_us if exposes else percept.lens.commanded_position
        decision = ExposureDecision(0) if exposes else FocusDecision(value)
        return Step(
            agent=self._agent,
            index=self._index,
            command=Command(EXPOSURE_US if exposes else LENS_POSITION, value),
            percept=percept,
            reward=Reward(reward, terms),
            decision=decision,
        )
