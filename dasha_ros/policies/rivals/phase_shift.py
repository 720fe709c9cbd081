"""The phase-shift agent of [11], as far as it is public. **Reference-based: it sees the truth.**

[11] C.-C. Chan and H. H. Chen, "Autofocus by deep reinforcement learning", Electronic Imaging 2019.
Only the abstract is public: the state is the history of phase data along the journey, the action is the
travel of the lens, the reward tolerates noise. Everything else is assumed here:

- *Phase signal.* The twin has no phase pixels. The signal is made from its truth: the signed
  defocus in pixels of blur at 640 px width, times 1 + N(0, 0.15), plus N(0, 1 px), and compressed by
  ``20 tanh(x / 20)``, for phase shifts can't be told from one another when the picture is blurred away.
- *State*: the last four signals and the last four travels, oldest forgotten; the lens's place is not in it.
- *Actions*: travels of 0 (stop), +-0.2, +-0.5, +-1.2, +-3 and +-8 V.
- *Reward* (`learning.training.rivals`): minus the defocus beyond a tolerance of 1 px, minus a cost for
  each step.
- *Learner*: a DQN.

Its results are therefore no evidence about agents without a reference; every table flags it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.percept import Percept
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.rivals.q_network import QNetwork
from dasha_ros.policies.search import ScriptedFocus, Search
from dasha_ros.system.paths import config_dir

TRAVELS_V = (-8.0, -3.0, -1.2, -0.5, -0.2, 0.0, 0.2, 0.5, 1.2, 3.0, 8.0)
STOP = 5
"""The travel that ends an episode."""
PAST = 4
"""Number of signals and travels in a state."""
MAX_STEPS = 20
RELATIVE_NOISE = 0.15
NOISE_PX = 1.0
RANGE_PX = 20.0
"""The signal hardly grows beyond this blur."""


class PhaseSensor:
    """Makes phase signals from the truth."""

    def __init__(self, defocus_px: Callable[[], float], seed: int = 0) -> None:
        """Set up.

        Args:
            defocus_px: The true signed blur radius now [px at 640], positive when focused too near.
            seed: Seed of the noise.
        """
        self._defocus_px = defocus_px
        self._random = np.random.default_rng(seed)

    def read(self) -> float:
        """The phase signal now [px at 640]."""
        return float(phase_signal(self._defocus_px(), self._random))


def phase_signal(
    defocus_px: NDArray[np.floating] | float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Noisy, compressed phase signals [px at 640] of signed blur radii."""
    true = np.asarray(defocus_px, np.float64)
    noisy = true * (1.0 + random.normal(0.0, RELATIVE_NOISE, true.shape)) + random.normal(
        0.0, NOISE_PX, true.shape
    )
    signal: NDArray[np.float64] = RANGE_PX * np.tanh(noisy / RANGE_PX)
    return signal


class State:
    """The last four signals and travels."""

    size = 2 * PAST

    def __init__(self, first: float) -> None:
        """The first signal counts four times; nothing was done before."""
        self._signals = deque([first] * PAST, maxlen=PAST)
        self._travels = deque([0.0] * PAST, maxlen=PAST)

    def add(self, travel: float, signal: float) -> None:
        """Take in a step."""
        self._signals.appendleft(signal)
        self._travels.appendleft(travel)

    def vector(self) -> NDArray[np.float32]:
        """Shape (`size`,), newest first, of order one."""
        signals = np.array(self._signals, np.float32) / np.float32(RANGE_PX / 2.0)
        return np.concatenate([signals, np.array(self._travels, np.float32) / np.float32(TRAVELS_V[-1])])


def default_network() -> Path:
    """The file of the shipped network."""
    return config_dir() / "peers" / "phase_shift_rl.npz"


class PhaseShiftFocus(ScriptedFocus):
    """Travels as the network values best, until it stops."""

    name = "phase_shift_rl"

    def __init__(self, sensor: PhaseSensor, network: QNetwork | None = None) -> None:
        """Only an evaluation can make one: it needs the truth.

        Args:
            sensor: Sensor of the phase.
            network: The shipped one if left out.

        Raises:
            QNetworkError: The network can't be read or has another size.
        """
        super().__init__()
        self._sensor = sensor
        network = network or QNetwork.load(default_network())
        self._network = network.check(State.size, len(TRAVELS_V), "the phase-shift agent")

    def search(self, task: FocusTask, first: Percept) -> Search:
        """See the class."""
        here, percept = first.lens.commanded_position, first
        state = State(self._sensor.read())
        for _ in range(MAX_STEPS):
            action = self._network.best(state.vector())
            if action == STOP:
                break
            target = min(max(here + TRAVELS_V[action], task.lens.position_min), task.lens.position_max)
            percept = yield target
            state.add(target - here, self._sensor.read())
            here = target
        return bool(percept.of(task.labels, task.min_score))
