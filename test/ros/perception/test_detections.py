"""Detections as other packages understand them."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from hypothesis import given
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message, serialize_message
from std_msgs.msg import Header
from vision_msgs.msg import BoundingBox2D, Detection2D, Detection2DArray, ObjectHypothesisWithPose

from dasha_ros.perception.percept import Detection
from dasha_ros.ros.perception.detections import detections_from_msg, detections_to_msg
from dasha_ros.ros.transport.cdr import reader
from dasha_ros.ros.transport.stamps import to_stamp

SIDE = st.floats(0.0, 4000.0)
FOUND = st.builds(
    lambda label, score, x, y, w, h: Detection(label, score, (x, y, x + w, y + h)),
    st.sampled_from(["person", "cup", "traffic light", "my own thing"]),
    st.floats(0.0, 1.0),
    SIDE, SIDE, SIDE, SIDE,
)  # fmt: skip


def message(
    *results: tuple[str, float], theta: float = 0.0, size: tuple[float, float] = (20.0, 10.0)
) -> Detection2DArray:
    box = BoundingBox2D(size_x=size[0], size_y=size[1])
    box.center.position.x, box.center.position.y, box.center.theta = 100.0, 50.0, theta
    hypotheses = []
    for label, score in results:
        hypotheses.append(ObjectHypothesisWithPose())
        hypotheses[-1].hypothesis.class_id, hypotheses[-1].hypothesis.score = label, score
    return Detection2DArray(detections=[Detection2D(bbox=box, results=hypotheses)])


@given(st.lists(FOUND, max_size=6), st.integers(0, 2**31 - 1))
def test_what_is_sent_can_be_read_by_rclpy_and_by_us(found: list[Detection], second: int) -> None:
    header = Header(stamp=to_stamp(second * 10**9 + 7), frame_id="camera")
    data = serialize_message(detections_to_msg(found, header))
    for read in (deserialize_message(data, Detection2DArray), reader(Detection2DArray)(data)):
        assert (read.header.stamp.sec, read.header.stamp.nanosec, read.header.frame_id) == (
            second,
            7,
            "camera",
        )
        again = detections_from_msg(read)
        expected = sorted(found, key=lambda d: -d.score)
        assert [(d.label, d.score) for d in again] == [(d.label, d.score) for d in expected]
        for got, sent in zip(again, expected, strict=True):
            assert got.box == pytest.approx(sent.box, abs=1e-6)


def test_the_box_has_a_centre_and_a_size_as_vision_msgs_says() -> None:
    sent = detections_to_msg([Detection("cup", 0.5, (10.0, 20.0, 30.0, 60.0))], Header()).detections[0]
    assert (sent.bbox.center.position.x, sent.bbox.center.position.y) == (20.0, 40.0)
    assert (sent.bbox.size_x, sent.bbox.size_y) == (20.0, 40.0)
    assert (sent.results[0].hypothesis.class_id, sent.results[0].hypothesis.score) == ("cup", 0.5)


@pytest.mark.parametrize(
    ("theta", "half"),
    [(0.0, (10, 5)), (math.pi / 2, (5, 10)), (math.pi, (10, 5)), (math.pi / 4, (10.607, 10.607))],
)
def test_around_a_rotated_box_goes_an_upright_one(theta: float, half: tuple[float, float]) -> None:
    (found,) = detections_from_msg(message(("cup", 0.5), theta=theta))
    box = (100 - half[0], 50 - half[1], 100 + half[0], 50 + half[1])
    assert found.box == pytest.approx(box, abs=1e-3)


def test_the_best_hypothesis_counts_and_none_means_nothing() -> None:
    (found,) = detections_from_msg(message(("cup", 0.2), ("person", 0.7), ("cat", 0.1)))
    assert (found.label, found.score) == ("person", 0.7)
    assert detections_from_msg(message()) == ()


@pytest.mark.parametrize(
    ("class_id", "label"),
    [("0", "person"), ("1", "bicycle"), ("2", "2"), ("-1", "-1"), ("cup", "cup"), ("²", "²")],
)
def test_numbered_classes_get_names(class_id: str, label: str) -> None:
    (found,) = detections_from_msg(message((class_id, 0.5)), ["person", "bicycle"])
    assert found.label == label
    assert detections_from_msg(message(("0", 0.5)))[0].label == "0"


def test_scores_and_sizes_out_of_range_are_made_sensible() -> None:
    (found,) = detections_from_msg(message(("cup", 7.0), size=(-20.0, 10.0)))
    assert found.score == 1.0
    assert found.box == (90.0, 45.0, 110.0, 55.0)


def test_the_types_are_those_of_the_real_package() -> None:
    """Fields and types of vision_msgs 4.1.1, which decide whether two nodes understand each other."""
    assert Detection2DArray.get_fields_and_field_types() == {
        "header": "std_msgs/Header",
        "detections": "sequence<vision_msgs/Detection2D>",
    }
    assert Detection2D.get_fields_and_field_types() == {
        "header": "std_msgs/Header",
        "results": "sequence<vision_msgs/ObjectHypothesisWithPose>",
        "bbox": "vision_msgs/BoundingBox2D",
        "id": "string",
    }
    assert ObjectHypothesisWithPose.get_fields_and_field_types() == {
        "hypothesis": "vision_msgs/ObjectHypothesis",
        "pose": "geometry_msgs/PoseWithCovariance",
    }
    assert type(ObjectHypothesisWithPose().hypothesis).get_fields_and_field_types() == {
        "class_id": "string",
        "score": "double",
    }
    assert BoundingBox2D.get_fields_and_field_types() == {
        "center": "vision_msgs/Pose2D",
        "size_x": "double",
        "size_y": "double",
    }
    pose = BoundingBox2D().center
    assert type(pose).get_fields_and_field_types() == {"position": "vision_msgs/Point2D", "theta": "double"}
    assert type(pose.position).get_fields_and_field_types() == {"x": "double", "y": "double"}
