"""The filter that every subscription goes through, and that none goes around."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from hypothesis import given
from hypothesis import strategies as st
from rclpy.serialization import serialize_message

import dasha_ros
from dasha_ros import msg
from dasha_ros.ros.node.condition import Level
from dasha_ros.ros.validation.publishers import conflict_of
from dasha_ros.ros.validation.rejections import Rejections
from dasha_ros.ros.validation.subscribe import MessageFilter

LENS = "/dasha/lens_driver"


class Node:
    """Stands in for a node that subscribes; no executor serves it."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.logged: list[str] = []
        self.publishing: list[str] = []
        self.looks = 0
        self.rejections = Rejections(SimpleNamespace(warning=self.logged.append), lambda: self.now_s)
        self.got: list[Any] = []

    def get_namespace(self) -> str:
        return "/dasha"

    def resolve_topic_name(self, topic: str) -> str:
        return f"/dasha/{topic}"

    def get_publishers_info_by_topic(self, topic: str) -> list[Any]:
        self.looks += 1
        return [
            SimpleNamespace(node_namespace=f"/{space}", node_name=name)
            for _, space, name in (full.split("/") for full in self.publishing)
        ]

    def filter(self, kind: Any, topic: str) -> MessageFilter:
        return MessageFilter(self, kind, topic, self.got.append)  # type: ignore[arg-type]


@pytest.fixture
def node() -> Node:
    return Node()


def info(sender: str, *labels: str) -> bytes:
    return serialize_message(
        msg.PerceptionInfo(node=f"{sender}#1234" if sender else "", encoder="e", detector="d", labels=labels)
    )


def test_invalid_messages_reach_no_callback_and_are_counted_with_the_reason(node: Node) -> None:
    topic_filter = node.filter(msg.LensState, "lens/state")
    for _ in range(1000):
        topic_filter.hear(serialize_message(msg.LensState(position=math.nan)))
    topic_filter.hear(b"\x00\x01\x00\x00\x07")
    topic_filter.hear(b"\x00\x01\x00\x00" + bytes(9 << 20))
    topic_filter.hear(b"")
    assert not node.got
    (told,) = node.rejections.values().values()
    assert told.startswith("1003: ")
    assert len(node.logged) == 10, "the 1st, 2nd, 4th, ... 512th"
    assert "position is nan" in node.logged[0]
    condition = node.rejections.condition()
    assert condition is not None
    assert condition.level == Level.WARN
    node.now_s += 60.0
    assert node.rejections.condition() is None
    assert "1003" in node.rejections.values()["rejected on lens/state"]
    topic_filter.hear(serialize_message(msg.LensState(position=40.0, commanded_position=40.0)))
    assert [state.position for state in node.got] == [40.0]


@given(st.binary(max_size=300))
def test_no_bytes_raise_an_exception(data: bytes) -> None:
    node = Node()
    for kind, topic in ((msg.LensState, "lens/state"), (msg.Percept, "perception/percept")):
        node.filter(kind, topic).hear(b"\x00\x01\x00\x00" + data)


def test_a_stranger_does_not_replace_what_the_allowed_publisher_said(node: Node) -> None:
    topic_filter = node.filter(msg.PerceptionInfo, "perception/info")
    node.publishing = ["/dasha/stranger"]
    topic_filter.hear(info("/dasha/stranger", "odd"))
    assert node.got[-1].labels == ["odd"], "a graph may have a perception of another name"
    node.publishing.append("/dasha/perception")
    topic_filter.hear(info("/dasha/perception", "cat"))
    for sender in ("/dasha/stranger", "", "/other/perception"):
        topic_filter.hear(info(sender, "odd"))
    node.rejections.look(node)
    topic_filter.hear(info("/dasha/stranger", "odd"))
    assert node.got[-1].labels == ["cat"]
    assert (
        "it comes from /dasha/stranger and not from /dasha/perception" in node.rejections.condition().sentence
    )
    # The publisher is gone but will be restarted. What a stranger says meanwhile would stay valid.
    node.publishing = ["/dasha/stranger"]
    node.rejections.look(node)
    topic_filter.hear(info("/dasha/stranger", "odd"))
    assert node.got[-1].labels == ["cat"]


def test_a_stranger_that_publishes_before_the_allowed_node_is_rejected(node: Node) -> None:
    node.publishing = ["/dasha/perception", "/dasha/stranger"]
    topic_filter = node.filter(msg.PerceptionInfo, "perception/info")
    for _ in range(1000):
        topic_filter.hear(info("/dasha/stranger", "odd"))
    assert node.got == []
    assert node.looks == 1, "a flood leaves no time for a search per message"
    topic_filter.hear(info("/dasha/perception", "cat"))
    assert [heard.labels for heard in node.got] == [["cat"]]


def test_the_allowed_publisher_gets_through_a_flood_of_strangers(node: Node) -> None:
    topic_filter = node.filter(msg.PerceptionInfo, "perception/info")
    topic_filter.hear(info("/dasha/perception", "cat"))
    for i in range(500):
        topic_filter.hear(info("/dasha/stranger", f"odd {i}"))
        topic_filter.hear(info("/dasha/stranger of /dasha/perception", "odd"))
    assert node.rejections.values()["rejected on perception/info"].startswith("1000: ")
    topic_filter.hear(info("/dasha/perception", "dog"))
    assert [heard.labels for heard in node.got] == [["cat"], ["dog"]]


def test_a_destroyed_subscription_is_forgotten(node: Node) -> None:
    import gc

    topic_filter = node.filter(msg.PerceptionInfo, "perception/info")
    assert len(node.rejections._filters) == 1
    del topic_filter
    gc.collect()
    assert len(node.rejections._filters) == 0


def test_other_publishers_are_named() -> None:
    assert conflict_of("lens/state", [LENS]) == ""
    assert "2 nodes publish lens/state: /dasha/lens_driver and /x" in conflict_of("lens/state", ["/x", LENS])
    assert "two graphs run in one namespace" in conflict_of("lens/state", [LENS, LENS])


def subscriptions() -> Iterator[tuple[str, int]]:
    root = Path(dasha_ros.__file__).parent
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr == "create_subscription":
                yield str(path.relative_to(root)), node.lineno


def test_every_subscription_is_filtered() -> None:
    # A fast subscriber has a `MessageFilter` for each topic; `dasha echo` shows people what is really there.
    # A node of the house passes on what `subscribe` asks for, with the user's QoS.
    filtered = {
        "ros/validation/subscribe.py",
        "ros/transport/fast_subscriber.py",
        "cli/echo.py",
        "ros/node/node.py",
    }
    found = list(subscriptions())
    assert {path for path, _ in found} == filtered
    assert len(found) == len(filtered), found
