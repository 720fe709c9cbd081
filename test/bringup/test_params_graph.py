"""Parameter files choose the camera that each real driver opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")
pytest.importorskip("pypylon", reason="pypylon is not installed: scripts/setup --hardware installs it")

from lifecycle_msgs.msg import Transition
from rcl_interfaces.srv import GetParameters, ListParameters
from rclpy.parameter import parameter_value_to_python
from ros_harness import Child, Probe, Spawner
from transitions import change_state

from dasha_ros.bringup.graph import Options, describe

pytestmark = pytest.mark.graph

BOTH = """
/left/camera_driver: {ros__parameters: {serial: 111}}
/right/camera_driver: {ros__parameters: {serial: '0222'}}
/**/camera_driver: {ros__parameters: {preview_rate_hz: 3.0}}
/nav/planner: {ros__parameters: {rate: 5}}
"""


def start(spawn: Spawner, namespace: str, path: Path) -> Child:
    """The camera driver of a graph that is described with a file."""
    graph = describe(Options(namespace=namespace, rig="hardware", params_file=str(path)))
    (process,) = (p for p in graph.processes if p.name == "camera_driver")
    return spawn.python(*process.command()[1:], env=process.environment)


def dump(probe: Probe, node: str) -> dict[str, Any]:
    """What ``ros2 param dump`` writes: names in groups, and the node's full name on top."""
    names = probe.call(ListParameters, f"{node}/list_parameters", ListParameters.Request()).result.names
    got = probe.call(GetParameters, f"{node}/get_parameters", GetParameters.Request(names=names))
    groups: dict[str, Any] = {}
    for name, value in zip(names, map(parameter_value_to_python, got.values), strict=True):
        *outer, inner = name.split(".")
        group = groups
        for part in outer:
            group = group.setdefault(part, {})
        group[inner] = value
    return {node: {"ros__parameters": groups}}


def test_each_driver_opens_the_camera_of_its_namespace(probe: Probe, spawn: Spawner, tmp_path: Path) -> None:
    path = tmp_path / "both.yaml"
    path.write_text(BOTH)
    left, right = start(spawn, "/left", path), start(spawn, "/right", path)
    left.wait_for_output("no camera '111' is there")
    right.wait_for_output("no camera '0222' is there")

    # Another camera, without another process.
    node = "/right/camera_driver"
    answer = probe.set_parameter(node, "serial", "333")
    assert not answer.successful
    assert "deactivate it and clean it up first" in answer.reason
    assert change_state(probe, node, Transition.TRANSITION_DEACTIVATE)
    assert change_state(probe, node, Transition.TRANSITION_CLEANUP)
    answer = probe.set_parameter(node, "serial", 333)
    assert answer.successful, answer.reason
    assert change_state(probe, node, Transition.TRANSITION_CONFIGURE)
    assert change_state(probe, node, Transition.TRANSITION_ACTIVATE)
    right.wait_for_output("no camera '333' is there")

    # Dump, edit, launch again.
    written = dump(probe, node)
    assert written[node]["ros__parameters"]["preview_rate_hz"] == 3.0
    written[node]["ros__parameters"]["serial"] = "444"
    path.write_text(yaml.dump(written, default_flow_style=False))
    right.send(2)
    probe.until(lambda: right.returncode is not None, "the end of the driver")
    again = start(spawn, "/right", path)
    again.wait_for_output("no camera '444' is there")
    assert dump(probe, node) == written
