"""``dasha benchmark step``: one closed-loop step over the graph, against the same step in one process."""

from __future__ import annotations

import sys
import threading
from contextlib import closing
from statistics import median, quantiles
from typing import Any

from dasha_ros import bringup
from dasha_ros.benchmark.step import VOLTS, benchmark_step
from dasha_ros.cli.session import Session
from dasha_ros.optics.exposure import exposure_table
from dasha_ros.optics.lens import lens_model
from dasha_ros.perception.percept import Percept
from dasha_ros.ros.node import THREAD_SWITCH_S
from dasha_ros.ros.rig import RosRig

_WARM_UP = 5
_QUIET = ("camera_driver.preview_rate_hz=0", "camera_driver.initial_exposure_us=40000")
"""Nothing but the steps: no previews between them."""


class StepError(Exception):
    """The graph did not come up or did not answer."""


def step_over_ros(steps: int = 100, active_s: float = 60.0) -> dict[str, Any]:
    """Time steps over the graph, then in one process, in one run on one machine.

    A step lasts from sending a lens command to the arrival of the percept that answers it.
    What is physics, not software, is left out: the lens is where it is sent already, and
    from the start of the exposure until the frame is in hand (exposure and rendering) no time counts.

    Returns:
        - ``step_ms_p50``, ``step_ms_p95``: over the graph [ms]
        - ``one_process_ms_p50``, ``one_process_ms_p95``: in one process [ms]
        - ``ratio_to_one_process``: of the medians
        - ``image_transport_ms_p50``: from the camera driver to perception [ms]
        - ``stages_ms``: median of each stage over the graph [ms]
        - ``up_s``: from the start to all nodes active [s]
        - ``memory_mb``: of the whole graph, shared pages counted once [MB]
        - ``steps``, ``width``, ``height``

    Raises:
        StepError: The graph does not come up or does not answer.
    """
    graph = bringup.describe(bringup.Options(overrides=_QUIET))
    with Session(graph, lambda name, line: None) as session:
        while not session.poll()[0]:
            if session.seconds > active_s:
                raise StepError(f"after {active_s:g} s not all nodes are active: {session.node_states()}")
        up_s = session.seconds
        with closing(RosRig(session.client.node, exposure_table(), lens_model(), "lens")) as rig:
            timed = _in_background(session, rig, steps)
        memory_mb = sum(m.pss for m in session.memory().values()) / 1e6
    alone = benchmark_step(steps)
    totals = [t["step"] for t in timed]
    step_ms = median(totals)
    stages = {name: round(median([t[name] for t in timed]), 2) for name in timed[0] if name != "step"}
    return {
        "step_ms_p50": round(step_ms, 2),
        "step_ms_p95": round(quantiles(totals, n=20)[-1], 2),
        "one_process_ms_p50": alone["step_ms_p50"],
        "one_process_ms_p95": alone["step_ms_p95"],
        "ratio_to_one_process": round(step_ms / alone["step_ms_p50"], 3),
        "image_transport_ms_p50": stages["transport"],
        "stages_ms": stages,
        "up_s": round(up_s, 2),
        "memory_mb": round(memory_mb),
        "steps": steps,
        "width": alone["width"],
        "height": alone["height"],
    }


def _in_background(session: Session, rig: RosRig, steps: int) -> list[dict[str, float]]:
    """The rig blocks, so it works in a thread while this one serves the topics."""
    sys.setswitchinterval(THREAD_SWITCH_S)
    timed: list[dict[str, float]] = []
    errors: list[Exception] = []

    def work() -> None:
        try:
            for i in range(_WARM_UP + steps):
                volts = VOLTS[i % len(VOLTS)]
                rig.move(volts)
                # Commanded again, the lens is at rest already: no settling to take out.
                sent_ns = rig.clock.now_ns()
                percept = rig.move(volts)
                if i >= _WARM_UP:
                    timed.append(_parts(percept, sent_ns, rig.clock.now_ns()))
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    session.client.until(lambda: not thread.is_alive(), 60.0 + steps)
    if errors or not timed:
        raise StepError(f"the graph did not answer: {errors[0] if errors else 'no step in time'}")
    return timed


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
