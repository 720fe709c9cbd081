"""Colour and twelve bits through the real camera driver, and what perception makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from emulated import emulated
from graph import Graph
from ros_harness import command

pytest.importorskip("rclpy", reason="ROS is not installed: scripts/setup installs it")
pytest.importorskip("pypylon", reason="pypylon is not installed: scripts/setup --hardware installs it")
pytest.importorskip("serial", reason="pyserial is not installed: scripts/setup --hardware installs it")

pytestmark = [pytest.mark.graph, pytest.mark.slow]


def test_every_encoding_is_published_and_perceived_the_same(bare_graph: Graph, tmp_path: Path) -> None:
    from sensor_msgs.msg import Image

    from dasha_ros import msg
    from dasha_ros.ros.transport import qos
    from dasha_ros.ros.transport.image import pixels_of

    graph, probe = bare_graph, bare_graph.probe
    graph.start("twin_world", "lens_driver", "perception", **emulated(tmp_path))
    greys = {}
    for n, encoding in enumerate(("mono8", "mono16", "rgb8"), 1):
        parameters = emulated(tmp_path)
        for node in ("device_emulator", "camera_driver"):
            parameters[node]["encoding"] = encoding
            graph.start(node, **parameters)
        graph.until_active()
        images = probe.subscribe(Image, "camera/image_raw", qos.IMAGE)
        percepts = probe.subscribe(msg.Percept, "perception/percept", qos.PERCEPT)
        exposures = probe.publisher(msg.ExposureCommand, "camera/exposure_command", qos.COMMAND, matched=2)
        asked = command(msg.ExposureCommand, exposure_us=12_000.0)
        exposures.publish(asked)
        probe.until(
            lambda asked=asked, percepts=percepts, images=images: (
                images and [p for p in percepts if p.capture.exposure_command == asked.id]
            ),
            f"a picture and a percept of {encoding}",
        )
        assert images[-1].encoding == encoding
        pixels = pixels_of(images[-1])
        assert pixels.shape == ((340, 640, 3) if encoding == "rgb8" else (340, 640))
        if encoding == "mono16":
            assert not np.any(pixels & 0xF)  # 12 bits, the upper ones
            assert pixels.max() > 4095
        greys[encoding] = percepts[-1].mean_grey
        assert greys[encoding] > 20, n
        for node in ("camera_driver", "device_emulator"):
            graph.processes.pop(node).stop()
        probe.node.destroy_publisher(exposures)
    assert greys["mono16"] == pytest.approx(greys["mono8"], rel=0.05)
    assert greys["rgb8"] == pytest.approx(greys["mono8"], rel=0.05)
