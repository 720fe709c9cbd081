"""The whole graph on a focal stack, with neither a twin's world nor hardware."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from graph import NODES, Graph
from stack_maker import twin_stack

pytestmark = pytest.mark.graph

SHARPEST = 6


def test_a_goal_ends_at_the_sharpest_frames(bare_graph: Graph, tmp_path: Path) -> None:
    folder = str(twin_stack(tmp_path / "stack", frames=11, blur_px_per_frame=1.5, sharpest=SHARPEST))
    devices = {"backend": "stack", "stack": folder}
    nodes = [name for name in NODES if name != "twin_world"]
    bare_graph.start(*nodes, camera_driver=devices, lens_driver=devices)
    bare_graph.until_active()
    result = bare_graph.client().run("motorcycle")
    assert result.error_code == 0, result.error_msg
    assert result.lens_unit == "frame"
    assert 1.5 * abs(result.lens_position - SHARPEST) <= 2.0
    (report,) = bare_graph.report_dir.iterdir()
    record = json.loads((report / "report.json").read_text())
    shown = [step["lens"]["position"] for step in record["steps"]]
    assert shown[0] == 0.0
    assert all(position == round(position) for position in shown)
    # What A^L believed came in time, but perhaps for the last step; so did what `dasha explain` needs.
    moves = [step for step in record["steps"] if step["agent"] == "A^L"]
    believed = [step["belief"] for step in moves if step["belief"]]
    assert len(believed) >= max(1, len(moves) - 1)
    assert all(len(belief["probability"]) > 100 for belief in believed)
    assert all((report / step["numbers"]).is_file() for step in record["steps"])
    assert record["setup"]["lens"]["unit"] == "frame"
