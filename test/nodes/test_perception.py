"""The perception node in the test's own process, with models that fail."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from analytic_rig import AnalyticRig
from lamps import Camera, cosine, preview_times
from ros_harness import PATIENCE_S

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import Image

from dasha_ros.devices.camera import EXPOSURE_LIMITS_US
from dasha_ros.nodes import perception
from dasha_ros.perception.errors import ModelError
from dasha_ros.ros.node.condition import Level
from dasha_ros.ros.perception.flicker_glances import FlickerGlances
from dasha_ros.ros.perception.lost_pictures import SENTENCE
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

    def perceive(self, *picture: Any, **more: Any) -> None:
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


BLACK = np.zeros((48, 64), np.uint8)


def picture(
    node: perception.PerceptionNode,
    stamp_ns: int,
    pixels: np.ndarray = BLACK,
    exposure_us: float = EXPOSURE_LIMITS_US[0],
    command: int = 0,
) -> Image:
    """Publish the settings of a picture: an agent waits for the first one of each command."""
    from dasha_ros import msg

    image = ImageWriter("frame").write(pixels, "mono8")
    image.header.stamp = to_stamp(stamp_ns)
    capture = msg.CaptureInfo(
        driver="c", sequence=stamp_ns, exposure_us=exposure_us, lens_driver="l", lens_move=1
    )
    if command:
        capture.exposure_command = msg.CommandId(sender="h", sequence=command)
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


def test_pictures_that_get_lost_on_their_way_are_reported(node: perception.PerceptionNode) -> None:
    """As without the profile of Fast DDS, or from another machine."""
    node.start()
    seconds = itertools.count()
    node._lost._now_ns = lambda: next(seconds) * 10**9
    images = [picture(node, n * 10**9) for n in range(8)]
    assert node.health.conditions()["lost"] == (Level.WARN, SENTENCE)
    node._on_image(images[-1])
    assert "lost" not in node.health.conditions()


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


class OpenDetector:
    """Takes every word but one."""

    def __init__(self) -> None:
        self.labels, self.takes_words = ["cup"], True

    def look_for(self, words: list[str]) -> None:
        if "unreadable" in words:
            raise ModelError("can't read the words unreadable")
        self.labels = list(words)


def asked_for(node: perception.PerceptionNode, words: list[str]) -> str:
    """Set the parameter as the focus server does; the reason, if it is refused."""
    from rclpy.parameter import Parameter

    return str(node.set_parameters_atomically([Parameter("detector_classes", value=words)]).reason)


def test_the_words_of_a_goal_reach_an_open_detector_and_the_graph_is_told(
    node: perception.PerceptionNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    models, detector = Models(), OpenDetector()
    monkeypatch.setattr(models, "detector", detector)
    monkeypatch.setattr(perception, "perception_of", lambda config: models)
    told: list[Any] = []
    monkeypatch.setattr(node, "_publish_info", lambda: told.append((list(detector.labels), node._words)))
    assert asked_for(node, ["mug"]) == "", "nothing is loaded yet, so the words wait"
    node.start()
    assert asked_for(node, ["mug", "a red door"]) == ""
    assert told[-1] == (["mug", "a red door"], detector)
    assert asked_for(node, ["unreadable"]) == "can't read the words unreadable"
    assert asked_for(node, []).startswith("detector_classes: an empty list counts only when")
    assert detector.labels == node.config.detector_classes == ["mug", "a red door"]


def test_a_detector_with_classes_of_its_own_refuses_words(node: perception.PerceptionNode) -> None:
    node.start()
    assert node._words is None
    assert asked_for(node, ["mug"]) == "detector_classes: yolov3_tiny can't be told in words what to look for"


class Seeing(Models):
    """Reads every picture, and keeps its pixels as `perception.pipeline.Perception` does."""

    def perceive(self, *picture: Any, **more: Any) -> Any:
        self.shown, _, capture, lens = picture[:4]
        return replace(AnalyticRig().observe(), capture=capture, lens=lens)

    def picture(self, percept: Any) -> np.ndarray:
        return np.asarray(self.shown)


def test_previews_under_a_lamp_are_told_with_the_next_percept(
    node: perception.PerceptionNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The picture that a command waits for comes last, and no picture was taken for the flicker."""
    monkeypatch.setattr(perception, "perception_of", lambda config: Seeing())
    node.start()
    told: list[Any] = []
    monkeypatch.setattr(node._percept_publisher, "publish", told.append)
    now = SimpleNamespace(ns=0)
    monkeypatch.setattr(node, "_flicker", FlickerGlances(lambda: now.ns))
    random = np.random.default_rng(6)
    camera = Camera(random, 2e-3)
    *previews, last = preview_times(random, 25)
    for at_s in previews:
        now.ns = round(at_s * 1e9)
        node._on_image(picture(node, now.ns, camera.picture(at_s, cosine(120.0, 0.4, 0.0)), 2000.0))
    assert [percept.flicker_hz for percept in told] == [0.0], "only the first picture was waited for"
    node._on_image(picture(node, round(last * 1e9), camera.picture(last, np.ones_like), 2000.0, command=1))
    assert told[-1].flicker_hz == 120.0
    assert node._flicker.values()["flicker_hz"] == 120.0


class Slow(Seeing):
    """Reads a picture only when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.reads, self.may = threading.Event(), threading.Event()

    def perceive(self, *picture: Any, **more: Any) -> Any:
        self.reads.set()
        assert self.may.wait(PATIENCE_S)
        return super().perceive(*picture, **more)


def test_a_picture_that_is_just_read_is_published_before_the_node_is_inactive(
    node: perception.PerceptionNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Afterwards the node waits until its last messages have arrived."""
    from dasha_ros.ros.transport import qos

    models, order, is_inactive = Slow(), list[str](), threading.Event()
    monkeypatch.setattr(perception, "perception_of", lambda config: models)
    node.start()

    def publish(message: Any) -> None:
        is_inactive.wait(0.5)  # If nothing holds the node back, it is inactive by then.
        order.append("percept")

    monkeypatch.setattr(node._percept_publisher, "publish", publish)
    image = picture(node, 10**9)
    camera = node.create_publisher(Image, "camera/image_raw", qos.IMAGE)
    end = time.monotonic() + PATIENCE_S
    while not models.reads.wait(0.05):
        assert time.monotonic() < end
        camera.publish(image)

    def deactivate() -> None:
        node.trigger_deactivate()
        order.append("inactive")
        is_inactive.set()

    thread = threading.Thread(target=deactivate)
    thread.start()
    while node.is_active:
        assert time.monotonic() < end
    models.may.set()
    thread.join(PATIENCE_S)
    assert order == ["percept", "inactive"]
    node.destroy_publisher(camera)
