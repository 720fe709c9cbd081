"""The shipped Fast DDS profiles let all messages through, even if a process is killed."""

from __future__ import annotations

import random
import statistics
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from ros_harness import PATIENCE_S
from sensor_msgs.msg import Image
from std_msgs.msg import String, UInt32

from dasha_ros.bringup.graph import profile_of
from dasha_ros.ros.transport import qos

FRAMES, FIRST = 60, 255
KILLS = 20
LISTENER = Path(__file__).with_name("killed_listener.py")
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

    def asked() -> list[tuple[int, int]]:
        """The frames beside the first ones, of which one that was asked for twice may come at any time."""
        return [frame for frame in frames if frame[0] != FIRST]

    # The first frame may be published before this process listens: ask until it comes.
    def heard() -> bool:
        seen.publish(UInt32(data=FIRST))
        probe.spin(0.1)
        return bool(frames)

    probe.until(heard, "a first frame")
    latencies_ms.clear()
    for n in range(FRAMES):
        seen.publish(UInt32(data=n))
        probe.until(lambda n=n: len(asked()) > n, f"frame {n}")

    expected = np.random.default_rng(0).integers(0, 256, 2048 * 1088, np.uint8)
    assert asked() == [(n, zlib.crc32(expected[1:])) for n in range(FRAMES)]
    record_property("image_transport_ms_p50", statistics.median(latencies_ms))
    print(f"{FRAMES} frames of 2048 x 1088 mono8, p50 {statistics.median(latencies_ms):.1f} ms")


@pytest.mark.graph
def test_whoever_listens_may_be_killed_again_and_again(spawn, probe):
    """Of messages as large as percepts and annotated pictures none is lost to the listener after the last.

    Through shared memory, what waited for the dead cuts up the sender's segment: after about three kills
    small messages arrive, and large ones never more.
    """
    draw = random.Random(5)
    percepts = probe.publisher(String, "percept", qos.PERCEPT, matched=0)
    pictures = probe.publisher(String, "picture", qos.IMAGE, matched=0)
    words = probe.publisher(String, "word", qos.STATE, matched=0)
    heard: list[str] = []
    probe.node.create_subscription(String, "heard", lambda m: heard.append(m.data), qos.DIAGNOSTICS)

    def talk(condition):
        until = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < until, f"heard of the listener: {heard[-3:]}"
            for publisher, size in ((percepts, 42_000), (pictures, 90_000), (words, 300)):
                publisher.publish(String(data="x" * draw.randrange(size, size + size // 4)))
            probe.spin(0.02)

    for number in range(KILLS):
        heard.clear()
        listener = spawn.python(
            str(LISTENER), "--ros-args", "-r", "__ns:=/dasha", env=profile_of("focus_server", {})
        )
        talk(lambda: {"percept", "picture"} <= set(heard))
        listener.kill()
        # Until its lease runs out, what is sent waits for the dead.
        ends = time.monotonic() + 0.5 + draw.random()
        talk(lambda ends=ends: time.monotonic() > ends)
        print(f"listener {number + 1} was heard")
