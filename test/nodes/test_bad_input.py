"""Broken pictures, percepts, policies, scenes and disks are reported, counted and survived."""

from __future__ import annotations

import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graph import Graph
from transitions import change_state

pytestmark = pytest.mark.graph

PROGRAMS = Path(__file__).parent / "programs"


def counter(graph: Graph, node: str, key: str) -> Callable[[], int]:
    """Reads a counter of a node's diagnostics."""
    from diagnostic_msgs.msg import DiagnosticArray

    from dasha_ros.ros.transport import qos

    arrays = graph.probe.subscribe(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)

    def read() -> int:
        values = [
            int(v.value)
            for a in arrays
            for s in a.status
            if s.name == f"dasha/{node}"
            for v in s.values
            if v.key == key
        ]
        return values[-1] if values else 0

    return read


def test_perception_survives_invalid_pictures(bare_graph: Graph) -> None:
    from sensor_msgs.msg import Image

    from dasha_ros import msg
    from dasha_ros.ros.transport import qos
    from dasha_ros.ros.transport.stamps import to_stamp

    graph, probe = bare_graph, bare_graph.probe
    graph.start("perception")
    graph.until_active()
    bad = counter(graph, "perception", "bad_images")
    percepts = probe.subscribe(msg.Percept, "perception/percept", qos.PERCEPT)
    images = probe.publisher(Image, "camera/image_raw", qos.IMAGE)
    captures = probe.publisher(msg.CaptureInfo, "camera/capture", qos.CAPTURE)
    lens = probe.publisher(msg.LensState, "lens/state", qos.STATE)
    lens.publish(
        msg.LensState(driver="l", sequence=1, move=1, position=40.0, commanded_position=40.0, settled=True)
    )
    grey = array.array("B", np.full(64 * 48, 90, np.uint8).tobytes())
    fine = {"height": 48, "width": 64, "step": 64, "encoding": "mono8", "data": grey}
    stamp = 10**9

    def show(**changes: Any) -> None:
        nonlocal stamp
        stamp += 10**8
        capture = msg.CaptureInfo(
            driver="c", sequence=stamp, exposure_us=1000.0, lens_driver="l", lens_move=1
        )
        capture.header.stamp = to_stamp(stamp)
        image = Image(**{**fine, **changes})
        image.header.stamp = capture.header.stamp
        captures.publish(capture)
        images.publish(image)

    def shown(condition: Callable[[], object], what: str, **changes: Any) -> None:
        """Publish a picture until it has its effect: best effort may lose one."""

        def try_again() -> object:
            show(**changes)
            probe.spin(1.0)
            return condition()

        probe.until(try_again, what)

    broken: list[dict[str, Any]] = [
        {"data": grey[: 64 * 20]},
        {"data": array.array("B")},
        {"height": 0},
        {"encoding": "jpeg"},
        {"encoding": "mono16"},
        {"step": 1},
        {"width": 4096},
    ]
    for n, changes in enumerate(broken, 1):
        shown(lambda n=n: bad() >= n, f"{changes.keys()} to be counted", **changes)
    assert not percepts
    shown(lambda: percepts, "a percept of the first whole picture")
    assert percepts[0].mean_grey == pytest.approx(90.0, abs=0.5)


def test_a_percept_with_nan_ends_the_goal(bare_graph: Graph) -> None:
    from dasha_ros.action import FocusOnObject

    graph = bare_graph
    graph.start(scripts={"perception": PROGRAMS / "nan_perception.py"})
    graph.until_active()
    result = graph.client().run("giraffe")
    assert result.error_code == FocusOnObject.Result.PERCEPT_INVALID, result.error_msg
    assert np.isfinite(result.lens_position)


@pytest.mark.parametrize(("policy", "says"), [("broken", "divided by nothing"), ("exiting", "SystemExit: 3")])
def test_a_bug_in_a_policy_ends_the_goal_not_the_node(bare_graph: Graph, policy: str, says: str) -> None:
    """The lens is restored, because the bug came after a move."""
    from dasha_ros.action import FocusOnObject
    from dasha_ros.msg import LensCommand

    from dasha_ros.ros.transport import qos

    graph = bare_graph
    graph.start(scripts={"low_level_agent": PROGRAMS / "broken_agent.py"}, low_level_agent={"policy": policy})
    graph.until_active()
    client = graph.client()
    commands = graph.probe.subscribe(LensCommand, "lens/command", qos.REWARD)
    for _ in range(2):
        result = client.run("motorcycle")
        assert result.error_code == FocusOnObject.Result.INTERNAL, result.error_msg
        assert result.lens_position != 60.0
        # The result may overtake the command that restored it.
        graph.probe.until(
            lambda position=result.lens_position: commands and commands[-1].position == position,
            "the command that restores the lens",
        )
        assert 60.0 in [command.position for command in commands]
        assert says in result.error_msg
    assert graph.probe.lifecycle_state("low_level_agent") == "active"


def test_a_policy_made_for_another_encoder_ends_the_goal_and_says_so(bare_graph: Graph) -> None:
    from dasha_ros.action import FocusOnObject

    graph = bare_graph
    graph.start(
        perception={"encoder": "efficientnet_lite0"},
        high_level_agent={"policy": "plus"},
        low_level_agent={"policy": "plus"},
    )
    graph.until_active()
    client = graph.client()
    for keep_exposure, agent in ((False, "exposure"), (True, "focus")):
        result = client.run("motorcycle", keep_exposure=keep_exposure)
        assert result.error_code == FocusOnObject.Result.POLICY_MISMATCH, result.error_msg
        assert f"'plus' of {agent} reads latents of the encoder efficientnet_lite0_grid" in result.error_msg
        assert "set perception's `encoder`" in result.error_msg
        assert (result.exposure_steps, result.focus_steps) == (0, 0)


def test_deactivating_the_server_ends_the_goal_and_restores(bare_graph: Graph) -> None:
    from dasha_ros.action import FocusOnObject
    from dasha_ros.msg import LensState
    from lifecycle_msgs.msg import Transition

    from dasha_ros.ros.transport import qos

    graph, probe = bare_graph, bare_graph.probe
    graph.start()
    graph.until_active()
    client = graph.client()
    lens = probe.subscribe(LensState, "lens/state", qos.STATE)
    probe.until(lambda: lens, "the lens's state")
    before = lens[-1].commanded_position
    goal = client.send("giraffe")
    goal.until_step(phase=2, step=2)

    assert change_state(probe, "focus_server", Transition.TRANSITION_DEACTIVATE)
    result = goal.result()
    assert result.error_code == FocusOnObject.Result.SHUTDOWN, result.error_msg
    probe.until(lambda: lens[-1].commanded_position == before, f"the lens back at {before} V")
    assert change_state(probe, "focus_server", Transition.TRANSITION_ACTIVATE)
    assert client.run("motorcycle").error_code == 0


def test_an_unwritable_report_only_causes_a_warning(bare_graph: Graph, tmp_path: Path) -> None:
    blocked = tmp_path / "a_file"
    blocked.write_text("no folder can be made below a file")
    graph = bare_graph
    graph.start(focus_server={"report_dir": blocked / "reports"})
    graph.until_active()
    unwritten = counter(graph, "focus_server", "unwritten_reports")
    result = graph.client().run("motorcycle")
    assert (result.error_code, result.report) == (0, "")
    graph.probe.until(lambda: unwritten() == 1, "the unwritten report to be counted")


@pytest.mark.parametrize("content", ["", "layers: 7", "this: [is: no: yaml", None])
def test_an_invalid_scene_leaves_the_old_one(graph: Graph, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "scene.yaml"
    if content is not None:
        path.write_text(content)
    answer = graph.probe.set_parameter("twin_world", "scene", str(path))
    assert not answer.successful
    assert str(path) in answer.reason
    assert graph.client().run("motorcycle").error_code == 0
