"""The source of hostile messages, and that none of them gets past the door as an exception."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.ros.validation.heard import Ear, Heard
from dasha_ros.ros.validation.hostile import TOPICS, Hostile
from dasha_ros.ros.validation.owners import OWNED


def test_equal_seeds_are_equally_hostile() -> None:
    # By their words: a number that is none equals nothing, and what pads the wire is left to chance.
    drawn = [[repr(Hostile(seed).message(kind)) for kind, _, _ in TOPICS] for seed in (3, 3, 4)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_every_topic_that_has_an_owner_is_flooded() -> None:
    assert set(OWNED) - {"camera/camera_info"} <= {topic for _, topic, _ in TOPICS}


@pytest.mark.parametrize(("kind", "topic"), [(kind, topic) for kind, topic, _ in TOPICS])
def test_hostile_messages_are_let_in_or_counted(kind: Any, topic: str) -> None:
    outcomes: Counter[str] = Counter()
    logged: list[str] = []
    node: Any = SimpleNamespace(
        get_namespace=lambda: "/dasha",
        get_logger=lambda: None,
        resolve_topic_name=lambda topic: f"/dasha/{topic}",
        get_publishers_info_by_topic=lambda topic: [],
    )
    node.heard = Heard(SimpleNamespace(warning=logged.append))
    ear = Ear(node, kind, topic, lambda message: outcomes.update(["heard"]))
    hostile, tries = Hostile(7), 300
    for _ in range(tries):
        ear.hear(hostile.wire(kind))
    left_out = sum(int(told.partition(":")[0]) for told in node.heard.values().values())
    assert outcomes["heard"] + left_out == tries
    assert left_out > 0, "some of it can't be"
    assert outcomes["heard"] > 0, "some of it is only not true"
    assert all(len(line) < 400 and line.isprintable() for line in logged)
