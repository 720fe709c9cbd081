"""A lens that a goal keeps within a range of distances."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.optics.lens_info import LensInfo, MappedLens
from dasha_ros.optics.limited_lens import DistanceError, DistanceRange, LimitedLens, whole_of
from dasha_ros.optics.profiles import lens_model

LENS = lens_model()
FALLING = MappedLens(
    LensInfo("steps", 0.0, 1000.0, profile="p", map_positions=(0.0, 1000.0), map_dioptres=(4.0, 0.0),
             blur_px_per_dioptre=9.0)
)  # fmt: skip
LENSES = st.sampled_from([LENS, FALLING])
METRES = st.floats(0.3, 20.0)


@given(LENSES, METRES, METRES, st.floats(-1e6, 1e6), st.floats(-5.0, 20.0))
def test_nothing_that_it_answers_lies_outside_of_the_range(lens, a, b, position, dioptres):
    near, far = sorted((a, b))
    try:
        limited = DistanceRange(near, far).limit(lens)
    except DistanceError:
        assert (1.0 / near - 1.0 / far) * abs(lens.blur_px(1.0, 0.0)) < 0.1
        return
    places = [limited.position_min, limited.position_max, limited.position(dioptres), *limited.focus_range()]
    for place in places:
        assert 1.0 / far - 1e-9 <= lens.dioptres(place) <= 1.0 / near + 1e-9
    assert limited.position_min < limited.position_max
    inside = min(max(position, limited.position_min), limited.position_max)
    assert limited.dioptres(inside) == lens.dioptres(inside)
    assert limited.blur_px(2.0, 1.0) == lens.blur_px(2.0, 1.0)
    assert (limited.id, limited.unit) == (lens.id, lens.unit)


@given(LENSES)
def test_an_open_range_leaves_the_lens_alone(lens):
    assert DistanceRange().limit(lens) is lens
    assert not DistanceRange()
    assert whole_of(lens) is lens


@given(LENSES, METRES)
def test_an_open_end_is_that_of_the_lens(lens, metres):
    ends = {lens.position_min, lens.position_max}
    near = DistanceRange(metres, 0.0).limit(lens)
    far = DistanceRange(0.0, metres).limit(lens)
    assert isinstance(near, LimitedLens)
    assert near.whole is lens
    assert {near.position_min, near.position_max} & ends
    assert {far.position_min, far.position_max} & ends
    # Together they are all of the lens.
    assert {near.position_min, near.position_max} | {far.position_min, far.position_max} >= ends


@pytest.mark.parametrize(
    ("near", "far", "words"),
    [
        (2.0, 1.0, r"min_distance_m \(2 m\) is more than max_distance_m \(1 m\)"),
        (-1.0, 0.0, "min_distance_m is -1"),
        (0.0, math.nan, "max_distance_m is nan"),
        (math.inf, 0.0, "min_distance_m is inf"),
    ],
)
def test_what_is_no_range_is_refused_with_its_numbers(near, far, words):
    with pytest.raises(DistanceError, match=words):
        DistanceRange(near, far)


def test_a_lens_that_does_not_reach_there_says_how_far_it_reaches():
    with pytest.raises(DistanceError, match=r"focuses from 0\.25 m to infinity: nothing of 0\.05 to 0\.1 m"):
        DistanceRange(0.05, 0.1).limit(FALLING)


def test_a_range_within_the_depth_of_field_is_refused():
    with pytest.raises(DistanceError, match="wider range"):
        DistanceRange(1.0, 1.001).limit(LENS)
