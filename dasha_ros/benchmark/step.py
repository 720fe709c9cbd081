"""How long one closed-loop step takes in one process: the least that the graph can take."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from dasha_ros.agents.policy import FocusTask
from dasha_ros.agents.registry import focus_policy
from dasha_ros.agents.rewards import reward_focus
from dasha_ros.devices.camera import Frame
from dasha_ros.devices.twin import TwinCamera, TwinLens
from dasha_ros.optics.lens import lens_model
from dasha_ros.perception.pipeline import Perception
from dasha_ros.timing.clock import ManualClock
from dasha_ros.timing.rule import answers
from dasha_ros.timing.state import CaptureInfo, LensState
from dasha_ros.twin.world import World

VOLTS = (40.3, 42.0, 44.0, 46.0, 50.0)
"""Sharp in the distance, sharp near, and blurred: detectors and BRISQUE take their time by content."""
EXPOSURE_US = 40_000.0


def benchmark_step(
    steps: int = 100,
    *,
    scene: str = "motorcycle_street",
    width: int = 2048,
    height: int = 1088,
    perception: Perception | None = None,
) -> dict[str, Any]:
    """Time steps from a frame's arrival to the next command.

    A step is: read the percept from a full frame, check that it answers, reward it, decide.
    The frames are rendered before, so exposure, settling and rendering are not in it.

    Args:
        steps: How many are timed, after a few that are not.
        scene: What the frames show.
        width: Of the frames [px].
        height: Of the frames [px].
        perception: Reads the frames; the embedded models if left out.

    Returns:
        - ``step_ms_p50``, ``step_ms_p95``: of a whole step [ms]
        - ``stages_ms``: median of each stage of perception, and of ``decide`` [ms]
        - ``steps``, ``width``, ``height``

    Raises:
        ValueError: ``steps`` is not positive.
        DeviceError: The scene can't be used.
        ModelError: A model of the embedded perception is missing.
    """
    if steps < 1:
        raise ValueError(f"{steps} steps: at least one must be timed")
    reader = perception or Perception()
    reader.warm_up(width, height)
    frames = _frames(scene, width, height)
    policy, task = focus_policy("coarse_to_fine"), FocusTask(lens_model(), frozenset({"motorcycle"}))
    totals, stages = [], []
    for i in range(steps + len(frames)):
        frame, volts = frames[i % len(frames)], VOLTS[i % len(frames)]
        lens = LensState(i + 1, volts, volts, True, frame.stamp_ns)
        capture = CaptureInfo(frame.stamp_ns, frame.exposure_us, frame.gain_db, 0, i)
        policy.reset(task)
        begun = time.perf_counter()
        percept = reader.perceive(frame.pixels, frame.encoding, capture, lens)
        read = time.perf_counter()
        if answers(percept.capture, percept.lens, 0, lens.command_ns):
            reward_focus(percept, task.labels, task.min_score)
            policy.act(percept)
        done = time.perf_counter()
        if i >= len(frames):
            totals.append((done - begun) * 1e3)
            stages.append(percept.stage_ms | {"decide": (done - read) * 1e3})
    return {
        "step_ms_p50": round(float(np.percentile(totals, 50)), 2),
        "step_ms_p95": round(float(np.percentile(totals, 95)), 2),
        "stages_ms": {name: round(float(np.median([s[name] for s in stages])), 2) for name in stages[0]},
        "steps": steps,
        "width": width,
        "height": height,
    }


def _frames(scene: str, width: int, height: int) -> list[Frame]:
    clock, model = ManualClock(), lens_model()
    lens = TwinLens(clock, model)
    camera = TwinCamera(clock, model, world=World(scene), width=width, height=height, seed=0)
    lens.open()
    camera.open()
    camera.set_exposure(EXPOSURE_US)
    frames = []
    for volts in VOLTS:
        settle_s = lens.move(volts).settle_s
        camera.set_trajectory(lens.trajectory)
        frame = camera.capture(clock.now_ns() + round(settle_s * 1e9))
        if frame is not None:  # Only an abort gives none, and nobody aborts.
            frames.append(frame)
    return frames
