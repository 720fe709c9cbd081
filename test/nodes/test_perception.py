"""The perception node in the test's own process, with models that fail."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import Image

from dasha_ros.devices.camera import EXPOSURE_LIMITS_US
from dasha_ros.nodes import perception
from dasha_ros.ros.node.condition import Level
from dasha_ros.ros.transport.image import ImageWriter
from dasha_ros.ros.transport.stamps import to_stamp

pytestmark = pytest.mark.graph


class Models:
    """Stands in for `perception.pipeline.Perception`."""

    encoder = SimpleNamespace(id="none", size=1)
    detector = SimpleNamespace(labels=["cat"])

    def __init__(self, trouble: str = "") -> None:
        self.trouble = trouble

    def warm_up(self) -> None:
        if self.trouble:
            raise RuntimeError(self.trouble)

    def perceive(self, *picture: Any) -> None:
        raise RuntimeError("out of memory")


@pytest.fixture
def node(ros_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[perception.PerceptionNode]:
    import rclpy

    monkeypatch.setattr(perception, "perception_of", lambda config: Models())
    rclpy.init(args=[])
    made = perception.PerceptionNode()
    yield made
    made.end()
    made.destroy_node()
    rclpy.try_shutdown()


def picture(node: perception.PerceptionNode, stamp_ns: int) -> Image:
    """Publish a picture that an agent waits for."""
    from dasha_ros import msg

    image = ImageWriter("frame").write(np.zeros((48, 64), np.uint8), "mono8")
    image.header.stamp = to_stamp(stamp_ns)
    capture = msg.CaptureInfo(
        driver="c", sequence=stamp_ns, exposure_us=EXPOSURE_LIMITS_US[0], lens_driver="l", lens_move=1
    )
    capture.header.stamp = image.header.stamp
    node._on_lens(
        msg.LensState(driver="l", sequence=1, move=1, position=40.0, commanded_position=40.0, settled=True)
    )
    node._on_capture(capture)
    return image


def told(node: perception.PerceptionNode) -> tuple[Level, str, int]:
    health = node.health
    return health.status().level, health.status().sentence, health.count("failed_frames", by=0)


def test_a_picture_that_breaks_the_models_is_counted_and_reported(node: perception.PerceptionNode) -> None:
    node.start()
    for n in (1, 2):
        node._on_image(picture(node, n * 10**9))
        assert told(node) == (Level.ERROR, "perception failed: RuntimeError: out of memory", n)


def test_models_that_do_not_start_are_reported_and_may_be_tried_again(
    node: perception.PerceptionNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(perception, "perception_of", lambda config: Models("no memory left"))
        assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert told(node)[:2] == (Level.ERROR, "perception could not configure: no memory left")
    assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS


def test_messages_from_before_a_clean_up_are_forgotten(node: perception.PerceptionNode) -> None:
    assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
    image = picture(node, 10**9)
    node._on_image(image)
    assert node.trigger_cleanup() == TransitionCallbackReturn.SUCCESS
    node.start()
    node._look()
    assert told(node)[2] == 0
    assert node._pending.lens is None
