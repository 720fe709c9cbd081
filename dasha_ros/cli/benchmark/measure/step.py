"""Times one closed-loop step over the graph, and the same step in one process."""

from __future__ import annotations

import sys
from contextlib import closing
from statistics import median
from typing import Any

from lifecycle_msgs.msg import Transition

from dasha_ros.benchmark.step import POSITIONS, WARM_UP, OneProcess, summary
from dasha_ros.bringup import graph as bringup
from dasha_ros.bringup.session import Session
from dasha_ros.cli.graph.ready import GraphError, wait_until_active
from dasha_ros.config import CameraDriverConfig, PerceptionConfig
from dasha_ros.control.rig import RigError
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.perception.percept import Percept
from dasha_ros.ros.actuation.ros_rig import RosRig
from dasha_ros.ros.driver_nodes.backends import perception_of
from dasha_ros.ros.node.run import THREAD_SWITCH_S

_ANSWER_S = 10.0
_BLOCK = 10
"""Steps of one kind before steps of the other, so that the machine's load affects both."""
QUIET = ("camera_driver.preview_rate_hz=0", "camera_driver.initial_exposure_us=40000")
"""No previews between the steps."""


def step_over_ros(steps: int = 100, active_s: float = 60.0, params_file: str | None = None) -> dict[str, Any]:
    """Time steps over the graph and in one process, alternating in one run on one machine.

    This process takes the place of A^L: once all nodes are active, ``low_level_agent`` closes its topics,
    so that the graph has no extra subscriber. A step lasts from the lens command to the arrival of the
    percept that answers it. Physics does not count: the lens is already where it is sent, and the time from
    the start of the exposure until the frame is there (exposure and rendering) is subtracted.

    Args:
        steps: How many steps of each kind are timed.
        active_s: How long the graph may take to start [s].
        params_file: Parameters of the graph's nodes.

    Returns:
        - ``step_ms_p50``, ``step_ms_p95``: over the graph [ms]
        - ``one_process_ms_p50``, ``one_process_ms_p95``: in one process [ms]
        - ``ratio_to_one_process``: of the medians
        - ``image_transport_ms_p50``: from the camera driver to perception [ms]
        - ``stages_ms``, ``one_process_stages_ms``: median of each stage [ms]
        - ``up_s``: from the start to all nodes active [s]
        - ``memory_mb``: of the whole graph, shared pages counted once [MB]
        - ``steps``, ``width``, ``height``

    Raises:
        GraphError: The graph does not come up or does not answer.
    """
    graph = bringup.describe(bringup.Options(overrides=QUIET, params_file=params_file))
    with Session(graph, lambda name, line: None) as session:
        wait_until_active(session, active_s)
        up_s = session.seconds
        memory_mb = sum(m.pss for m in session.memory().values()) / 1e6
        for transition in (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP):
            if not session.client.change_state("low_level_agent", transition, _ANSWER_S):
                raise GraphError("low_level_agent did not close its topics")
        with closing(RosRig(session.client.node, exposure_table(), "lens")) as rig:
            timed, alone = _by_turns(rig, OneProcess(perception=perception_of(PerceptionConfig())), steps)
    over, one = summary(timed), summary(alone)
    camera = CameraDriverConfig()
    stages = _medians(timed)
    return {
        **over,
        "one_process_ms_p50": one["step_ms_p50"],
        "one_process_ms_p95": one["step_ms_p95"],
        "ratio_to_one_process": round(over["step_ms_p50"] / one["step_ms_p50"], 3),
        "image_transport_ms_p50": stages["transport"],
        "stages_ms": stages,
        "one_process_stages_ms": _medians(alone),
        "up_s": round(up_s, 2),
        "memory_mb": round(memory_mb),
        "steps": steps,
        "width": camera.width,
        "height": camera.height,
    }


def _by_turns(
    rig: RosRig, one_process: OneProcess, steps: int
) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """Take steps over the graph and in one process. The rig's own thread serves the topics."""
    sys.setswitchinterval(THREAD_SWITCH_S)
    timed: list[dict[str, float]] = []
    alone: list[dict[str, float]] = []
    for first in range(0, steps, _BLOCK):
        block = [POSITIONS[i % len(POSITIONS)] for i in range(WARM_UP + min(_BLOCK, steps - first))]
        timed += [timed_step(rig, position) for position in block][WARM_UP:]
        alone += [one_process.step(position) for position in block][WARM_UP:]
    return timed, alone


def timed_step(rig: RosRig, position: float) -> dict[str, float]:
    """Time one step to a position: ``step`` and its parts [ms]; see `step_over_ros`.

    Raises:
        GraphError: The graph does not answer.
    """
    try:
        rig.move(position)
        # The second move goes to the same position, so there is no settling time to subtract.
        sent_ns = rig.clock.now_ns()
        percept = rig.move(position)
    except RigError as error:
        raise GraphError(f"the graph did not answer: {error}") from error
    return _parts(percept, sent_ns, rig.clock.now_ns())


def _medians(timed: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(median([t[name] for t in timed]), 2) for name in timed[0] if name != "step"}


def _parts(percept: Percept, sent_ns: int, received_ns: int) -> dict[str, float]:
    capture = percept.capture
    command_ns = capture.stamp_ns - sent_ns
    after_ns = received_ns - capture.ready_ns
    stages = {k: v for k, v in percept.stage_ms.items() if k != "total"}
    own = sum(stages.values())
    return {
        "step": (command_ns + after_ns) / 1e6,
        "command": command_ns / 1e6,
        **stages,
        "messages": after_ns / 1e6 - own,
    }
