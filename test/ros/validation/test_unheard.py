"""Topics that do not reach a node are named, and only those: the middleware itself is the judge."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ros_harness import Probe

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from dasha_ros import msg
from dasha_ros.ros.node.condition import Level
from dasha_ros.ros.validation.unheard import Unheard, nothing_heard, unheard_by, unheard_on

pytestmark = pytest.mark.graph

STATE = "/dasha/lens/state"
PROFILES = [
    QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1, reliability=reliability, durability=durability)
    for reliability, durability in itertools.product(
        (ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT),
        (DurabilityPolicy.TRANSIENT_LOCAL, DurabilityPolicy.VOLATILE),
    )
]
SURE, _, UNSURE, _ = PROFILES


@pytest.fixture
def node(probe: Probe) -> Iterator[Callable[[str], Any]]:
    """Makes nodes of the graph's namespace."""
    import rclpy

    made: list[Any] = []

    def make(name: str) -> Any:
        made.append(rclpy.create_node(name, namespace="/dasha", context=probe.context, enable_rosout=False))
        return made[-1]

    yield make
    for each in made:
        each.destroy_node()


def test_a_topic_is_named_exactly_if_the_middleware_does_not_connect_it(
    probe: Probe, node: Callable[[str], Any]
) -> None:
    speaker, listener = node("speaker"), node("listener")
    pairs = list(itertools.product(PROFILES, PROFILES))
    for index, (offered, asked) in enumerate(pairs):
        speaker.create_publisher(msg.LensState, f"t{index}", offered)
        listener.create_subscription(msg.LensState, f"t{index}", print, asked)
    publishers = {p.topic_name: p for p in speaker.publishers}
    topics = [f"/dasha/t{index}" for index in range(len(pairs))]

    def is_known() -> bool:
        return all(
            probe.node.count_publishers(t) == probe.node.count_subscribers(t) == 1 for t in topics
        ) and all(
            bool(publishers[topic].get_subscription_count()) == (not unheard_on(probe.node, topic))
            for topic in topics
        )

    probe.until(is_known, "the graph to say what the middleware does")
    apart = [topic for topic in topics if unheard_on(probe.node, topic)]
    assert 0 < len(apart) < len(topics)
    assert unheard_by(speaker) == ""
    assert all(topic in unheard_by(listener) for topic in apart)


def test_the_sentence_says_what_to_set(probe: Probe, node: Callable[[str], Any]) -> None:
    lens, agent = node("lens_driver"), node("agent")
    lens.create_publisher(msg.LensState, "lens/state", UNSURE)
    agent.create_subscription(msg.LensState, "lens/state", print, SURE)
    probe.until(lambda: unheard_by(agent), "the mismatch")
    assert unheard_by(agent) == (
        f"{STATE} does not reach /dasha/agent, which asks for it reliably, while /dasha/lens_driver sends it "
        "best effort: give both the same reliability (nodes of this package take "
        f"qos_overrides.{STATE}.subscription.reliability and qos_overrides.{STATE}.publisher.reliability)"
    )
    assert nothing_heard(agent, "no lens state came").startswith(f"no lens state came: {STATE} does not")


def test_reliability_is_advised_only_where_it_helps(probe: Probe, node: Callable[[str], Any]) -> None:
    """Durability can't be overridden."""
    lens, agent = node("lens_driver"), node("agent")
    lens.create_publisher(msg.LensState, "lens/state", PROFILES[3])
    agent.create_subscription(msg.LensState, "lens/state", print, SURE)
    probe.until(lambda: unheard_by(agent), "the mismatch")
    assert "qos_overrides" not in unheard_by(agent)
    assert "olatile publisher and transient local subscription" in unheard_by(agent)


def test_the_condition_follows_the_graph(probe: Probe, node: Callable[[str], Any]) -> None:
    lens, agent = node("lens_driver"), node("agent")
    watch = Unheard(agent)
    agent.create_subscription(msg.LensState, "lens/state", print, SURE)
    watch.look()
    assert watch.condition() is None
    publisher = lens.create_publisher(msg.LensState, "lens/state", UNSURE)
    probe.until(lambda: watch.look() or watch.condition(), "an error")
    condition = watch.condition()
    assert condition is not None
    assert condition.level is Level.ERROR
    lens.destroy_publisher(publisher)
    lens.create_publisher(msg.LensState, "lens/state", SURE)
    probe.until(lambda: watch.look() or not watch.condition(), "the end of the error")


@pytest.mark.parametrize(("own", "strangers", "arrives"), [(SURE, UNSURE, True), (UNSURE, SURE, False)])
def test_only_the_topics_own_node_counts(
    probe: Probe, node: Callable[[str], Any], own: QoSProfile, strangers: QoSProfile, arrives: bool
) -> None:
    agent = node("agent")
    for name, profile in (("lens_driver", own), ("stranger", strangers)):
        node(name).create_publisher(msg.LensState, "lens/state", profile)
    agent.create_subscription(msg.LensState, "lens/state", print, SURE)
    probe.until(lambda: agent.count_publishers(STATE) == 2, "both publishers")
    probe.until(lambda: bool(unheard_by(agent)) is not arrives, "a judgement")
