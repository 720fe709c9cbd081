"""A recorded goal ends, replayed, as it ended: two graphs in separate processes, and a file between."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from graph import NODES, Graph, empty_graph

pytestmark = pytest.mark.graph


def steps(graph: Graph) -> list[tuple[float, float]]:
    """Position and exposure of every step of the only goal."""
    (report,) = graph.report_dir.iterdir()
    record = json.loads((report / "report.json").read_text())
    return [(round(s["lens"]["position"], 3), s["frame"]["exposure_us"]) for s in record["steps"]]


def recorded_goal(graph: Graph, folder: Path) -> Any:
    """Record a goal on the twin."""
    graph.start()
    graph.until_active()
    client = graph.client()
    recorder = graph.spawner.dasha("record", "-o", str(folder))
    recorder.wait_for_output("recording to")

    def listens() -> bool:
        heard = graph.probe.node.get_subscriptions_info_by_topic("/dasha/camera/image_raw")
        return any(info.node_name.startswith("dasha_cli") for info in heard)

    graph.probe.until(listens, "the recorder's subscription")
    result = client.run("motorcycle")
    assert recorder.stop(signal.SIGTERM) == 0, recorder.output
    return result


def test_replayed_goal_ends_as_the_recorded_one(tmp_path: Path) -> None:
    folder = tmp_path / "goal"
    with empty_graph(tmp_path / "recorded") as robot:
        first = recorded_goal(robot, folder)
        seen = steps(robot)
    assert first.error_code == 0, first.error_msg
    with empty_graph(tmp_path / "replayed") as desk:
        devices = {"backend": "replay", "recording": str(folder)}
        nodes = [name for name in NODES if name != "twin_world"]
        desk.start(*nodes, camera_driver=devices, lens_driver=devices)
        desk.until_active()
        again = desk.client().run("motorcycle")
        replayed = steps(desk)
    assert again.error_code == 0, again.error_msg
    assert again.lens_unit == first.lens_unit
    assert again.lens_position == pytest.approx(first.lens_position)
    assert again.exposure_us == first.exposure_us
    assert len(seen) > 2
    assert replayed == seen
