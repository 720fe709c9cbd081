"""Learning curves of [11] and [12]: their learner, with an evaluation now and then."""

from __future__ import annotations

from typing import Any, Protocol

import gymnasium as gym
import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from dasha_ros.benchmark.paper.parts.curves.agents import LOSS, Learned, Told
from dasha_ros.learning.evaluation.settings import FOCUSED_PX
from dasha_ros.learning.training.rivals import dqn

EVALUATIONS = 20
"""Evaluations along a training, like those of the agents."""


class RivalEnv(Protocol):
    """An environment of `rival_envs`."""

    def reset(self, *, seed: int | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        ...

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take a step."""
        ...

    def defocus_px(self) -> float:
        """The true blur radius [px at 640]."""
        ...


def learn_rival(
    env: gym.Env[Any, Any], judged_in: RivalEnv, *, seed: int, steps: int, episodes: int, told: Told
) -> Learned:
    """Train one network, and evaluate it along the way with its likeliest actions.

    Args:
        env: Where it learns.
        judged_in: Where it is evaluated: the same task on other photographs.
        seed: Seed of the whole run.
        steps: Steps of training.
        episodes: Episodes of an evaluation; their starts are the same for every evaluation.
        told: Called with the steps that are done.
    """
    model = dqn(env, seed)
    watch = _Watch(judged_in, max(1, steps // EVALUATIONS), episodes, told)
    model.learn(steps, callback=watch)
    watch.evaluate()
    return Learned(watch.evaluations, [], watch.losses)


class _Watch(BaseCallback):
    """Evaluates every so many steps, and notes the loss; called by the learner."""

    def __init__(self, env: RivalEnv, every: int, episodes: int, told: Told) -> None:
        super().__init__()
        self.evaluations: list[dict[str, float]] = []
        self.losses: list[tuple[float, float]] = []
        self._env, self._every, self._episodes, self._told = env, every, episodes, told

    def _on_step(self) -> bool:
        if self.num_timesteps % self._every == 0:
            self.evaluate()
            self._told(self.num_timesteps)
        return True

    def evaluate(self) -> None:
        """Play, unless these steps were evaluated already."""
        steps = float(self.num_timesteps)
        if self.evaluations and self.evaluations[-1]["steps"] == steps:
            return
        loss = self.model.logger.name_to_value.get(LOSS)
        if loss is not None:
            self.losses.append((steps, float(loss)))
        ends, returns, moves = [], [], []
        for number in range(self._episodes):
            state, _ = self._env.reset(seed=number)
            done, total, count = False, 0.0, 0
            while not done:
                action, _ = self.model.predict(state, deterministic=True)
                state, reward, terminated, truncated, _ = self._env.step(int(action))
                done, total, count = terminated or truncated, total + reward, count + 1
            ends.append(abs(self._env.defocus_px()) <= FOCUSED_PX)
            returns.append(total)
            moves.append(count)
        self.evaluations.append(
            {
                "steps": steps,
                "episodes": float(self._episodes),
                "within_2px": float(np.mean(ends)),
                "reward": float(np.mean(returns)),
                "moves_settled": float(np.mean(moves)),
            }
        )
