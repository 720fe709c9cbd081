"""Which picture another node's detections belong to, and what is said when it is late."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from hypothesis import given
from hypothesis import strategies as st
from std_msgs.msg import Header

from dasha_ros.perception.percept import Detection
from dasha_ros.ros.node.condition import Level
from dasha_ros.ros.perception.detections import detections_to_msg
from dasha_ros.ros.perception.other_detector import OtherDetector
from dasha_ros.ros.transport.stamps import to_ns, to_stamp

MS = 1_000_000


class Desk:
    """An `OtherDetector` with a clock and publishers that the test sets."""

    def __init__(self) -> None:
        self.now_ns, self.publishers = 10**12, ["/yolo"]
        self.other = OtherDetector("/yolo/detections", [], lambda: self.now_ns, lambda: self.publishers)

    def picture(self, stamp: int) -> None:
        self.other.picture(SimpleNamespace(header=Header(stamp=to_stamp(stamp))), stamp)

    def detections(self, stamp: int, label: str = "cup") -> None:
        found = [Detection(label, 0.5, (0.0, 0.0, 1.0, 1.0))]
        self.other.heard(detections_to_msg(found, Header(stamp=to_stamp(stamp))))

    def matched(self) -> dict[int, str]:
        return {
            to_ns(p.image.header.stamp): p.found[0].label
            for p in self.other.pictures()
            if p.found is not None
        }


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_detections_find_their_picture_before_or_after_it(desk: Desk) -> None:
    desk.picture(1)
    desk.picture(2)
    desk.detections(1, "first")
    desk.detections(3, "early")
    desk.picture(3)
    assert desk.matched() == {1: "first", 3: "early"}
    assert [to_ns(p.image.header.stamp) for p in desk.other.pictures()] == [3, 2, 1]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 30)), max_size=60))
def test_no_picture_ever_gets_the_detections_of_another(events: list[tuple[bool, int]]) -> None:
    desk = Desk()
    for is_picture, stamp in events:
        if is_picture:
            desk.picture(stamp)
        else:
            desk.detections(stamp, f"of {stamp}")
        assert all(label == f"of {stamp}" for stamp, label in desk.matched().items())
        assert len(desk.other.pictures()) <= 8


def test_a_picture_that_was_used_is_gone_with_the_older_ones(desk: Desk) -> None:
    for stamp in (1, 2, 3):
        desk.picture(stamp)
    desk.detections(2)
    taken: Any = next(p for p in desk.other.pictures() if p.found is not None)
    desk.other.take(taken)
    assert [to_ns(p.image.header.stamp) for p in desk.other.pictures()] == [3]


def test_the_time_of_the_detector_is_measured(desk: Desk) -> None:
    desk.picture(1)
    desk.now_ns += 250 * MS
    desk.detections(1)
    assert desk.other.pictures()[0].detector_ms == 250.0
    assert desk.other.condition() is None


def test_a_slow_detector_is_named(desk: Desk) -> None:
    desk.picture(1)
    desk.now_ns += 1400 * MS
    desk.detections(1)
    condition = desk.other.condition()
    assert condition is not None
    assert condition.level is Level.WARN
    assert "slow: /yolo took 1.4 s" in condition.sentence
    assert "/yolo/detections" in condition.sentence
    desk.other.timeout_s = 2.0
    assert desk.other.condition() is None


def test_a_silent_detector_is_named_only_while_a_picture_waits(desk: Desk) -> None:
    desk.picture(1)
    desk.now_ns += 5000 * MS
    assert desk.other.condition() is None, "nobody awaits this picture"
    desk.other.needs(True)
    desk.now_ns += 900 * MS
    desk.other.needs(True)
    assert desk.other.condition() is None
    desk.now_ns += 200 * MS
    condition = desk.other.condition()
    assert condition is not None
    assert condition.level is Level.ERROR
    assert "for 1.1 s: /yolo sends nothing on /yolo/detections" in condition.sentence
    desk.other.needs(False)
    assert desk.other.condition() is None


def test_a_detector_that_is_not_there_is_told_from_one_that_is_silent(desk: Desk) -> None:
    desk.publishers = []
    desk.other.needs(True)
    desk.now_ns += 1100 * MS
    condition = desk.other.condition()
    assert condition is not None
    assert "no node publishes /yolo/detections" in condition.sentence


def test_stamps_of_no_picture_are_told(desk: Desk) -> None:
    desk.picture(1)
    desk.other.needs(True)
    desk.now_ns += 1100 * MS
    desk.detections(777)
    condition = desk.other.condition()
    assert condition is not None
    assert "stamps of other pictures" in condition.sentence


def test_a_detector_that_does_not_reach_perception_is_not_told_twice(desk: Desk) -> None:
    """Every node says itself which topics do not reach it."""
    unheard = OtherDetector(
        "/yolo/detections", [], lambda: desk.now_ns, lambda: desk.publishers, lambda: True
    )
    unheard.needs(True)
    desk.now_ns += 1100 * MS
    assert unheard.condition() is None
