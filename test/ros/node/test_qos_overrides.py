"""The quality of service that a user gives with ROS 2's own parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

import rclpy
from rclpy.qos import HistoryPolicy, ReliabilityPolicy
from ros_harness import Probe, wait_for
from sensor_msgs.msg import Image

from dasha_ros import msg
from dasha_ros.config import ConfigError, TwinWorldConfig
from dasha_ros.ros.node.node import DashaNode
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.fast_subscriber import FastSubscriber
from dasha_ros.ros.validation.subscribe import subscribe

pytestmark = pytest.mark.graph

IMAGE = "qos_overrides./dasha/camera/image_raw"
STATE = "qos_overrides./dasha/lens/state"


class Lamp(DashaNode[TwinWorldConfig]):
    """A node with a few topics."""

    config_model = TwinWorldConfig


@pytest.fixture
def node(ros_env: dict[str, str]) -> Iterator[Callable[..., Lamp]]:
    made: list[Lamp] = []

    def make(**given: str) -> Lamp:
        arguments = [part for key, value in given.items() for part in ("-p", f"{key}:={value}")]
        rclpy.init(args=["--ros-args", "-r", "__ns:=/dasha", *arguments])
        made.append(Lamp("lamp"))
        return made[-1]

    yield make
    for lamp in made:
        lamp.destroy_node()
    rclpy.try_shutdown()


def policies(entity: Any) -> tuple[ReliabilityPolicy, int]:
    profile = entity.qos_profile
    return profile.reliability, profile.depth


def test_publishers_take_the_users_values(node: Callable[..., Lamp]) -> None:
    lamp = node(**{f"{IMAGE}.publisher.reliability": "reliable", f"{IMAGE}.publisher.depth": "7"})
    publisher = lamp.create_publisher(Image, "camera/image_raw", qos.IMAGE)
    assert policies(publisher) == (ReliabilityPolicy.RELIABLE, 7)
    assert lamp.get_parameter(f"{IMAGE}.publisher.depth").value == 7
    assert (qos.IMAGE.reliability, qos.IMAGE.depth) == (ReliabilityPolicy.BEST_EFFORT, 1), "the default stays"
    other = lamp.create_publisher(Image, "other/image_raw", qos.IMAGE)
    assert policies(other) == (ReliabilityPolicy.BEST_EFFORT, 1)


def test_every_way_to_subscribe_takes_the_users_values(node: Callable[..., Lamp]) -> None:
    lamp = node(
        **{
            f"{IMAGE}.subscription.reliability": "reliable",
            f"{STATE}.subscription.depth": "33",
            f"{STATE}.subscription.history": "keep_all",
        }
    )
    subscriber = FastSubscriber(lamp)
    subscriber.listen(Image, "camera/image_raw", lambda message: None, qos.IMAGE)
    (image,) = [s for s in lamp.subscriptions if s.topic_name.endswith("image_raw")]
    assert policies(image) == (ReliabilityPolicy.RELIABLE, 1)
    subscriber.close()
    state = subscribe(lamp, msg.LensState, "lens/state", lambda message: None, qos.STATE)
    assert state.qos_profile.history is HistoryPolicy.KEEP_ALL
    assert lamp.get_parameter(f"{STATE}.subscription.depth").value == 33


def test_a_topic_may_be_made_again(node: Callable[..., Lamp]) -> None:
    """As every clean-up and configuration does."""
    lamp = node(**{f"{IMAGE}.publisher.depth": "7"})
    for _ in range(2):
        publisher = lamp.create_publisher(Image, "camera/image_raw", qos.IMAGE)
        assert policies(publisher)[1] == 7
        lamp.destroy_publisher(publisher)


@pytest.mark.parametrize(
    ("policy", "value", "reason"),
    [("reliability", "sure", "write reliable or best_effort"), ("depth", "0", "whole number from 1"),
     ("depth", "deep", "whole number from 1"), ("depth", "true", "whole number from 1"),
     ("history", "long", "write keep_last or keep_all"), ("durability", "volatile", "only history, depth")],
)  # fmt: skip
def test_an_impossible_value_is_refused_with_its_name(
    node: Callable[..., Lamp], policy: str, value: str, reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason) as refused:
        node(**{f"{IMAGE}.publisher.{policy}": value})
    assert f"{IMAGE}.publisher.{policy} = " in str(refused.value)


def test_a_policy_of_another_packages_topic_is_refused_by_the_node_that_uses_it(
    node: Callable[..., Lamp],
) -> None:
    lamp = node(**{"qos_overrides./yolo/detections.subscription.durability": "volatile"})
    with pytest.raises(ConfigError, match="only history, depth"):
        lamp.create_subscription(Image, "/yolo/detections", print, qos.IMAGE)


def look_until_told(lamp: Lamp) -> None:
    """Another node listens to the lens, and the lamp looks long enough to know the graph."""
    other = rclpy.create_node("other", namespace="/dasha")
    other.create_subscription(msg.LensState, "lens/state", print, qos.STATE)
    wait_for(lambda: lamp.count_subscribers("/dasha/lens/state"), "the other node")
    for _ in range(100):
        lamp._qos_overrides.look()
    other.destroy_node()


def test_an_override_for_a_node_that_loads_slowly_is_no_mistake(
    node: Callable[..., Lamp], capfd: Any
) -> None:
    lamp = node(**{f"{STATE}.subscription.depth": "8"})
    for _ in range(20):
        lamp._qos_overrides.look()
    look_until_told(lamp)
    assert "has no effect" not in capfd.readouterr().err


def test_the_clock_takes_the_users_values(node: Callable[..., Lamp]) -> None:
    """rclpy subscribes to it in its own constructor."""
    lamp = node(**{"use_sim_time": "true", "qos_overrides./clock.subscription.reliability": "reliable"})
    (clock,) = [s for s in lamp.subscriptions if s.topic_name == "/clock"]
    assert clock.qos_profile.reliability is ReliabilityPolicy.RELIABLE


def test_overrides_without_an_effect_are_told_once(node: Callable[..., Lamp], capfd: Any) -> None:
    lamp = node(
        **{
            f"{IMAGE}.publisher.depth": "7",
            f"{STATE}.subscription.depth": "8",
            "qos_overrides./dasha/camera/imgae_raw.publisher.depth": "9",
            "qos_overrides.camera/image_raw.publisher.depth": "9",
            f"{IMAGE}.subscriber.depth": "9",
            "qos_overrides./tf.publisher.depth": "9",
        }
    )
    lamp.create_publisher(Image, "camera/image_raw", qos.IMAGE)
    look_until_told(lamp)
    said = [line for line in capfd.readouterr().err.splitlines() if "has no effect" in line]
    assert len(said) == 3, said
    assert "imgae_raw.publisher.depth has no effect: no node has a publisher of" in " ".join(said)
    assert "which begins with a slash, instead of 'camera/image_raw'" in " ".join(said)
    assert "write publisher or subscription instead of 'subscriber'" in " ".join(said)


def test_somebody_who_needs_every_image_gets_them(node: Callable[..., Lamp], probe: Probe) -> None:
    lamp = node(**{f"{IMAGE}.publisher.reliability": "reliable", f"{IMAGE}.publisher.depth": "50"})
    publisher = lamp.create_publisher(Image, "camera/image_raw", qos.IMAGE)
    heard = probe.subscribe(Image, "camera/image_raw", qos._profile(reliable=True, depth=50))
    probe.until(lambda: publisher.get_subscription_count() == 1, "the match")
    for n in range(30):
        publisher.publish(Image(width=n))
    probe.until(lambda: len(heard) == 30, "every image")
    assert [image.width for image in heard] == list(range(30))
