"""The shipped Fast DDS profile lets best-effort full frames through, process to process."""

from __future__ import annotations

import statistics
import zlib
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from sensor_msgs.msg import Image
from std_msgs.msg import UInt32

from dasha_ros.ros.transport import qos

FRAMES = 60
TALKER = Path(__file__).with_name("image_talker.py")


@pytest.mark.graph
def test_every_full_frame_arrives_whole(spawn, probe, record_property):
    spawn.python(str(TALKER), "--ros-args", "-r", "__ns:=/dasha")
    frames, latencies_ms = [], []

    def on_image(image: Image) -> None:
        sent_ns = image.header.stamp.sec * 10**9 + image.header.stamp.nanosec
        latencies_ms.append((probe.node.get_clock().now().nanoseconds - sent_ns) / 1e6)
        pixels = np.frombuffer(image.data, np.uint8)
        frames.append((int(pixels[0]), zlib.crc32(pixels[1:])))

    probe.node.create_subscription(Image, "image", on_image, qos.IMAGE)
    seen = probe.publisher(UInt32, "seen", qos.COMMAND)
    probe.until(lambda: probe.node.count_publishers("/dasha/image") == 1, "the talker's image topic")

    # The first frame may be published before this process listens: ask until it comes.
    for _ in range(50):
        seen.publish(UInt32(data=0))
        probe.spin(0.1)
        if frames:
            break
    frames.clear()
    latencies_ms.clear()
    for n in range(FRAMES):
        seen.publish(UInt32(data=n))
        probe.until(lambda n=n: len(frames) > n, f"frame {n}")

    expected = np.random.default_rng(0).integers(0, 256, 2048 * 1088, np.uint8)
    assert frames == [(n, zlib.crc32(expected[1:])) for n in range(FRAMES)]
    record_property("image_transport_ms_p50", statistics.median(latencies_ms))
    print(f"{FRAMES} frames of 2048 x 1088 mono8, p50 {statistics.median(latencies_ms):.1f} ms")
