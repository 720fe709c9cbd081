"""From feedback to report: an inconsistent step is omitted, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS is not installed: scripts/setup installs it")
from analytic_rig import AnalyticRig
from sensor_msgs.msg import CompressedImage

from dasha_ros import msg
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.perception.quality.detail import SHAPE
from dasha_ros.report.model import load
from dasha_ros.report.writer import ReportWriter
from dasha_ros.ros.goals.recorder import Recorder
from dasha_ros.ros.transport.stamps import to_stamp

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


def picture_of(seen, later_ns=0, data=b"jpeg"):
    message = CompressedImage(format="jpeg", data=data)
    message.header.stamp = to_stamp(seen.capture.stamp_ns + later_ns)
    return message


def test_the_waiting_step_keeps_its_picture_and_belief_however_many_others_come(tmp_path):
    """While an object is held, pictures come, but no further step."""
    recorder = Recorder(pytest.fail)
    recorder.begin(ReportWriter(tmp_path), GOAL, msg.PerceptionInfo(), {})
    seen = AnalyticRig().observe()
    recorder.step(reward(1), seen)
    recorder.picture(picture_of(seen, data=b"its own"))
    belief = msg.Belief(dioptres=[1.0, 2.0], probability=[0.5, 0.5])
    belief.header.stamp = to_stamp(seen.capture.stamp_ns)
    recorder.belief(belief)
    for number in range(1, 40):
        recorder.picture(picture_of(seen, number, b"another"))
        belief.header.stamp = to_stamp(seen.capture.stamp_ns + number)
        recorder.belief(belief)
        assert recorder.is_complete
    folder = tmp_path / recorder.finish(OUTCOME, {})
    assert (folder / "after.jpg").read_bytes() == b"its own"
    (step,) = json.loads((folder / "report.json").read_text())["steps"]
    assert step["picture"]
    assert step["belief"]


def test_a_report_below_a_relative_folder_is_named_in_full(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recorder = Recorder(pytest.fail)
    recorder.begin(ReportWriter("reports"), GOAL, msg.PerceptionInfo(), {})
    folder = Path(recorder.finish(OUTCOME, {}))
    assert folder.is_dir()
    assert folder.parent == tmp_path / "reports"


def test_a_last_step_of_the_exposure_waits_for_no_belief(tmp_path):
    recorder = Recorder(pytest.fail)
    recorder.begin(ReportWriter(tmp_path), GOAL, msg.PerceptionInfo(), {})
    seen = AnalyticRig().observe()
    belief = msg.Belief(dioptres=[1.0, 2.0], probability=[0.5, 0.5])
    belief.header.stamp = to_stamp(seen.capture.stamp_ns - 1)
    recorder.belief(belief)
    last = reward(1)
    last.agent = "A^H"
    recorder.step(last, seen)
    assert not recorder.is_complete
    recorder.picture(picture_of(seen))
    assert recorder.is_complete


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


def stamped(message, seen):
    message.header.stamp = to_stamp(seen.capture.stamp_ns)
    return message


def test_a_step_of_the_lens_keeps_its_belief_and_what_perception_read(tmp_path):
    recorder, rig = Recorder(pytest.fail), AnalyticRig()
    lens = LensInfo.of(rig.lens)
    recorder.begin(ReportWriter(tmp_path), GOAL, msg.PerceptionInfo(), {})
    first, second = rig.observe(), replace(rig.move(45.0), colour_detail=np.ones((2, *SHAPE), np.uint8))
    exposed = reward(1, action_names=["exposure_us"])
    exposed.agent = "A^H"
    recorder.step(exposed, first)
    recorder.step(reward(0, action_names=[], action_values=[]), first)
    recorder.belief(stamped(msg.Belief(dioptres=[0.0, 1.0], probability=[0.25, 0.75]), first))
    recorder.step(reward(1), second)
    recorder.picture(stamped(CompressedImage(data=b"jpeg"), second))
    assert not recorder.is_complete
    recorder.belief(stamped(msg.Belief(dioptres=[0.0, 1.0], probability=[0.5, 0.5]), second))
    assert recorder.is_complete
    folder = Path(recorder.finish(OUTCOME, {}, lens))
    record = load(folder)
    believed = [step.belief and step.belief.probability for step in record.steps]
    assert believed == [None, (0.25, 0.75), (0.5, 0.5)]
    assert record.setup.lens.map_positions == lens.map_positions
    with np.load(folder / "step-0002.npz") as stored:
        assert np.array_equal(stored["latent"], second.latent)
        assert np.array_equal(stored["detail"], second.detail)
        assert np.array_equal(stored["colour_detail"], second.colour_detail)


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
