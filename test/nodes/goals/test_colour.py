"""A colour camera and the policy that reads its colours; and the same policy before a grey camera."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from graph import Graph

from dasha_ros.perception.quality.detail import SHAPE

pytestmark = pytest.mark.graph

POLICY = {"policy": "plus_colour"}


def colours_read(folder: Path) -> list[tuple[int, ...]]:
    """The shape of the maps of red and blue in each step of the lens."""
    shapes = []
    for path in sorted(folder.glob("step-*.npz")):
        with np.load(path) as stored:
            shapes.append(stored["colour_detail"].shape if "colour_detail" in stored else ())
    return shapes


def test_a_goal_reads_the_colours_of_a_colour_camera(bare_graph: Graph) -> None:
    bare_graph.start(
        camera_driver={"encoding": "rgb8"}, perception={"colour_detail": True}, low_level_agent=POLICY
    )
    bare_graph.until_active()
    result = bare_graph.client().run("motorcycle")
    assert result.error_code == 0, result.error_msg
    (folder,) = bare_graph.report_dir.iterdir()
    assert set(colours_read(folder)) == {(2, *SHAPE)}
    assert "reads colours" not in bare_graph.processes["low_level_agent"].output


def test_a_grey_camera_is_named_and_the_goal_is_reached_without(bare_graph: Graph) -> None:
    bare_graph.start(perception={"colour_detail": True}, low_level_agent=POLICY)
    bare_graph.until_active()
    result = bare_graph.client().run("motorcycle")
    assert result.error_code == 0, result.error_msg
    (folder,) = bare_graph.report_dir.iterdir()
    assert set(colours_read(folder)) == {()}
    bare_graph.processes["low_level_agent"].wait_for_output(
        "the policy reads colours, but percepts hold none"
    )
