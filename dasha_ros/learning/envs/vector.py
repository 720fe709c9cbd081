"""Batches of episodes as vector environments of stable-baselines3."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env.base_vec_env import VecEnv

from dasha_ros.learning.envs.episodes import Rows, StepResults


class Batch(Protocol):
    """What `BatchVecEnv` runs: `FocusBatch` and `ExposureBatch`."""

    rng: np.random.Generator
    worlds: Any
    episodes: Any

    def begin(self, rows: Rows) -> None:
        """Restart these episodes."""
        ...

    def step(self, actions: NDArray[np.integer]) -> StepResults:
        """Act in every episode."""
        ...


class BatchVecEnv(VecEnv):
    """A batch of episodes that restart by themselves, as PPO expects."""

    def __init__(self, batch: Batch, action_space: spaces.Space[Any]) -> None:
        """Wrap a batch.

        Args:
            batch: Batch of episodes that have begun.
            action_space: ``Discrete`` for one choice, else ``MultiDiscrete``.
        """
        self.batch = batch
        count = len(batch.episodes.steps)
        size = batch.episodes.observation().shape[1]
        super().__init__(count, spaces.Box(-np.inf, np.inf, (size,), np.float32), action_space)
        self._actions: NDArray[np.integer[Any]] = np.zeros((count, 1), np.intp)
        self._returns = np.zeros(count)
        # Arrays that are views of others become whole ones when they are restored, and sums over them then
        # differ in the last digit. So episodes that never stop are laid out in memory as restored ones are.
        self.restore(self.state())

    def reset(self) -> NDArray[np.float32]:
        """Restart every episode."""
        self.batch.begin(np.arange(self.num_envs))
        self._returns[:] = 0.0
        observation: NDArray[np.float32] = self.batch.episodes.observation()
        return observation

    def step_async(self, actions: NDArray[np.integer[Any]]) -> None:
        """Keep the actions until `step_wait`."""
        self._actions = np.asarray(actions).reshape(self.num_envs, -1)

    def step_wait(
        self,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Act, and restart the episodes that ended; see `VecEnv`."""
        results = self.batch.step(self._actions)
        self._returns += results.reward
        done = results.terminated | results.truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        ended = np.flatnonzero(done)
        observation: NDArray[np.float32] = self.batch.episodes.observation()
        if len(ended):
            for row in ended:
                infos[row] = {
                    "terminal_observation": observation[row].copy(),
                    "TimeLimit.truncated": bool(results.truncated[row]),
                    "episode": {
                        "r": float(self._returns[row]),
                        "l": int(self.batch.episodes.steps[row]),
                        "t": 0.0,
                    },
                }
            self._returns[ended] = 0.0
            self.batch.begin(ended)
            observation = self.batch.episodes.observation()
        return observation, results.reward.astype(np.float32), done, infos

    def state(self) -> bytes:
        """All state of the episodes, for a checkpoint."""
        return pickle.dumps((self.batch.worlds, self.batch.episodes, self.batch.rng, self._returns))

    def restore(self, state: bytes) -> None:
        """The inverse of `state`."""
        batch = self.batch
        batch.worlds, batch.episodes, batch.rng, self._returns = pickle.loads(state)

    def close(self) -> None:
        """Nothing to close."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The same for every episode."""
        return [getattr(self, attr_name, None)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Not supported for single episodes."""
        raise NotImplementedError("the episodes of a batch share their attributes")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Not supported for single episodes."""
        raise NotImplementedError("the episodes of a batch are not separate environments")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """No episode is wrapped."""
        return [False] * len(list(self._get_indices(indices)))

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Does nothing: the batch has a generator of its own, seeded when it was made."""
        return [None] * self.num_envs
