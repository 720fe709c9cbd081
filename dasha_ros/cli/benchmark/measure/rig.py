"""Measures the real drivers on emulated devices, and goals on them and on the twin."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from statistics import median
from typing import Any

from dasha_ros.benchmark.episodes import Episode, goals_of
from dasha_ros.bringup import graph as bringup
from dasha_ros.bringup.session import Session
from dasha_ros.cli.benchmark.measure.camera_timer import CameraTimer
from dasha_ros.cli.benchmark.measure.commander import Commander
from dasha_ros.cli.benchmark.measure.episodes import EMULATED_MIN_US, episodes_over_ros
from dasha_ros.cli.benchmark.measure.lens_timer import LensTimer
from dasha_ros.cli.graph.ready import wait_until_active
from dasha_ros.config import HighLevelAgentConfig, LowLevelAgentConfig
from dasha_ros.emulators.latency import lens_move_ms
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.policies.outcome import ErrorCode

PREVIEW_HZ = 50.0
LENS_NODES = ("twin_world", "device_emulator", "lens_driver")
ACTIVE_S = 90.0
_QUIET = ("camera_driver.preview_rate_hz=0",)
"""No previews, which would disturb the measurement."""

Progress = Callable[[str], None]


def benchmark_rig(
    scenes: Sequence[str],
    seeds: int,
    *,
    count: int = 200,
    preview_s: float = 20.0,
    progress: Progress = lambda what: None,
) -> dict[str, Any]:
    """Measure the emulated rig: pictures, preview, lens; then goals on it and on the twin.

    Args:
        scenes: Scenes of the goals.
        seeds: Goals for each label of each scene, with the same starts on both rigs; 0: no goals.
        count: Number of pictures and lens commands to time.
        preview_s: How long to watch the preview [s].
        progress: Called with what is being measured.

    Returns:
        - ``pictures``, ``preview``: as in `CameraTimer`
        - ``lens``: as in `LensTimer`; ``lens_driver_alone``: with no other node;
          ``lens_port_alone_ms_p50``: without ROS
        - ``goals``: as in `compare`, with the ``policies`` that played
        - ``machine``: with the load averages before and after

    Raises:
        GraphError: The graph does not come up or does not answer.
    """
    before = os.getloadavg()
    progress("the lens port alone")
    alone = sorted(lens_move_ms(count))
    graph = bringup.describe(bringup.Options(rig="emulated", overrides=_QUIET))
    progress("the lens driver alone")
    with _timed(_only(graph, LENS_NODES)) as (_, lens_timer):
        driver = lens_timer.moves(count, with_percepts=False)
    progress("starting the emulated rig")
    with _timed(graph) as (camera_timer, lens_timer):
        progress("pictures on command")
        pictures = camera_timer.pictures(count)
        progress("lens commands")
        lens = lens_timer.moves(count)
        progress(f"preview at {PREVIEW_HZ:g} fps")
        preview = camera_timer.preview(PREVIEW_HZ, preview_s)
    configured = next(p for p in graph.processes if p.name == "camera_driver").parameters
    numbers: dict[str, Any] = {
        "width": configured.get("width", 2048),
        "height": configured.get("height", 1088),
        "pictures": pictures,
        "lens": lens,
        "lens_driver_alone": driver,
        "lens_port_alone_ms_p50": round(median(alone), 2),
        "preview": preview,
    }
    if seeds:
        numbers["goals"] = _goals(scenes, seeds, progress)
    numbers["machine"] = {
        "cores": len(os.sched_getaffinity(0)),
        "load_before": [round(x, 2) for x in before],
        "load_after": [round(x, 2) for x in os.getloadavg()],
        "python": platform.python_version(),
    }
    return numbers


@contextmanager
def _timed(graph: bringup.Graph) -> Iterator[tuple[CameraTimer, LensTimer]]:
    """Run a graph; yields its timers once all nodes are active."""
    with Session(graph, lambda node, line: None) as session:
        wait_until_active(session, ACTIVE_S)
        with closing(Commander(session.client)) as commander:
            yield CameraTimer(commander, session.pids()), LensTimer(commander)


def _only(graph: bringup.Graph, names: Sequence[str]) -> bringup.Graph:
    return replace(graph, processes=tuple(p for p in graph.processes if p.name in names))


def _goals(scenes: Sequence[str], seeds: int, progress: Progress) -> dict[str, Any]:
    goals, table = goals_of(scenes), exposure_table(EMULATED_MIN_US)
    played: dict[str, list[Episode]] = {"twin": [], "emulated": []}
    for seed in range(seeds):
        # Alternating, so that a change of the machine's load affects both.
        for rig in played if seed % 2 == 0 else reversed(played):
            progress(f"{len(goals)} goals on the {rig} rig, seed {seed}")
            played[rig].extend(episodes_over_ros(goals, [seed], rig=rig, table=table))
    policies = {"A^H": HighLevelAgentConfig().policy, "A^L": LowLevelAgentConfig().policy}
    return {"policies": policies, **compare(played["twin"], played["emulated"])}


def compare(twin: Sequence[Episode], emulated: Sequence[Episode]) -> dict[str, Any]:
    """Compare the same goals on both rigs.

    Args:
        twin: Episodes on the twin.
        emulated: Episodes on the emulated rig, in the same order.

    Returns:
        - ``step_ms_twin``, ``step_ms_emulated``: median wall time of a step, which is one picture [ms]
        - ``ratio``: median over the goals of one by the other
        - ``found_twin``, ``found_emulated``: how many goals were reached
        - ``only_twin``: goals that only the twin reached
        - ``episodes``: of each rig, each with seconds and pictures on the twin and on the emulated rig
    """
    steps = [[e.seconds / e.frames * 1e3 for e in played] for played in (twin, emulated)]
    found = [[e.code is ErrorCode.NONE for e in played] for played in (twin, emulated)]
    only_twin = [
        f"{e.goal}, seed {e.seed}" for e, there, here in zip(twin, *found, strict=True) if there and not here
    ]
    return {
        "step_ms_twin": round(median(steps[0]), 1),
        "step_ms_emulated": round(median(steps[1]), 1),
        "ratio": round(median(here / there for there, here in zip(*steps, strict=True)), 3),
        "found_twin": sum(found[0]),
        "found_emulated": sum(found[1]),
        "only_twin": only_twin,
        "episodes": [
            {
                "goal": f"{there.goal}, seed {there.seed}",
                "seconds": [round(there.seconds, 2), round(here.seconds, 2)],
                "pictures": [there.frames, here.frames],
            }
            for there, here in zip(twin, emulated, strict=True)
        ],
    }
