"""The real graph from the command line: up, one goal, a killed node, a clean end; and the demo."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import cv2
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from programs import node_pids, runs
from ros_harness import wait_for

from dasha_ros import report
from dasha_ros.assets.fetch import missing
from dasha_ros.cli.demo.command import _moral
from dasha_ros.cli.demo.contrast import Contrast, contrast_focus
from dasha_ros.cli.demo.montage import Row, montage
from dasha_ros.cli.demo.run import SCENE, STARTS, TOLERANCE_PX, Demo, GoalRecord
from dasha_ros.optics.profiles import lens_model

pytestmark = [pytest.mark.graph, pytest.mark.slow]

UP_S = 120.0


@pytest.fixture(scope="module", autouse=True)
def _assets():
    if missing():
        pytest.skip("photographs and models are not fetched: run `dasha assets fetch`")


@pytest.fixture
def up(spawn, tmp_path):
    return spawn.dasha("up", "--log-dir", str(tmp_path), *_options(tmp_path))


def _options(folder: Path) -> list[str]:
    """Reports of the test's own, and agents that a busy machine does not make impatient."""
    chosen = {"focus_server.report_dir": folder / "reports"}
    chosen |= {f"{agent}_level_agent.inference_budget_s": 20.0 for agent in ("high", "low")}
    return [part for key, value in chosen.items() for part in ("--set", f"{key}={value}")]


def test_up_ends_at_once_when_a_node_cannot_start(spawn):
    # Whether there is such a class, only the node can know.
    up = spawn.dasha("up", "--focus-policy", "bogus:Policy")
    assert up.wait(UP_S) == 1, up.output
    assert "unknown focus policy 'bogus:Policy'" in up.output
    assert "low_level_agent could not start; the lines above say why" in up.output
    assert "nodes are active" not in up.output


def test_up_focus_kill_and_clean_end(up, spawn, tmp_path):
    up.wait_for_output("all 7 nodes are active", UP_S)
    pids = node_pids(up.pid)
    assert len(pids) == 7

    focus = spawn.dasha("focus", "person")
    assert focus.wait(UP_S) == 0, focus.output + up.output
    assert "found person" in focus.output
    (written,) = (tmp_path / "reports").iterdir()
    assert report.load(written).outcome.error_code == 0

    os.kill(pids["low_level_agent"], signal.SIGKILL)
    up.wait_for_output("low_level_agent ended (signal SIGKILL) and starts again in 1 s")
    wait_for(
        lambda: node_pids(up.pid).get("low_level_agent") not in (None, pids["low_level_agent"]), "a restart"
    )
    up.wait_for_output("low_level_agent is active again", UP_S)
    focus = spawn.dasha("focus", "person", "--keep-exposure")
    assert focus.wait(UP_S) == 0, focus.output + up.output

    pids = node_pids(up.pid)
    assert up.stop(signal.SIGINT) == 0, up.output
    assert "stopped cleanly" in up.output
    assert "Traceback" not in up.output
    assert not any(map(runs, pids.values()))
    assert {p.stem for p in tmp_path.glob("*.log")} == pids.keys()


def test_up_ends_cleanly_on_sigterm_while_models_load(spawn, tmp_path):
    up = spawn.dasha("up", *_options(tmp_path))
    wait_for(lambda: len(node_pids(up.pid)) == 7, "seven processes")
    assert up.stop(signal.SIGTERM, UP_S) == 0, up.output
    assert "Traceback" not in up.output
    assert "stopped" in up.output


def test_second_graph_of_the_same_names_is_refused(up, spawn, tmp_path):
    up.wait_for_output("all 7 nodes are active", UP_S)
    second = spawn.dasha("up", *_options(tmp_path))
    assert second.wait(UP_S) == 2
    assert "is already running: stop it" in second.output


def test_doctor_lists_active_nodes_and_those_that_hang(up, spawn):
    up.wait_for_output("all 7 nodes are active", UP_S)
    doctor = spawn.dasha("doctor", "--wait", "60")
    doctor.wait(UP_S)
    for name in node_pids(up.pid):
        assert re.search(rf"/dasha/{name} +active", doctor.output), doctor.output
    assert re.search(r"/dasha/camera/image_raw +sensor_msgs/msg/Image, 1 publishing", doctor.output)

    pid = node_pids(up.pid)["lens_driver"]
    os.kill(pid, signal.SIGSTOP)
    try:
        doctor = spawn.dasha("doctor", "--wait", "20")
        assert doctor.wait(UP_S) == 1
        doctor_of_another = spawn.dasha("doctor", "--wait", "0", "-n", "/gone")
        assert doctor_of_another.wait(UP_S) == 1
        assert "✗ no node of this package answers in /gone" in doctor_of_another.output
    finally:
        os.kill(pid, signal.SIGCONT)
    assert re.search(r"✗ /dasha/lens_driver +does not answer\n +it died, hangs", doctor.output), doctor.output
    assert re.search(r"✓ /dasha/camera_driver +active", doctor.output)


def test_demo_reaches_both_objects(spawn, tmp_path):
    picture = tmp_path / "demo.png"
    demo = spawn.dasha("demo", "--picture", str(picture), *_options(tmp_path))
    assert demo.wait(2.0 * UP_S) == 0, demo.output
    assert "both objects within 2 px" in demo.output
    assert "Whole-frame contrast goes to" in demo.output
    assert "motorbike" not in demo.output
    assert cv2.imread(str(picture)).shape[:2] == (3 * (28 + 340) + 2 * 8, 2 * 640 + 8)
    folders = sorted((tmp_path / "reports").iterdir())
    records = [report.load(folder) for folder in folders]
    assert [r.goal.labels for r in records] == [("motorcycle",), ("person",)]
    assert records[0].steps[0].percept.mean_grey < 20
    assert records[1].steps[0].percept.mean_grey > 230
    assert all(str(folder) in demo.output for folder in folders)
    for folder in folders:
        after = cv2.imread(str(folder / "after.jpg"), cv2.IMREAD_GRAYSCALE)
        assert (after >= 250).mean() < 0.02, "a picture that the demo shows is blown out"


def test_contrast_of_the_whole_frame_chooses_the_street():
    focus = contrast_focus(SCENE, 25_000.0, 30.0).dioptres
    lens = lens_model("physical")
    assert abs(lens.blur_px(focus, 1 / 0.8)) > 3 * TOLERANCE_PX
    assert abs(lens.blur_px(focus, 1 / 10.0)) < TOLERANCE_PX


@pytest.mark.parametrize(
    ("blurs", "sentence"),
    [
        ((6.0, 0.5), "right for the person, wrong for the motorcycle."),
        ((0.5, 6.0), "right for the motorcycle, wrong for the person."),
        ((0.5, 0.5), "this time the motorcycle and the person are sharp there."),
        ((6.0, 6.0), "neither the motorcycle nor the person is sharp there."),
    ],
)
def test_demo_says_what_the_numbers_show(blurs, sentence):
    goals = [
        GoalRecord(start.label, True, 1.0, 1.0, 0.1, exposure_us=1.0, report="", contrast_blur_px=blur)
        for start, blur in zip(STARTS, blurs, strict=True)
    ]
    result = Demo(tuple(goals), Contrast(0.1, b""), up_s=1.0, seconds=1.0)
    assert _moral(result) == f"Whole-frame contrast goes to 10.00 m, whatever is asked for: {sentence}"


def test_a_goal_counts_only_when_found_and_truly_sharp():
    record = GoalRecord("cat", True, 1.0, 1.0, blur_px=2.0, exposure_us=1.0, report="")
    assert record.succeeded
    assert not GoalRecord("cat", True, 1.0, 1.0, blur_px=2.01, exposure_us=1.0, report="").succeeded
    assert not GoalRecord("cat", False, 1.0, 1.0, blur_px=0.0, exposure_us=1.0, report="").succeeded


def test_montage_explains_missing_pictures(tmp_path):
    with pytest.raises(OSError, match=r"before\.jpg"):
        montage([Row.of_report("cat", tmp_path)], tmp_path / "x.png")
    (tmp_path / "before.jpg").write_bytes(b"no picture")
    with pytest.raises(OSError, match=r"before\.jpg: is something else, not a picture"):
        montage([Row.of_report("cat", tmp_path)], tmp_path / "x.png")
    with pytest.raises(OSError, match="no report with pictures"):
        montage([], tmp_path / "x.png")
