"""The camera driver between two commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from graph import Graph
from ros_harness import Child, wait_for

pytestmark = [pytest.mark.graph, pytest.mark.slow]

HERE = Path(__file__).parent


def _start(graph: Graph, **parameters: Any) -> Child:
    script = HERE / "preview_camera_driver.py"
    graph.start("camera_driver", scripts={"camera_driver": script}, camera_driver=parameters)
    return graph.processes["camera_driver"]


def test_a_slow_preview_needs_no_stream_that_a_command_would_have_to_wait_for(bare_graph: Graph) -> None:
    driver = _start(bare_graph, preview_rate_hz=5.0)
    wait_for(lambda: driver.lines.count("capture 10000") >= 4, "four pictures of a preview")
    assert "start_preview" not in driver.lines


def test_a_command_that_comes_while_a_preview_starts_is_obeyed_first(bare_graph: Graph) -> None:
    # An abort has nothing to abort then. Forgotten, it would cost the wait for a preview frame.
    from dasha_ros import msg
    from dasha_ros.ros import qos
    from dasha_ros.ros.stamps import to_stamp

    graph, probe = bare_graph, bare_graph.probe
    driver = _start(graph, preview_rate_hz=20.0)
    driver.wait_for_output("start_preview")
    command = msg.ExposureCommand(exposure_us=7_000.0)
    command.header.stamp = to_stamp(probe.node.get_clock().now().nanoseconds)
    probe.publisher(msg.ExposureCommand, "camera/exposure_command", qos.COMMAND).publish(command)
    driver.wait_for_output("capture 7000")
    asked = [line for line in driver.lines if line.split()[0] in {"start_preview", "latest", "capture"}]
    assert asked[:3] == ["capture 10000", "start_preview", "capture 7000"]


def test_a_picture_under_known_settings_is_told_of_too(bare_graph: Graph) -> None:
    """Later than one under new settings, but told: whoever waits for the lens sees that it has arrived."""
    from dasha_ros import msg
    from dasha_ros.ros import qos
    from dasha_ros.ros.stamps import to_ns, to_stamp

    graph, probe = bare_graph, bare_graph.probe
    graph.start("twin_world", "camera_driver", "lens_driver", camera_driver={"preview_rate_hz": 0.0})
    graph.until_active()
    states = probe.subscribe(msg.CaptureInfo, "camera/state", qos.STATE)
    lens = probe.subscribe(msg.LensState, "lens/state", qos.STATE)
    probe.until(lambda: states and lens, "the first picture and state")
    publisher = probe.publisher(msg.LensCommand, "lens/command", qos.COMMAND)
    for volts in (41.0, 45.0, 43.0):
        command = msg.LensCommand(volts=volts)
        command.header.stamp = to_stamp(probe.node.get_clock().now().nanoseconds)
        publisher.publish(command)
        probe.until(lambda volts=volts: lens[-1].commanded_volts == volts, "the lens to obey")
        probe.until(
            lambda: to_ns(states[-1].header.stamp) >= to_ns(lens[-1].settled_at),
            "the state of a picture that shows the move",
        )
    assert len({to_ns(state.exposure_command) for state in states}) == 1
