"""Stops, peaks, and searches as generators."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.search import (
    focus_stops,
    from_nearest_end,
    peak_position,
    search_range,
    travel_of_blur,
)


@pytest.mark.parametrize("profile", ["physical", "paper"])
@pytest.mark.parametrize("phase", [0.0, 0.5])
def test_no_depth_is_farther_than_half_a_step_from_a_stop(profile, phase):
    lens = lens_model(profile)
    stops = focus_stops(lens, 2.5, phase)
    first = 1.25 if phase == 0.0 else 0.0
    for i in range(400):
        depth = 0.01 * i
        blur = min(abs(lens.blur_px(lens.dioptres(v), depth)) for v in stops)
        assert blur <= max(1.25, first) + 0.35  # the paper's lens scales its blur with the image distance


def test_a_smaller_aperture_needs_fewer_stops():
    assert len(focus_stops(lens_model(f_number=6.4), 2.5)) < len(focus_stops(lens_model(), 2.5)) / 2


def test_the_range_reaches_from_beyond_infinity_to_the_nearest_distance():
    lens = lens_model()
    low, high = search_range(lens)
    assert lens.dioptres(low) == pytest.approx(-0.3)
    assert lens.dioptres(high) == pytest.approx(4.3)
    paper = lens_model("paper")
    low, high = search_range(paper)
    assert paper.dioptres(high) == pytest.approx(-0.3)
    assert paper.dioptres(low) == pytest.approx(4.3)


def test_travel_of_blur_is_what_the_lens_says():
    assert travel_of_blur(lens_model(), 45.0, 2.5) == pytest.approx(2.5 / 8.88 / 0.31, rel=0.01)


def test_stops_begin_at_the_nearest_end():
    assert from_nearest_end([1.0, 2.0, 3.0], 0.0) == (1.0, 2.0, 3.0)
    assert from_nearest_end([1.0, 2.0, 3.0], 2.6) == (3.0, 2.0, 1.0)


@given(st.floats(-0.5, 0.5), st.floats(0.05, 2.0), st.floats(0.5, 3.0), st.floats(1.0, 2.0))
def test_the_peak_of_a_symmetric_curve_is_found_between_the_stops(offset, width, step, power):
    """Gradient energies that fall with a power of the blur from one to two, narrow and wide."""

    def sharpness(position):
        return 1.0 / (1.0 + abs(position / width) ** power)

    points = [(40.0 + i * step, sharpness((i - offset) * step)) for i in range(-2, 3)]
    assert peak_position(points) == pytest.approx(40.0 + offset * step, abs=0.16 * step)


@pytest.mark.parametrize("slope", [0.3, 1.0])
def test_the_peak_of_a_v_is_found_exactly_at_unequal_stops(slope):
    points = [(x, (0.01 + slope * abs(x - 43.7)) ** -2) for x in (40.0, 43.0, 48.0)]
    assert peak_position(points) == pytest.approx(43.7, abs=0.01)


@given(
    st.lists(
        st.tuples(st.floats(24.0, 70.0), st.floats(0.0, 1e6)), min_size=1, unique_by=lambda p: round(p[0], 2)
    )
)
def test_the_peak_lies_among_the_points(points):
    position = [v for v, _ in points]
    assert min(position) <= peak_position(points) <= max(position)


def test_the_best_point_at_an_end_is_the_peak():
    assert peak_position([(40.0, 3.0), (41.0, 2.0), (42.0, 1.0)]) == 40.0
    assert peak_position([(40.0, 1.0)]) == 40.0
