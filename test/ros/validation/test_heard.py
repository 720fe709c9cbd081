"""The one door for messages of topics."""

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
from dasha_ros.ros.validation.heard import Ear, Heard
from dasha_ros.ros.validation.owners import too_many

LENS = "/dasha/lens_driver"


class Node:
    """Hears topics; nobody serves it."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.logged: list[str] = []
        self.publishing: list[str] = []
        self.looks = 0
        self.heard = Heard(SimpleNamespace(warning=self.logged.append), lambda: self.now_s)
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

    def ear(self, kind: Any, topic: str) -> Ear:
        return Ear(self, kind, topic, self.got.append)  # type: ignore[arg-type]


@pytest.fixture
def node() -> Node:
    return Node()


def info(speaker: str, *labels: str) -> bytes:
    return serialize_message(
        msg.PerceptionInfo(
            node=f"{speaker}#1234" if speaker else "", encoder="e", detector="d", labels=labels
        )
    )


def test_what_can_not_be_reaches_no_callback_and_is_counted_with_its_reason(node: Node) -> None:
    ear = node.ear(msg.LensState, "lens/state")
    for _ in range(1000):
        ear.hear(serialize_message(msg.LensState(volts=math.nan)))
    ear.hear(b"\x00\x01\x00\x00\x07")
    ear.hear(b"\x00\x01\x00\x00" + bytes(9 << 20))
    ear.hear(b"")
    assert not node.got
    (told,) = node.heard.values().values()
    assert told.startswith("1003: ")
    assert len(node.logged) == 10, "the 1st, 2nd, 4th, ... 512th"
    assert "volts is nan" in node.logged[0]
    condition = node.heard.condition()
    assert condition is not None
    assert condition.level == Level.WARN
    node.now_s += 60.0
    assert node.heard.condition() is None
    assert "1003" in node.heard.values()["left out of lens/state"]
    ear.hear(serialize_message(msg.LensState(volts=40.0, commanded_volts=40.0)))
    assert [state.volts for state in node.got] == [40.0]


@given(st.binary(max_size=300))
def test_no_bytes_get_past_the_door_as_an_exception(data: bytes) -> None:
    node = Node()
    for kind, topic in ((msg.LensState, "lens/state"), (msg.Percept, "perception/percept")):
        node.ear(kind, topic).hear(b"\x00\x01\x00\x00" + data)


def test_a_stranger_does_not_displace_what_the_owner_says(node: Node) -> None:
    ear = node.ear(msg.PerceptionInfo, "perception/info")
    node.publishing = ["/dasha/stranger"]
    ear.hear(info("/dasha/stranger", "odd"))
    assert node.got[-1].labels == ["odd"], "a graph may have a perception of another name"
    node.publishing.append("/dasha/perception")
    ear.hear(info("/dasha/perception", "cat"))
    for speaker in ("/dasha/stranger", "", "/other/perception"):
        ear.hear(info(speaker, "odd"))
    node.heard.look(node)
    ear.hear(info("/dasha/stranger", "odd"))
    assert node.got[-1].labels == ["cat"]
    assert "it comes from /dasha/stranger and not from /dasha/perception" in node.heard.condition().sentence
    # The owner is gone for the moment: it is started again, and what a stranger says meanwhile would stay.
    node.publishing = ["/dasha/stranger"]
    node.heard.look(node)
    ear.hear(info("/dasha/stranger", "odd"))
    assert node.got[-1].labels == ["cat"]


def test_a_stranger_that_speaks_before_the_owner_did_is_not_heard(node: Node) -> None:
    node.publishing = ["/dasha/perception", "/dasha/stranger"]
    ear = node.ear(msg.PerceptionInfo, "perception/info")
    for _ in range(1000):
        ear.hear(info("/dasha/stranger", "odd"))
    assert node.got == []
    assert node.looks == 1, "in a flood there is no time to look for each message"
    ear.hear(info("/dasha/perception", "cat"))
    assert [heard.labels for heard in node.got] == [["cat"]]


def test_in_a_flood_of_strangers_the_owner_is_still_heard(node: Node) -> None:
    ear = node.ear(msg.PerceptionInfo, "perception/info")
    ear.hear(info("/dasha/perception", "cat"))
    for i in range(500):
        ear.hear(info("/dasha/stranger", f"odd {i}"))
        ear.hear(info("/dasha/stranger of /dasha/perception", "odd"))
    assert node.heard.values()["left out of perception/info"].startswith("1000: ")
    ear.hear(info("/dasha/perception", "dog"))
    assert [heard.labels for heard in node.got] == [["cat"], ["dog"]]


def test_a_topic_that_is_left_is_forgotten(node: Node) -> None:
    import gc

    ear = node.ear(msg.PerceptionInfo, "perception/info")
    assert len(node.heard._ears) == 1
    del ear
    gc.collect()
    assert len(node.heard._ears) == 0


def test_who_else_publishes_is_named() -> None:
    assert too_many("lens/state", [LENS]) == ""
    assert "2 nodes publish lens/state: /dasha/lens_driver and /x" in too_many("lens/state", ["/x", LENS])
    assert "two graphs run in one namespace" in too_many("lens/state", [LENS, LENS])


def subscriptions() -> Iterator[tuple[str, int]]:
    root = Path(dasha_ros.__file__).parent
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr == "create_subscription":
                yield str(path.relative_to(root)), node.lineno


def test_nobody_subscribes_past_the_door() -> None:
    # A lane has an `Ear` for each topic; `dasha echo` shows people what is really there.
    doors = {"ros/validation/heard.py", "ros/transport/fast_subscriber.py", "cli/echo.py"}
    found = list(subscriptions())
    assert {path for path, _ in found} == doors
    assert len(found) == len(doors), found
