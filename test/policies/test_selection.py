"""What counts in a picture: a part of it, labels in order of priority, or the part itself."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from analytic_rig import AnalyticRig
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.perception.percept import Detection
from dasha_ros.perception.quality.detail import SHAPE, codes
from dasha_ros.policies.selection import (
    EVERYTHING,
    LEAST_OVERLAP,
    Choice,
    Region,
    Selection,
    SelectionError,
)

SHARE = st.floats(0.0, 1.0, width=32)
WIDTH, HEIGHT = 640, 340
LABELS = ("cup", "person", "dog")
DETECTION = st.builds(
    lambda label, score, x, y, w, h: Detection(label, score, (x, y, x + w, y + h)),
    st.sampled_from(LABELS),
    st.floats(0.05, 0.95),
    *[st.floats(0.0, 300.0)] * 2,
    *[st.floats(1.0, 300.0)] * 2,
)
FOUND = st.lists(DETECTION, max_size=6).map(lambda d: tuple(sorted(d, key=lambda x: -x.score)))


def picture(*detections, **changes):
    rig = AnalyticRig()
    return replace(rig.observe(), detections=detections, width=WIDTH, height=HEIGHT, **changes)


def seen_labels(selection, percept, labels=frozenset()):
    return [d.label for d in selection.counted(percept, labels)]


@given(SHARE, SHARE, SHARE, SHARE)
def test_four_fractions_are_a_region_exactly_if_they_span_an_area(a, b, c, d):
    if not any((a, b, c, d)):
        assert Region.of((a, b, c, d)) is None
    elif a < c and b < d:
        assert Region.of((a, b, c, d)).edges == (a, b, c, d)
    else:
        with pytest.raises(SelectionError, match="empty"):
            Region.of((a, b, c, d))


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", range(4))
def test_a_region_that_leaves_the_picture_is_refused_with_its_numbers(bad, place):
    edges = [0.1, 0.2, 0.7, 0.8]
    edges[place] = bad
    with pytest.raises(SelectionError, match=r"leaves the picture.*fractions"):
        Region.of(edges)


def test_a_region_has_four_numbers():
    with pytest.raises(SelectionError, match="not 3"):
        Region.of((0.1, 0.2, 0.3))


@given(FOUND, SHARE, SHARE, SHARE, SHARE)
def test_an_object_counts_if_it_shares_enough_of_the_smaller_of_itself_and_the_region(found, a, b, c, d):
    left, right, top, bottom = min(a, c), max(a, c), min(b, d), max(b, d)
    if not (left < right and top < bottom):
        return
    selection = Selection(Region(left, top, right, bottom))
    # An independent reference: the shared area on a fine raster would be slow, so by intervals.
    x = np.array([left, right]) * WIDTH
    y = np.array([top, bottom]) * HEIGHT
    expected = []
    for one in found:
        shared = max(0.0, min(x[1], one.box[2]) - max(x[0], one.box[0])) * max(
            0.0, min(y[1], one.box[3]) - max(y[0], one.box[1])
        )
        areas = (x[1] - x[0]) * (y[1] - y[0]), (one.box[2] - one.box[0]) * (one.box[3] - one.box[1])
        share = shared / min(areas)
        if abs(share - LEAST_OVERLAP) < 1e-6:
            return  # Too near to the border for floating point.
        if shared > 0.0 and share > LEAST_OVERLAP:
            expected.append(one)
    assert list(selection.counted(picture(*found))) == expected


def test_of_two_cups_the_one_in_the_region_counts_though_the_other_has_the_better_score():
    left = Detection("cup", 0.9, (20, 100, 120, 220))
    right = Detection("cup", 0.4, (500, 100, 600, 220))
    labels, selection = Selection.of_goal(("cup",), Region(0.7, 0.2, 1.0, 0.8))
    assert selection.counted(picture(left, right), labels) == (right,)


def test_a_region_without_labels_is_itself_the_object_and_needs_no_detector():
    labels, selection = Selection.of_goal((), Region(0.25, 0.5, 0.5, 1.0))
    found = selection.counted(picture(Detection("cup", 0.9, (0, 0, 640, 340))), labels)
    assert [(d.label, d.score, d.box) for d in found] == [("region", 1.0, (160.0, 170.0, 320.0, 340.0))]


def test_with_any_object_a_region_is_a_place_for_objects():
    cup = Detection("cup", 0.9, (0, 0, 300, 300))
    labels, selection = Selection.of_goal((), Region(0.0, 0.0, 0.5, 0.5), any_object=True)
    assert selection.counted(picture(cup), labels) == (cup,)
    assert selection.counted(picture(), labels) == ()


def test_the_sharpness_of_a_region_is_that_of_its_own_pixels():
    energies = np.ones(SHAPE)
    energies[:, 32:] = 100.0
    percept = picture(detail=codes(np.log(energies)), mean_grey=100.0)
    halves = [Selection(Region(x, 0.0, x + 0.5, 1.0), itself=True) for x in (0.0, 0.5)]
    plain, busy = (selection.counted(percept)[0].sharpness for selection in halves)
    assert busy == pytest.approx(100.0 * plain, rel=0.1)


def test_a_region_that_is_the_object_must_be_given():
    with pytest.raises(SelectionError, match="must be given"):
        Selection(None, itself=True)


@given(FOUND)
def test_without_wishes_a_picture_stays_as_it_is(found):
    percept = picture(*found)
    assert Choice(EVERYTHING, frozenset({"cup"}), 0.3)(percept) is percept


@given(FOUND)
def test_by_priority_the_most_wanted_label_that_is_seen_counts_alone(found):
    labels, selection = Selection.of_goal(LABELS, by_priority=True)
    left = Choice(selection, labels, 0.3)(picture(*found)).detections
    good = [LABELS.index(d.label) for d in found if d.score >= 0.3]
    if good:
        # What is less wanted is gone; what is more wanted is at most a hint.
        assert max(LABELS.index(d.label) for d in left) == min(good)
        assert all(d.score < 0.3 for d in left if LABELS.index(d.label) < min(good))
    else:
        assert Counter(left) == Counter(found)
    assert [LABELS.index(d.label) for d in left] == sorted(LABELS.index(d.label) for d in left)


def test_what_was_surely_seen_stays_the_object_in_pictures_that_do_not_show_it():
    labels, selection = Selection.of_goal(("cup", "person"), by_priority=True)
    choice = Choice(selection, labels, 0.3)
    person, cup = Detection("person", 0.9, (0, 0, 9, 9)), Detection("cup", 0.6, (20, 0, 29, 9))
    assert choice(picture(person)).detections == (person,)
    assert choice(picture(person, cup)).detections == (cup,)
    assert choice(picture(person)).detections == ()


def test_a_faint_object_of_high_priority_is_forgotten_with_its_picture():
    labels, selection = Selection.of_goal(("cup", "person"), by_priority=True)
    choice = Choice(selection, labels, 0.3)
    person, cup = Detection("person", 0.9, (0, 0, 9, 9)), Detection("cup", 0.35, (20, 0, 29, 9))
    assert choice(picture(person, cup)).detections == (cup,)
    assert choice(picture(person)).detections == (person,)


def test_with_any_object_the_labels_come_first_and_the_others_count_too():
    scores = {"cup": 0.4, "dog": 0.9, "person": 0.5}
    cup, dog, person = (Detection(label, score, (0, 0, 9, 9)) for label, score in scores.items())
    labels, selection = Selection.of_goal(("cup", "person"), any_object=True)
    assert labels == frozenset()
    assert seen_labels(selection, picture(dog, person, cup)) == ["person", "cup", "dog"]
    assert seen_labels(selection, picture(dog)) == ["dog"]


@pytest.mark.parametrize(
    ("labels", "region", "any_object", "words"),
    [
        ((), None, False, "any object"),
        (("cup", "dog"), None, False, "cup, dog"),
        (("cup",), Region(0.1, 0.2, 0.3, 0.4), False, "cup in the region 0.1, 0.2, 0.3, 0.4"),
        ((), Region(0.1, 0.2, 0.3, 0.4), False, "the region 0.1, 0.2, 0.3, 0.4"),
        ((), Region(0.1, 0.2, 0.3, 0.4), True, "any object in the region 0.1, 0.2, 0.3, 0.4"),
    ],
)
def test_what_is_looked_for_in_words(labels, region, any_object, words):
    assert Selection.of_goal(labels, region, any_object=any_object)[1].what(labels) == words
