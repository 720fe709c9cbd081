"""Times steps over a graph by turns: alone, and beside something that looks on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import psutil
from lifecycle_msgs.msg import Transition

from dasha_ros.benchmark.step import POSITIONS, WARM_UP
from dasha_ros.bringup import graph as bringup
from dasha_ros.bringup.graph_client import GraphClient
from dasha_ros.bringup.session import Session
from dasha_ros.cli.benchmark.measure.step import QUIET, timed_step
from dasha_ros.cli.graph.ready import GraphError, wait_until_active
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.ros.actuation.ros_rig import RosRig
from dasha_ros.ros.node.run import THREAD_SWITCH_S

_BLOCK = 20
"""Steps of one kind before steps of the other, so that the machine's load affects both."""
_ANSWER_S = 10.0

Meter = Callable[[], tuple[float, float]]
"""Processor time [s] and bytes that the onlooker has taken until now."""


@dataclass
class Turns:
    """What was timed."""

    alone_ms: list[float] = field(default_factory=list)
    beside_ms: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    """Processor time of the onlooker during the timed steps beside it."""
    taken: float = 0.0
    """Bytes that it took meanwhile."""

    def ratio(self) -> dict[str, Any]:
        """Medians [ms], their ratio, and the onlooker's processor time a step [ms]."""
        alone, beside = median(self.alone_ms), median(self.beside_ms)
        return {
            "step_ms_p50": round(alone, 2),
            "beside_ms_p50": round(beside, 2),
            "ratio": round(beside / alone, 3),
            "cpu_ms_per_step": round(1e3 * self.cpu_s / len(self.beside_ms), 2),
            "steps": len(self.beside_ms),
        }


@contextmanager
def quiet_rig(active_s: float = 60.0) -> Iterator[tuple[GraphClient, RosRig]]:
    """A graph of its own whose A^L leaves the lens to this process: its client, and the rig.

    Raises:
        GraphError: The graph does not come up within ``active_s`` or does not answer.
    """
    graph = bringup.describe(bringup.Options(overrides=QUIET))
    with Session(graph, lambda name, line: None) as session:
        wait_until_active(session, active_s)
        for transition in (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP):
            if not session.client.change_state("low_level_agent", transition, _ANSWER_S):
                raise GraphError("low_level_agent did not close its topics")
        with closing(RosRig(session.client.node, exposure_table(), "lens")) as rig:
            yield session.client, rig


def by_turns(rig: Any, steps: int, beside: Callable[[], AbstractContextManager[Meter]]) -> Turns:
    """Time steps in blocks, alone and beside an onlooker, in one run on one machine.

    Between steps there is only the exposure of 40 ms, which is not timed; a lens that settles leaves an
    onlooker more time.

    Args:
        rig: A `RosRig`.
        steps: How many steps of each kind are timed.
        beside: Starts the onlooker for a block, and ends it.
    """
    sys.setswitchinterval(THREAD_SWITCH_S)
    turns = Turns()
    for first in range(0, steps, _BLOCK):
        block = [POSITIONS[i % len(POSITIONS)] for i in range(WARM_UP + min(_BLOCK, steps - first))]
        turns.alone_ms += _timed(rig, block[:WARM_UP], block[WARM_UP:])
        with beside() as meter:
            _timed(rig, block[:WARM_UP], [])
            cpu_s, taken = meter()
            turns.beside_ms += _timed(rig, [], block[WARM_UP:])
            turns.cpu_s += meter()[0] - cpu_s
            turns.taken += meter()[1] - taken
    return turns


def _timed(rig: Any, warm_up: list[float], positions: list[float]) -> list[float]:
    for position in warm_up:
        timed_step(rig, position)
    return [timed_step(rig, position)["step"] for position in positions]


def cpu_s(process: psutil.Process) -> float:
    """Processor time that a process has used [s]."""
    times = process.cpu_times()
    return float(times.user + times.system)
