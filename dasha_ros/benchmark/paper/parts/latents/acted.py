"""What is found from every point of a grid, before and after both agents acted."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from dasha_ros.benchmark.paper.parts.latents.grid import GridRig
from dasha_ros.benchmark.paper.parts.recall.measure import Agents
from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureTask, FocusTask
from dasha_ros.policies.registry import exposure_policy, focus_policy

Flags = NDArray[np.bool_]


def off(rig: GridRig, label: str, min_score: float) -> Flags:
    """Whether the object is found at each point; shape (positions, exposures)."""
    return np.array([[_found(percept, label, min_score) for percept in line] for line in rig.columns])


def on(rig: GridRig, agents: Agents, label: str, min_score: float) -> Flags:
    """Whether the object is found after both agents acted, from each point; shape (positions, exposures).

    The rig answers equal commands alike, so A^L is asked once for each point where A^H leaves it.
    """
    result: Flags = np.zeros((len(rig.columns), len(rig.columns[0])), bool)
    known: dict[tuple[int, int], bool] = {}
    high, low = exposure_policy(agents.exposure), focus_policy(agents.focus)
    positions, exposures = result.shape
    for point in product(range(positions), range(exposures)):
        rig.point = point
        exposed = run_exposure(rig, high, ExposureTask(rig.table))
        begin = rig.point
        if exposed.code is not ErrorCode.NONE:
            result[point] = _found(rig.observe(), label, min_score)
            continue
        if begin not in known:
            run_focus(rig, low, FocusTask(rig.lens, frozenset({label}), min_score=min_score))
            known[begin] = _found(rig.observe(), label, min_score)
        result[point] = known[begin]
    return result


def _found(percept: Percept, label: str, min_score: float) -> bool:
    return bool(percept.of({label}, min_score))
