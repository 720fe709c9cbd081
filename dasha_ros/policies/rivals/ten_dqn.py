"""The DQN of [12], as its public code defines it, on percepts instead of pixels.

[12] X. Yu, R. Yu, J. Yang and X. Duan, "A robotic auto-focus system based on deep reinforcement
learning", ICARCV 2018; code: Orienfish/ur3-RL.

Kept: the five actions (-2.7, -0.3, stop, +0.3, +2.7 units of the focus knob, here volts), the state of
the last three pictures and the last three actions without the lens's position, the reward (see
`learning.training.rivals`), 20 steps, failure on leaving the range, and success only by stopping where the
Tenengrad exceeds 0.9 of its maximum.

Changed, because percepts hold no pixels: a picture is two numbers, the log of the normalised
Tenengrad and BRISQUE, where [12] reads 128 x 128 pixels with a convolutional network. The Tenengrad
has both Sobel gradients: the public code takes the horizontal one twice, presumably by mistake.
"""

from __future__ import annotations

import math
from collections import deque
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.percept import Percept
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.rivals.q_network import QNetwork
from dasha_ros.policies.search import ScriptedFocus, Search
from dasha_ros.system.paths import config_dir

ACTIONS_V = (-2.7, -0.3, 0.0, 0.3, 2.7)
STOP = 2
"""The action that ends an episode."""
PAST = 3
"""Number of pictures and actions in a state."""
MAX_STEPS = 20
LEAST_SHARPNESS = 1e-6


def picture(sharpness: float, brisque: float) -> tuple[float, float]:
    """The two numbers of a picture, of order one."""
    return math.log(max(sharpness, LEAST_SHARPNESS)), brisque / 100.0


class State:
    """The last three pictures and actions."""

    size = 3 * PAST

    def __init__(self, first: tuple[float, float]) -> None:
        """The first picture counts three times, as in [12]; nothing was done before."""
        self._pictures = deque([first] * PAST, maxlen=PAST)
        self._actions = deque([0.0] * PAST, maxlen=PAST)

    def add(self, action: float, seen: tuple[float, float]) -> None:
        """Take in a step."""
        self._pictures.appendleft(seen)
        self._actions.appendleft(action / ACTIONS_V[-1])

    def vector(self) -> NDArray[np.float32]:
        """Shape (`size`,), newest first."""
        return np.array([*(x for seen in self._pictures for x in seen), *self._actions], np.float32)


def default_network() -> Path:
    """The file of the shipped network."""
    return config_dir() / "peers" / "ten_dqn.npz"


class TenDqnFocus(ScriptedFocus):
    """Takes the step with the best value, until it stops."""

    name = "ten_dqn"

    def __init__(self, network: QNetwork | None = None) -> None:
        """``network``: the shipped one if left out.

        Raises:
            QNetworkError: The network can't be read or has another size.
        """
        super().__init__()
        network = network or QNetwork.load(default_network())
        self._network = network.check(State.size, len(ACTIONS_V), "the DQN of [12]")

    def search(self, task: FocusTask, first: Percept) -> Search:
        """See the class."""
        here, percept = first.lens.commanded_position, first
        state = State(picture(first.sharpness, first.brisque))
        for _ in range(MAX_STEPS):
            action = self._network.best(state.vector())
            if action == STOP:
                return bool(percept.of(task.labels, task.min_score))
            here += ACTIONS_V[action]
            if not task.lens.position_min <= here <= task.lens.position_max:
                return False
            percept = yield here
            state.add(ACTIONS_V[action], picture(percept.sharpness, percept.brisque))
        return False
