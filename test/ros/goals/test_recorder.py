"""From feedback to report: an inconsistent step is omitted, and nothing else."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("rclpy", reason="ROS is not installed: scripts/setup installs it")
from analytic_rig import AnalyticRig

from dasha_ros import msg
from dasha_ros.report.writer import ReportWriter
from dasha_ros.ros.goals.recorder import Recorder

GOAL = {"labels": ("cat",)}
OUTCOME = {
    "error_code": 0,
    "error_name": "NONE",
    "error_msg": "",
    "exposure_steps": 0,
    "focus_steps": 3,
    "seconds": 1.0,
}


def reward(step, **lists):
    return msg.Reward(
        agent="A^L",
        policy="plus",
        step=step,
        value=-0.3,
        **{
            "term_names": ["quality"],
            "term_values": [-0.3],
            "action_names": ["lens_position"],
            "action_values": [30.0],
            **lists,
        },
    )


@pytest.mark.parametrize("what", ["term", "action"])
def test_a_step_with_names_but_no_values_is_omitted_with_a_warning(what, tmp_path):
    told = []
    recorder = Recorder(told.append)
    recorder.begin(ReportWriter(tmp_path), GOAL, msg.PerceptionInfo(), {})
    seen = AnalyticRig().observe()
    recorder.step(reward(1), seen)
    recorder.step(reward(2, **{f"{what}_values": []}), seen)
    recorder.step(reward(3), seen)
    folder = recorder.finish(OUTCOME, {})
    record = json.loads((tmp_path / folder / "report.json").read_text())
    assert [step["index"] for step in record["steps"]] == [1, 3]
    assert len(told) == 1
    assert f"step 2 of A^L: it has 1 {what}_names but 0 {what}_values" in told[0]


def test_without_a_report_no_step_is_reported_as_omitted():
    told = []
    recorder = Recorder(told.append)
    recorder.step(reward(1, term_values=[]), AnalyticRig().observe())
    assert recorder.is_complete
    assert recorder.finish(OUTCOME, {}) == ""
    assert not told


def test_a_report_that_fails_leaves_no_files_behind(tmp_path):
    told = []
    recorder = Recorder(told.append)
    recorder.begin(ReportWriter(tmp_path), GOAL, msg.PerceptionInfo(), {})
    recorder.step(reward(1, action_names=["gain"]), AnalyticRig().observe())
    assert recorder.finish(OUTCOME, {}) == ""
    assert "gain" in told[0]
    assert not list(tmp_path.iterdir())
