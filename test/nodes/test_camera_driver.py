"""The camera driver between two commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from graph import Graph

pytestmark = [pytest.mark.graph, pytest.mark.slow]

HERE = Path(__file__).parent


def test_a_command_that_comes_while_a_preview_starts_is_obeyed_first(bare_graph: Graph) -> None:
    # An abort has nothing to abort then. Forgotten, it would cost the wait for a preview frame.
    from dasha_ros import msg
    from dasha_ros.ros import qos
    from dasha_ros.ros.stamps import to_stamp

    graph, probe = bare_graph, bare_graph.probe
    graph.start("camera_driver", scripts={"camera_driver": HERE / "preview_camera_driver.py"})
    driver = graph.processes["camera_driver"]
    driver.wait_for_output("start_preview")
    command = msg.ExposureCommand(exposure_us=7_000.0)
    command.header.stamp = to_stamp(probe.node.get_clock().now().nanoseconds)
    probe.publisher(msg.ExposureCommand, "camera/exposure_command", qos.COMMAND).publish(command)
    driver.wait_for_output("capture 7000")
    asked = [line for line in driver.lines if line.split()[0] in {"start_preview", "latest", "capture"}]
    assert asked[:3] == ["capture 10000", "start_preview", "capture 7000"]
