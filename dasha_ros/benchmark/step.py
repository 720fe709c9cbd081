"""Times a closed-loop step in one process: the lower bound for the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dasha_ros.devices.twin.camera import TwinCamera
from dasha_ros.devices.twin.lens import TwinLens
from dasha_ros.freshness.clock import SteadyClock
from dasha_ros.freshness.command import IN_PROCESS, NO_COMMAND, CommandId
from dasha_ros.freshness.rule import answers
from dasha_ros.freshness.state import NOWHERE, CaptureInfo, LensState
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.registry import focus_policy
from dasha_ros.policies.rewards import reward_focus
from dasha_ros.twin.world import World

POSITIONS = (40.3, 42.0, 44.0, 46.0, 50.0)
"""Positions that are sharp far away, sharp nearby, and blurred: run times of detectors depend on content."""
EXPOSURE_US = 40_000.0
WARM_UP = 5
"""Number of steps that are not timed."""


def benchmark_step(
    steps: int = 100,
    *,
    scene: str = "motorcycle_street",
    width: int = 2048,
    height: int = 1088,
    perception: Perception | None = None,
) -> dict[str, Any]:
    """Time closed-loop steps of the twin in one process, in real time; see `OneProcess`.

    Args:
        steps: How many are timed, after a few that are not.
        scene: What the frames show.
        width: Width of the frames [px].
        height: Height of the frames [px].
        perception: Reads the frames; the embedded models if left out.

    Returns:
        - ``step_ms_p50``, ``step_ms_p95``: of a whole step [ms]
        - ``stages_ms``: median of each stage of perception, of ``command`` and of ``decide`` [ms]
        - ``steps``, ``width``, ``height``

    Raises:
        ValueError: ``steps`` is not positive.
        DeviceError: The scene can't be used.
        ModelError: A model of the embedded perception is missing.
    """
    if steps < 1:
        raise ValueError(f"{steps} steps: at least one must be timed")
    loop = OneProcess(scene, width, height, perception)
    timed = [loop.step(POSITIONS[i % len(POSITIONS)]) for i in range(WARM_UP + steps)][WARM_UP:]
    return {
        **summary(timed),
        "stages_ms": {k: round(float(np.median([s[k] for s in timed])), 2) for k in timed[0] if k != "step"},
        "steps": steps,
        "width": width,
        "height": height,
    }


def summary(timed: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """``step_ms_p50`` and ``step_ms_p95`` of timed steps [ms]."""
    p50, p95 = np.percentile([stages["step"] for stages in timed], (50, 95))
    return {"step_ms_p50": round(float(p50), 2), "step_ms_p95": round(float(p95), 2)}


class OneProcess:
    """The closed loop of the twin in this process.

    A step commands the lens, takes a picture, reads its percept, checks that it answers, computes the reward,
    and decides. Physical time is not counted, as in the graph: the lens is already at its target, and the
    time from the start of the exposure until the frame is there (exposure and rendering) is left out. That
    time passes all the same, so caches are as cold and threads as asleep as in a step of the graph.
    """

    def __init__(
        self,
        scene: str = "motorcycle_street",
        width: int = 2048,
        height: int = 1088,
        perception: Perception | None = None,
    ) -> None:
        """Open the twin's devices; see `benchmark_step`."""
        model = lens_model()
        reader = perception or Perception()
        self._clock, self._reader = SteadyClock(), reader
        self._lens = TwinLens(self._clock, model)
        self._camera = TwinCamera(self._clock, model, world=World(scene), width=width, height=height, seed=0)
        self._policy, self._task = focus_policy("coarse_to_fine"), FocusTask(model, frozenset({"motorcycle"}))
        self._sequence = 0
        reader.warm_up(width, height)
        self._lens.open()
        self._camera.open()
        self._camera.set_exposure(EXPOSURE_US)

    def step(self, position: float) -> dict[str, float]:
        """Bring the lens to a position, then time a step.

        Returns:
            The time of each stage, and of the whole ``step`` [ms].
        """
        self._step(position)
        # The second command finds the lens at rest, so there is no settling time.
        return self._step(position)

    def _step(self, position: float) -> dict[str, float]:
        self._policy.reset(self._task)
        self._sequence += 1
        sent_ns = self._clock.now_ns()
        reading = self._lens.move(position)
        settled_ns = self._clock.now_ns() + round(reading.settle_s * 1e9)
        self._camera.set_trajectory(self._lens.trajectory)
        frame = self._camera.capture(settled_ns)
        ready_ns = self._clock.now_ns()
        assert frame is not None, "only an abort gives no frame, and nobody aborts"
        lens = LensState(
            CommandId(IN_PROCESS, self._sequence),
            position,
            reading.position,
            True,
            settled_ns,
            driver=IN_PROCESS,
            move=self._sequence,
        )
        capture = CaptureInfo(
            frame.begun_ns,
            frame.exposure_us,
            frame.gain_db,
            NO_COMMAND,
            self._sequence,
            driver=IN_PROCESS,
            lens=lens.last_move if frame.begun_ns >= settled_ns else NOWHERE,
        )
        percept = self._reader.perceive(frame.pixels, frame.encoding, capture, lens)
        read_ns = self._clock.now_ns()
        if answers(percept.capture, percept.lens, NO_COMMAND, lens.command):
            reward_focus(percept, self._task.labels, self._task.min_score)
            self._policy.act(percept)
        done_ns = self._clock.now_ns()
        command_ms = (frame.begun_ns - sent_ns) / 1e6
        return {
            "step": command_ms + (done_ns - ready_ns) / 1e6,
            "command": command_ms,
            **percept.stage_ms,
            "decide": (done_ns - read_ns) / 1e6,
        }
