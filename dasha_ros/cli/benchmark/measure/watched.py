"""Times one closed-loop step over the graph, with pages of `dasha watch` open and without."""

from __future__ import annotations

import sys
from contextlib import closing, nullcontext
from statistics import median
from typing import Any

import psutil
from lifecycle_msgs.msg import Transition

from dasha_ros.benchmark.step import POSITIONS, WARM_UP
from dasha_ros.bringup import graph as bringup
from dasha_ros.bringup.session import Session
from dasha_ros.cli.benchmark.measure.pages import Pages, WatchCommand
from dasha_ros.cli.benchmark.measure.step import QUIET, timed_step
from dasha_ros.cli.graph.ready import GraphError, wait_until_active
from dasha_ros.optics.exposure import exposure_table
from dasha_ros.ros.node.run import THREAD_SWITCH_S
from dasha_ros.ros.rig.rig import RosRig

_BLOCK = 20
"""Steps of one kind before steps of the other, so that the machine's load affects both."""
_ANSWER_S = 10.0


def step_watched(pages: int, steps: int, active_s: float = 60.0) -> dict[str, Any]:
    """Time steps in blocks, with pages open and without, in one run on one machine.

    Readers that throw everything away stand in for the browsers; see `Pages`. The steps follow one another
    without exposure and settling in between, so a real goal is watched more cheaply.

    Args:
        pages: How many pages are open.
        steps: How many steps of each kind are timed.
        active_s: How long the graph may take to start [s].

    Returns:
        - ``step_ms_p50``, ``watched_ms_p50``: without and with pages [ms]
        - ``ratio``: of the two
        - ``watch_cpu_ms_per_step``: processor time of the page's server [ms]
        - ``kilobytes_per_page_and_step``
        - ``pages``, ``steps``

    Raises:
        GraphError: The graph does not come up or does not answer.
        OSError: The page's server does not start.
    """
    graph = bringup.describe(bringup.Options(overrides=QUIET))
    with Session(graph, lambda name, line: None) as session:
        wait_until_active(session, active_s)
        for transition in (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP):
            if not session.client.change_state("low_level_agent", transition, _ANSWER_S):
                raise GraphError("low_level_agent did not close its topics")
        namespace = session.client.namespace
        with (
            closing(WatchCommand(namespace)) as command,
            closing(RosRig(session.client.node, exposure_table(), "lens")) as rig,
        ):
            return _by_turns(rig, command, pages, steps)


def _by_turns(rig: RosRig, command: WatchCommand, pages: int, steps: int) -> dict[str, Any]:
    sys.setswitchinterval(THREAD_SWITCH_S)
    timed: dict[bool, list[float]] = {False: [], True: []}
    server, cpu_s, received = psutil.Process(command.pid), 0.0, 0
    for first in range(0, steps, _BLOCK):
        block = [POSITIONS[i % len(POSITIONS)] for i in range(WARM_UP + min(_BLOCK, steps - first))]
        for watched in (False, True):
            opened = Pages(command.port, pages) if watched else None
            with closing(opened) if opened is not None else nullcontext():
                for position in block[:WARM_UP]:
                    timed_step(rig, position)
                before, before_bytes = _cpu_s(server), opened.received if opened else 0
                timed[watched] += [timed_step(rig, position)["step"] for position in block[WARM_UP:]]
                if opened is not None:
                    cpu_s += _cpu_s(server) - before
                    received += opened.received - before_bytes
    alone, seen = median(timed[False]), median(timed[True])
    return {
        "step_ms_p50": round(alone, 2),
        "watched_ms_p50": round(seen, 2),
        "ratio": round(seen / alone, 3),
        "watch_cpu_ms_per_step": round(1e3 * cpu_s / len(timed[True]), 2),
        "kilobytes_per_page_and_step": round(received / 1e3 / pages / len(timed[True]), 1),
        "pages": pages,
        "steps": len(timed[True]),
    }


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
