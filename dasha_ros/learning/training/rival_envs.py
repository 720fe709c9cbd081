"""The training environments of the rivals: that of [12] over the percept cache, and that of [11].

Episodes begin anywhere: the lens in its whole range, the object at 0.3..10 m, evenly in dioptres.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.optics.lens import LensModel
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.rivals import phase_shift, ten_dqn

BAND_M = (0.3, 10.0)
"""Distances of the object [m]."""
TABLE_STEP_D = 0.03
"""Step of the table that [12]'s environment reads [1/m]; a third of a pixel of blur."""
REWARD_SCALE = 100.0
"""Rewards are divided by this, so that action values are of order one; it changes no greedy policy."""

LIMIT = 20.0
"""Bound of the numbers of an observation."""

State = NDArray[np.float32]
Floats = NDArray[np.floating[Any]]
Step = tuple[State, float, bool, bool, dict[str, Any]]


class TenEnv(gym.Env[State, np.int64]):
    """The environment of [12] on cached planes.

    - Observation: `policies.rivals.ten_dqn.State`, shape (9,).
    - Actions: 5, see `policies.rivals.ten_dqn.ACTIONS_V`.
    - Reward: 10 (TEN - 0.9 TEN_max) / TEN_max for a step; +100 for stopping above 0.9 TEN_max; -100
      besides, for stopping below, leaving the range, or the 20th step. All divided by `REWARD_SCALE`.
    - TEN_max: the greatest Tenengrad of the view over the defocus of the cache.
    - End: stop or leaving the range terminate, the 20th step too (as in [12], where it is a failure).
    """

    def __init__(
        self,
        cache: PerceptCache,
        views: Sequence[int],
        lens: LensModel | None = None,
        band_m: tuple[float, float] = BAND_M,
    ) -> None:
        """Tabulate the views.

        Args:
            cache: Cache of percepts.
            views: Numbers of planes to train on.
            lens: The default profile if left out.
            band_m: Distances of the object [m], drawn evenly in dioptres.

        Raises:
            ValueError: No views.
        """
        if not len(views):
            raise ValueError("an environment needs at least one view to train on")
        self.observation_space = gym.spaces.Box(-LIMIT, LIMIT, (ten_dqn.State.size,), np.float32)
        self.action_space = gym.spaces.Discrete(len(ten_dqn.ACTIONS_V))
        self._lens = lens or lens_model()
        self._band_m = band_m
        span = max(
            self._lens.dioptres(v) - 1.0 / d
            for v in (self._lens.position_min, self._lens.position_max)
            for d in band_m
        )
        self._grid = np.arange(-span, span + 2 * TABLE_STEP_D, TABLE_STEP_D)
        self._pictures = [_pictures(cache, view, self._grid) for view in views]
        self._most = [float(np.exp(pictures[:, 0].max())) for pictures in self._pictures]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[State, dict[str, Any]]:
        """A new view, distance and lens position."""
        super().reset(seed=seed)
        random = self.np_random
        self._view = int(random.integers(len(self._pictures)))
        self._object = float(random.uniform(1.0 / self._band_m[1], 1.0 / self._band_m[0]))
        self._position = float(random.uniform(self._lens.position_min, self._lens.position_max))
        self._steps = 0
        self._state = ten_dqn.State(self._picture())
        return self._state.vector(), {}

    def step(self, action: np.int64 | int) -> Step:
        """See the class."""
        self._steps += 1
        move = ten_dqn.ACTIONS_V[int(action)]
        self._position += move
        inside = self._lens.position_min <= self._position <= self._lens.position_max
        seen = self._picture()
        share = float(np.exp(seen[0])) / self._most[self._view]
        reward = 10.0 * (share - 0.9)
        ended = int(action) == ten_dqn.STOP or not inside or self._steps >= ten_dqn.MAX_STEPS
        if ended:
            stopped = int(action) == ten_dqn.STOP
            reward = 100.0 if stopped and share > 0.9 else reward - 100.0
        self._state.add(move, seen)
        return self._state.vector(), reward / REWARD_SCALE, ended, False, {}

    def defocus_px(self) -> float:
        """The true signed blur radius [px at 640]: for evaluations only."""
        return self._lens.blur_px(self._lens.dioptres(self._position), self._object)

    def _picture(self) -> tuple[float, float]:
        defocus = self._lens.dioptres(self._position) - self._object
        table = self._pictures[self._view]
        row = round((defocus - self._grid[0]) / TABLE_STEP_D)
        log_sharpness, brisque = table[min(max(row, 0), len(table) - 1)]
        return float(log_sharpness), float(brisque)


def _pictures(cache: PerceptCache, view: int, grid: Floats) -> Floats:
    """`ten_dqn.picture` of a view at each defocus, shape (k, 2)."""
    found = cache.lookup(view, grid, 0.0, 0, ("sharpness", "brisque"))
    return np.array(
        [
            ten_dqn.picture(float(s), float(b))
            for s, b in zip(found["sharpness"], found["brisque"], strict=True)
        ]
    )


class PhaseEnv(gym.Env[State, np.int64]):
    """The environment assumed for [11]: no pictures, only phase signals made of the truth.

    - Observation: `policies.rivals.phase_shift.State`, shape (8,).
    - Actions: 11, see `policies.rivals.phase_shift.TRAVELS_V`.
    - Reward: -0.05 - max(0, |defocus| - 1 px) / 100 px for a step; stopping is worth +1 within the
      tolerance of 1 px, and -1 outside.
    - End: stop terminates, the 20th step truncates.
    """

    TOLERANCE_PX = 1.0

    def __init__(self, lens: LensModel | None = None, band_m: tuple[float, float] = BAND_M) -> None:
        """``lens``: the default profile if left out; ``band_m``: as for `TenEnv`."""
        self.observation_space = gym.spaces.Box(-LIMIT, LIMIT, (phase_shift.State.size,), np.float32)
        self.action_space = gym.spaces.Discrete(len(phase_shift.TRAVELS_V))
        self._lens = lens or lens_model()
        self._band_m = band_m

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[State, dict[str, Any]]:
        """A new distance and lens position."""
        super().reset(seed=seed)
        near, far = (1.0 / m for m in self._band_m)
        self._object = float(self.np_random.uniform(far, near))
        self._position = float(self.np_random.uniform(self._lens.position_min, self._lens.position_max))
        self._steps = 0
        self._state = phase_shift.State(self._signal())
        return self._state.vector(), {}

    def step(self, action: np.int64 | int) -> Step:
        """See the class."""
        self._steps += 1
        truncated = self._steps >= phase_shift.MAX_STEPS
        if int(action) == phase_shift.STOP:
            reward = 1.0 if abs(self.defocus_px()) <= self.TOLERANCE_PX else -1.0
            return self._state.vector(), reward, True, False, {}
        before = self._position
        target = before + phase_shift.TRAVELS_V[int(action)]
        self._position = min(max(target, self._lens.position_min), self._lens.position_max)
        self._state.add(self._position - before, self._signal())
        reward = -0.05 - max(0.0, abs(self.defocus_px()) - self.TOLERANCE_PX) / 100.0
        return self._state.vector(), reward, False, truncated, {}

    def defocus_px(self) -> float:
        """The true signed blur radius [px at 640]: for evaluations only."""
        return self._lens.blur_px(self._lens.dioptres(self._position), self._object)

    def _signal(self) -> float:
        return float(phase_shift.phase_signal(self.defocus_px(), self.np_random))
