"""The whole graph with a lens that counts steps: goals, refusals, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from graph import Graph
from other_lenses import STEPS, TABLES

pytestmark = pytest.mark.graph


@pytest.fixture
def profile(tmp_path: Path) -> str:
    path = tmp_path / "motor.yaml"
    path.write_text(TABLES["steps"])
    return str(path)


def test_a_goal_is_reached_in_steps(bare_graph: Graph, profile: str) -> None:
    """Nobody but the lens driver was told of the lens."""
    bare_graph.start(lens_driver={"profile": profile}, low_level_agent={"policy": "coarse_to_fine"})
    bare_graph.until_active()
    result = bare_graph.client().run("motorcycle")
    assert result.error_code == 0, result.error_msg
    assert result.lens_unit == "steps"
    assert STEPS.position_min <= result.lens_position <= STEPS.position_max
    assert result.focus_distance_m == pytest.approx(1.0 / STEPS.dioptres(result.lens_position), rel=0.05)
    (folder,) = bare_graph.report_dir.iterdir()
    report = json.loads((folder / "report.json").read_text())
    assert report["after"]["lens_unit"] == "steps"
    assert {step["lens"]["unit"] for step in report["steps"]} == {"steps"}
    assert "Lens [steps]" in (folder / "index.html").read_text()


def test_a_policy_for_another_lens_is_refused_with_both_named(bare_graph: Graph, profile: str) -> None:
    """Its actions are positions of the lens that it was trained with."""
    bare_graph.start(lens_driver={"profile": profile}, low_level_agent={"policy": "paper"})
    bare_graph.until_active()
    result = bare_graph.client().run("motorcycle")
    assert result.error_code == 308
    assert "was trained with the lens physical:" in result.error_msg
    assert "this one is table:" in result.error_msg


def test_without_a_word_of_the_lens_a_goal_ends_with_the_reason(bare_graph: Graph) -> None:
    """A lens driver whose `lens/info` nobody hears."""
    bare_graph.start(remap={"lens_driver": {"lens/info": "lens/told_to_nobody"}})
    bare_graph.until_active()
    result = bare_graph.client().run("motorcycle")
    assert result.error_code == 302
    assert "no lens/info was ever received" in result.error_msg
