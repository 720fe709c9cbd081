"""A recorded goal finds its object again when `dasha replay` plays it: two graphs, and a file between."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from graph import NODES, Graph, empty_graph

pytestmark = pytest.mark.graph

SHARP_DIOPTRES = 0.1
"""A pixel of blur."""


def recorded_goal(graph: Graph, folder: Path) -> Any:
    """Record a goal on the twin, with every picture: on a busy machine, a best-effort recorder loses some."""
    image = "qos_overrides./dasha/camera/image_raw.publisher"
    graph.start(camera_driver={f"{image}.reliability": "reliable", f"{image}.depth": 50})
    graph.until_active()
    client = graph.client()
    recorder = graph.spawner.dasha("record", "-o", str(folder), "--wait", "90")
    recorder.wait_for_output("camera and lens are heard")
    result = client.run("motorcycle")
    assert recorder.stop(signal.SIGTERM) == 0, recorder.output
    return result


def test_replayed_goal_ends_as_the_recorded_one(tmp_path: Path) -> None:
    folder = tmp_path / "goal"
    with empty_graph(tmp_path / "recorded") as robot:
        first = recorded_goal(robot, folder)
    assert first.error_code == 0, first.error_msg
    with empty_graph(tmp_path / "replayed") as desk:
        reports = f"focus_server.report_dir={tmp_path}/replayed"
        patient = [f"{agent}.inference_budget_s=20" for agent in ("high_level_agent", "low_level_agent")]
        sets = [word for value in (reports, *patient) for word in ("--set", value)]
        command = desk.spawner.dasha("replay", str(folder), *sets)
        desk.until_active(*(name for name in NODES if name != "twin_world"))
        again = desk.client().run("motorcycle")
        assert command.stop(signal.SIGINT) == 0, command.output
    assert again.error_code == 0, again.error_msg
    assert again.lens_unit == first.lens_unit
    # A lost picture, or another one of the same settings, has other noise, and the goal ends a little beside.
    # The replay may ask for a position without a picture; the distance is that of the picture it got.
    assert 1.0 / again.focus_distance_m == pytest.approx(1.0 / first.focus_distance_m, abs=SHARP_DIOPTRES)
    assert again.exposure_us == pytest.approx(first.exposure_us, rel=0.3)
    assert again.detection.label == first.detection.label
