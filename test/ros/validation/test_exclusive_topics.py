"""A node repeats its state while a stranger publishes its topic, and a few times after that."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ros_harness import Probe

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.ros.node.condition import Level
from dasha_ros.ros.validation.exclusive_topics import ExclusiveTopics
from dasha_ros.ros.validation.publishers import publishers_of

OWNER, STRANGER = "lens_driver", "stranger"


class Node:
    """Stands in for a node that sees publishers; no executor serves it."""

    def __init__(self) -> None:
        self.publishing = [OWNER]

    def resolve_topic_name(self, topic: str) -> str:
        return f"/dasha/{topic}"

    def get_publishers_info_by_topic(self, topic: str) -> list[Any]:
        assert topic == "/dasha/lens/state"
        return [SimpleNamespace(node_namespace="/dasha", node_name=name) for name in self.publishing]


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def said(node: Node) -> list[str]:
    return []


@pytest.fixture
def topics(node: Node, said: list[str]) -> ExclusiveTopics:
    topics = ExclusiveTopics(node)  # type: ignore[arg-type]
    topics.add("lens/state", lambda: said.append("again"))
    return topics


def looks(topics: ExclusiveTopics, times: int) -> None:
    for _ in range(times):
        topics.look()


def test_without_a_stranger_nothing_is_repeated(topics: ExclusiveTopics, said: list[str]) -> None:
    looks(topics, 10)
    assert said == []
    assert topics.condition() is None


def test_while_a_stranger_publishes_the_owner_repeats_itself_and_warns(
    topics: ExclusiveTopics, node: Node, said: list[str]
) -> None:
    node.publishing = [OWNER, STRANGER]
    looks(topics, 10)
    assert len(said) == 10, "at each look"
    condition = topics.condition()
    assert condition is not None
    assert condition.level == Level.WARN
    assert "/dasha/lens_driver and /dasha/stranger" in condition.sentence


def test_the_owner_has_the_last_word_when_the_stranger_leaves(
    topics: ExclusiveTopics, node: Node, said: list[str]
) -> None:
    node.publishing = [OWNER, STRANGER]
    looks(topics, 1)
    node.publishing = [OWNER]
    said.clear()
    looks(topics, 10)
    # The stranger may have filled the queues until it left, so only what the owner says now gets through.
    assert 1 <= len(said) < 10
    assert topics.condition() is None
    said.clear()
    looks(topics, 10)
    assert said == [], "it comes to an end"


def test_a_stranger_that_comes_back_is_answered_again(
    topics: ExclusiveTopics, node: Node, said: list[str]
) -> None:
    for _ in range(3):
        node.publishing = [OWNER, STRANGER]
        looks(topics, 1)
        node.publishing = [OWNER]
        looks(topics, 10)
        assert len(said) >= 2
        said.clear()


def test_a_node_that_stopped_repeats_nothing(topics: ExclusiveTopics, node: Node, said: list[str]) -> None:
    node.publishing = [OWNER, STRANGER]
    topics.look()
    topics.clear()
    said.clear()
    looks(topics, 5)
    assert said == []
    assert topics.condition() is None


@pytest.mark.graph
def test_a_late_subscriber_hears_the_owner_although_a_stranger_published_last(probe: Probe) -> None:
    # All publishers of a topic share the reader's queue, which must hold more than the last message.
    import rclpy

    from dasha_ros import msg
    from dasha_ros.ros.transport import qos
    from dasha_ros.ros.validation.subscribe import subscribe

    nodes = {
        name: rclpy.create_node(name, namespace="/dasha", context=probe.context, enable_rosout=False)
        for name in (OWNER, STRANGER)
    }
    publishers = {
        name: node.create_publisher(msg.LensState, "lens/state", qos.STATE) for name, node in nodes.items()
    }

    def speak(name: str) -> None:
        position = 40.0 if name == OWNER else 60.0
        driver = f"/dasha/{name}#1"
        publishers[name].publish(msg.LensState(driver=driver, position=position, commanded_position=position))

    topics = ExclusiveTopics(nodes[OWNER])
    topics.add("lens/state", lambda: speak(OWNER))
    speak(OWNER)
    probe.until(lambda: len(publishers_of(nodes[OWNER], "lens/state")) == 2, "the stranger to be seen")
    heard: list[float] = []
    subscribe(probe.node, msg.LensState, "lens/state", lambda state: heard.append(state.position), qos.STATE)
    probe.until(lambda: publishers[STRANGER].get_subscription_count() == 1, "a listener that came late")

    def flooded() -> bool:
        topics.look()
        for _ in range(10):
            speak(STRANGER)
        return len(heard) > 2

    # The stranger always has the last word, and still the owner gets through.
    probe.until(flooded, "the owner to be heard")
    assert set(heard) == {40.0}
    for node in nodes.values():
        node.destroy_node()
