"""Joining detections into objects."""

from __future__ import annotations

from dataclasses import replace

import pytest
from analytic_rig import AnalyticRig

from dasha_ros.perception.percept import Detection, iou
from dasha_ros.policies.classical.tracks import Tracker

LEFT, RIGHT = (0.0, 0.0, 100.0, 100.0), (300.0, 0.0, 400.0, 100.0)


def percept(position, *detections):
    rig = AnalyticRig()
    return replace(rig.move(position), detections=tuple(sorted(detections, key=lambda d: -d.score)))


def test_iou_by_hand():
    assert iou(LEFT, LEFT) == 1.0
    assert iou(LEFT, RIGHT) == 0.0
    assert iou((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert iou((0, 0, 0, 0), (0, 0, 0, 0)) == 0.0


def test_two_objects_of_one_label_are_two_tracks():
    tracker = Tracker({"cat"}, 0.1)
    for position, near, far in ((40.0, 0.9, 0.2), (41.0, 0.5, 0.6), (42.0, 0.2, 0.8)):
        tracker.add(percept(position, Detection("cat", near, LEFT), Detection("cat", far, RIGHT)))
    first, second = tracker.ranked()
    assert [(look.position, look.detection.score) for look in first.looks] == [
        (40.0, 0.9),
        (41.0, 0.5),
        (42.0, 0.2),
    ]
    assert second.score == 0.8


def test_another_label_in_the_same_place_is_another_track():
    tracker = Tracker(set(), 0.1)
    tracker.add(percept(40.0, Detection("cat", 0.9, LEFT), Detection("dog", 0.8, LEFT)))
    tracker.add(percept(41.0, Detection("dog", 0.9, LEFT)))
    assert sorted(len(track.looks) for track in tracker.tracks) == [1, 2]


def test_labels_and_least_score_are_respected():
    tracker = Tracker({"cat"}, 0.3)
    tracker.add(percept(40.0, Detection("cat", 0.29, LEFT), Detection("dog", 0.9, RIGHT)))
    assert tracker.tracks == []
    assert tracker.position == 40.0


def test_a_weak_look_is_not_the_sharpest():
    """Seen faintly while the background behind it is sharp."""
    tracker = Tracker({"cat"}, 0.1)
    tracker.add(percept(40.0, Detection("cat", 0.35, LEFT, sharpness=9.0)))
    tracker.add(percept(44.0, Detection("cat", 0.9, LEFT, sharpness=5.0)))
    assert tracker.ranked()[0].sharpest().position == 44.0


def test_a_second_look_at_a_place_replaces_the_first():
    tracker = Tracker({"cat"}, 0.1)
    tracker.add(percept(40.0, Detection("cat", 0.9, LEFT, sharpness=9.0)))
    tracker.add(percept(40.0, Detection("cat", 0.9, LEFT, sharpness=2.0)))
    assert [look.detection.sharpness for look in tracker.tracks[0].focus_looks()] == [2.0]


def test_newest_look_is_none_when_the_object_was_lost():
    tracker = Tracker({"cat"}, 0.1)
    tracker.add(percept(40.0, Detection("cat", 0.9, LEFT)))
    track = tracker.tracks[0]
    assert tracker.newest_look(track) is track.looks[-1]
    tracker.add(percept(40.0))
    assert tracker.newest_look(track) is None
