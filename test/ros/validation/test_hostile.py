"""The source of hostile messages; none of them makes the filter raise."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.ros.validation.hostile import TOPICS, Hostile
from dasha_ros.ros.validation.publishers import EXCLUSIVE_TOPICS
from dasha_ros.ros.validation.rejections import Rejections
from dasha_ros.ros.validation.subscribe import MessageFilter


def test_equal_seeds_are_equally_hostile() -> None:
    # Compared by repr: NaN equals nothing, and the padding of serialized messages is arbitrary.
    drawn = [[repr(Hostile(seed).message(kind)) for kind, _, _ in TOPICS] for seed in (3, 3, 4)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_every_exclusive_topic_is_flooded() -> None:
    assert set(EXCLUSIVE_TOPICS) - {"camera/camera_info"} <= {topic for _, topic, _ in TOPICS}


@pytest.mark.parametrize(("kind", "topic"), [(kind, topic) for kind, topic, _ in TOPICS])
def test_hostile_messages_are_accepted_or_counted(kind: Any, topic: str) -> None:
    outcomes: Counter[str] = Counter()
    logged: list[str] = []
    node: Any = SimpleNamespace(
        get_namespace=lambda: "/dasha",
        get_logger=lambda: None,
        resolve_topic_name=lambda topic: f"/dasha/{topic}",
        get_publishers_info_by_topic=lambda topic: [],
    )
    node.rejections = Rejections(SimpleNamespace(warning=logged.append))
    message_filter = MessageFilter(node, kind, topic, lambda message: outcomes.update(["heard"]))
    hostile, tries = Hostile(7), 300
    for _ in range(tries):
        message_filter.hear(hostile.wire(kind))
    rejected = sum(int(told.partition(":")[0]) for told in node.rejections.values().values())
    assert outcomes["heard"] + rejected == tries
    assert rejected > 0, "some messages are invalid"
    assert outcomes["heard"] > 0, "some messages are valid and merely untrue"
    assert all(len(line) < 400 and line.isprintable() for line in logged)
