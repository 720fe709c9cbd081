"""A node says again what is in force while a stranger speaks on its topic, and a few times after that."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ros_harness import Probe

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.ros.node.condition import Level
from dasha_ros.ros.validation.owned import Owned
from dasha_ros.ros.validation.owners import publishers_of

OWNER, STRANGER = "lens_driver", "stranger"


class Node:
    """Sees who publishes; nobody serves it."""

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
def owned(node: Node, said: list[str]) -> Owned:
    owned = Owned(node)  # type: ignore[arg-type]
    owned.add("lens/state", lambda: said.append("again"))
    return owned


def looks(owned: Owned, times: int) -> None:
    for _ in range(times):
        owned.look()


def test_who_is_alone_says_nothing_twice(owned: Owned, said: list[str]) -> None:
    looks(owned, 10)
    assert said == []
    assert owned.condition() is None


def test_while_a_stranger_speaks_the_owner_says_again_and_tells_of_it(
    owned: Owned, node: Node, said: list[str]
) -> None:
    node.publishing = [OWNER, STRANGER]
    looks(owned, 10)
    assert len(said) == 10, "at each look"
    condition = owned.condition()
    assert condition is not None
    assert condition.level == Level.WARN
    assert "/dasha/lens_driver and /dasha/stranger" in condition.sentence


def test_what_a_stranger_said_last_is_followed_by_the_owners_word(
    owned: Owned, node: Node, said: list[str]
) -> None:
    node.publishing = [OWNER, STRANGER]
    looks(owned, 1)
    node.publishing = [OWNER]
    said.clear()
    looks(owned, 10)
    # The stranger may have filled queues up to the moment when it left: nothing follows but what is said now.
    assert 1 <= len(said) < 10
    assert owned.condition() is None
    said.clear()
    looks(owned, 10)
    assert said == [], "it comes to an end"


def test_a_stranger_that_comes_again_is_answered_again(owned: Owned, node: Node, said: list[str]) -> None:
    for _ in range(3):
        node.publishing = [OWNER, STRANGER]
        looks(owned, 1)
        node.publishing = [OWNER]
        looks(owned, 10)
        assert len(said) >= 2
        said.clear()


def test_who_speaks_no_more_says_nothing_again(owned: Owned, node: Node, said: list[str]) -> None:
    node.publishing = [OWNER, STRANGER]
    owned.look()
    owned.clear()
    said.clear()
    looks(owned, 5)
    assert said == []
    assert owned.condition() is None


@pytest.mark.graph
def test_who_comes_late_hears_the_owner_though_a_stranger_spoke_last(probe: Probe) -> None:
    # All publishers of a topic share a reader's queue: it has room for more than what was said last.
    import rclpy

    from dasha_ros import msg
    from dasha_ros.ros.transport import qos
    from dasha_ros.ros.validation.heard import subscribe

    nodes = {
        name: rclpy.create_node(name, namespace="/dasha", context=probe.context, enable_rosout=False)
        for name in (OWNER, STRANGER)
    }
    publishers = {
        name: node.create_publisher(msg.LensState, "lens/state", qos.STATE) for name, node in nodes.items()
    }

    def speak(name: str) -> None:
        volts = 40.0 if name == OWNER else 60.0
        driver = f"/dasha/{name}#1"
        publishers[name].publish(msg.LensState(driver=driver, volts=volts, commanded_volts=volts))

    owned = Owned(nodes[OWNER])
    owned.add("lens/state", lambda: speak(OWNER))
    speak(OWNER)
    probe.until(lambda: len(publishers_of(nodes[OWNER], "lens/state")) == 2, "the stranger to be seen")
    heard: list[float] = []
    subscribe(probe.node, msg.LensState, "lens/state", lambda state: heard.append(state.volts), qos.STATE)
    probe.until(lambda: publishers[STRANGER].get_subscription_count() == 1, "a listener that came late")

    def flooded() -> bool:
        owned.look()
        for _ in range(10):
            speak(STRANGER)
        return len(heard) > 2

    # The stranger always has the last word, and still the owner gets through.
    probe.until(flooded, "the owner to be heard")
    assert set(heard) == {40.0}
    for node in nodes.values():
        node.destroy_node()
