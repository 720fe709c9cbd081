"""The whole graph on a camera node of another package, which paints the twin's scene."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from graph import NODES, Graph

pytest.importorskip("rclpy", reason="ROS is not installed: scripts/setup installs it")
from dasha_ros.msg import CaptureInfo
from lifecycle_msgs.msg import Transition
from rcl_interfaces.srv import GetParameters
from rclpy.parameter import parameter_value_to_python
from transitions import change_state

from dasha_ros.ros.transport import qos

pytestmark = pytest.mark.graph

PROGRAM = Path(__file__).resolve().parents[1] / "programs" / "scripted_camera_node.py"
PROFILE = """\
unit: D
position_min: 0.0
position_max: 5.0
resolution: 0.025
points:
  - {position: 0.0, distance_m: .inf}
  - {position: 5.0, distance_m: 0.2}
"""


def automatics(graph: Graph) -> list[object]:
    """What the driver does by itself: exposure and focus."""
    request = GetParameters.Request(names=["AeEnable", "AfMode"])
    answer = graph.probe.call(GetParameters, "/camera/get_parameters", request)
    return [parameter_value_to_python(value) for value in answer.values]


def test_a_goal_is_reached_through_another_packages_driver(bare_graph: Graph, tmp_path: Path) -> None:
    script = {"twin": True, "lag": 2, "focus_lag": 2, "rate_hz": 15}
    driver = bare_graph.spawner(sys.executable, str(PROGRAM), json.dumps(script))
    driver.wait_for_output("the scripted camera runs")
    profile = tmp_path / "lens.yaml"
    profile.write_text(PROFILE)
    device = {"backend": "ros_driver", "driver": "camera_ros"}
    nodes = [name for name in NODES if name != "twin_world"]
    bare_graph.start(*nodes, camera_driver=device, lens_driver={**device, "profile": profile})
    captures = bare_graph.probe.subscribe(CaptureInfo, "camera/capture", qos.CAPTURE)
    bare_graph.until_active()
    # The nodes are active before the driver has been discovered.
    bare_graph.probe.until(lambda: captures, "the first picture")
    result = bare_graph.client().run("motorcycle", timeout_s=180.0)
    assert result.error_code == 0, result.error_msg
    assert result.lens_unit == "D"
    (report,) = bare_graph.report_dir.iterdir()
    record = json.loads((report / "report.json").read_text())
    assert {step["lens"]["unit"] for step in record["steps"]} == {"D"}
    assert automatics(bare_graph) == [False, 0]
    for node in ("camera_driver", "lens_driver"):
        assert change_state(bare_graph.probe, node, Transition.TRANSITION_DEACTIVATE)
    assert automatics(bare_graph) == [True, 2]
