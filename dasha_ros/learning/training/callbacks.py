"""Watches a learner: writes checkpoints, evaluates, keeps the best policy, and stops it when it diverges."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from dasha_ros.learning.training import checkpoint as train_checkpoint
from dasha_ros.learning.training.agents import Score
from dasha_ros.learning.training.ppo import network_of
from dasha_ros.learning.training.run_folder import RunFolder, TrainingError
from dasha_ros.policies.learned.network import PolicyNet

CHECKPOINT_S = 10.0
"""Seconds between two checkpoints: a kill costs at most this."""
COLLAPSED = 0.5
"""A learner counts as collapsed when its merit stays below the best by more than this..."""
COLLAPSED_FOR = 4
"""...for this many evaluations."""


@dataclass(frozen=True)
class RunProgress:
    """Progress of a run."""

    steps: int
    total: int
    evaluation: dict[str, float] | None = None
    """The newest one, when it has just been made."""
    is_best: bool = False


@dataclass
class WatchState:
    """Memory of a `Watch`; part of a checkpoint."""

    evaluations: list[dict[str, float]] = field(default_factory=list)
    best: float = -np.inf
    low: int = 0
    """How many evaluations in a row were far below the best."""


class Watch(BaseCallback):
    """Called by the learner between updates. It draws from no generator that the learner uses."""

    def __init__(
        self,
        folder: RunFolder,
        score: Callable[[PolicyNet], Score],
        keep: Callable[[PolicyNet, dict[str, float]], None],
        *,
        evaluate_every: int,
        total: int,
        state: WatchState | None = None,
        report: Callable[[RunProgress], None] = lambda run: None,
        stopped: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch a learner.

        Args:
            folder: Folder of the run.
            score: Evaluates a network on the validation views.
            keep: Stores a network that is the best so far, with its evaluation.
            evaluate_every: Steps between two evaluations.
            total: Steps of the whole run.
            state: State of the checkpoint that the run goes on from.
            report: Called with the progress of the run.
            stopped: Tells whether to end early, with a checkpoint.
            clock: Returns seconds; tells when the next checkpoint is due.
        """
        super().__init__()
        self.state = state or WatchState()
        self.was_stopped = False
        self._folder, self._score, self._keep = folder, score, keep
        self._every, self._total = evaluate_every, total
        self._report, self._stopped, self._clock = report, stopped, clock
        self._next_checkpoint = -np.inf

    def _on_rollout_start(self) -> None:
        net = self._checked_network()
        due = self.num_timesteps // self._every
        done = int(self.state.evaluations[-1]["steps"]) // self._every if self.state.evaluations else 0
        if due > done:
            self.evaluate(net)
        if self._clock() >= self._next_checkpoint or self._stopped():
            self.checkpoint()
            self._next_checkpoint = self._clock() + CHECKPOINT_S

    def _on_step(self) -> bool:
        # A stop takes effect at once; steps since the last update are collected again later.
        self.was_stopped = self._stopped()
        return not self.was_stopped

    def _on_rollout_end(self) -> None:
        self._report(RunProgress(self.num_timesteps, self._total))

    def finish(self) -> None:
        """Evaluate the final network and write a last checkpoint."""
        self.evaluate(self._checked_network())
        self.checkpoint()

    def checkpoint(self) -> None:
        """Store everything that the run needs to go on.

        Raises:
            TrainingError: The disk is full.
        """
        taken = train_checkpoint.take(self.model, vars(self.state))  # type: ignore[arg-type]
        train_checkpoint.write(taken, self._folder)

    def evaluate(self, net: PolicyNet) -> None:
        """Evaluate a network, and keep it if it is the best so far.

        Raises:
            TrainingError: The learner has collapsed; the best policy stays.
        """
        score = self._score(net)
        evaluation = {"steps": float(self.num_timesteps), **score.as_dict()}
        self.state.evaluations.append(evaluation)
        for name, value in score.as_dict().items():
            self.logger.record(f"validation/{name}", value)
        is_best = score.merit > self.state.best
        if is_best:
            self.state.best = score.merit
            self._keep(net, evaluation)
        self._folder.write_evaluations(self.state.evaluations)
        self._report(RunProgress(self.num_timesteps, self._total, evaluation, is_best))
        self.state.low = self.state.low + 1 if score.merit < self.state.best - COLLAPSED else 0
        if self.state.low >= COLLAPSED_FOR:
            raise TrainingError(
                f"the learner has collapsed: its merit fell from {self.state.best:.2f} to {score.merit:.2f} "
                f"and stayed low for {COLLAPSED_FOR} evaluations. The best policy is kept in "
                f"{self._folder.policy}; lower learning_rate in the preset and train again"
            )

    def _checked_network(self) -> PolicyNet:
        net = network_of(self.model)  # type: ignore[arg-type]
        layers = (net.actor, net.critic)
        if not all(np.isfinite(v).all() for mlp in layers for v in (*mlp.weights, *mlp.biases)):
            raise diverged(self.num_timesteps, self._folder)
        return net


def diverged(steps: int, folder: RunFolder) -> TrainingError:
    """The error for a learner whose network holds values that are not numbers."""
    best = f"the best policy is kept in {folder.policy}" if folder.policy.is_file() else "no policy is kept"
    return TrainingError(
        f"the learner has diverged after {steps} steps (its network holds values that are not numbers); "
        f"{best}. Lower learning_rate in the preset and train again"
    )
