"""The contrast searches: each finds a plane from anywhere, in as many looks as its rules allow."""

from __future__ import annotations

import numpy as np
import pytest
from analytic_focus import ErrorCode, final_blur, focus, plane, profile, two_depths
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.rivals.golden_section import RATIO, GoldenSectionFocus
from dasha_ros.policies.rivals.hill_climb import HillClimbFocus
from dasha_ros.policies.rivals.libcamera import LibcameraFocus, parabola_peak
from dasha_ros.policies.rivals.profile_fit import ProfileFitFocus
from dasha_ros.policies.rivals.sweep import SweepFocus
from dasha_ros.policies.search import search_range

SEARCHES = {
    # name: maker, final blur [px at 640] and moves never exceeded on a plane without noise
    "sweep": (SweepFocus, 0.2, 150),
    "golden_section": (GoldenSectionFocus, 1.0, 14),
    "hill_climb": (HillClimbFocus, 1.0, 18),
    "libcamera": (LibcameraFocus, 1.2, 12),
    "profile_fit": (lambda: ProfileFitFocus(profile()), 1.0, 6),
}


@pytest.mark.parametrize("name", SEARCHES)
@settings(max_examples=40)
@given(depth=st.floats(0.0, 3.8), start=st.floats(24.0, 70.0))
@example(depth=0.0, start=70.0)
@example(depth=3.8, start=24.0)
def test_a_plane_is_focused_from_anywhere(name, depth, start):
    make, blur, moves = SEARCHES[name]
    rig = plane(depth, start)
    outcome = focus(rig, make())
    assert outcome.code is ErrorCode.NONE
    assert final_blur(rig) <= blur
    assert outcome.steps <= moves


@pytest.mark.parametrize("name", SEARCHES)
@settings(max_examples=15)
@given(depth=st.floats(0.0, 3.8), start=st.floats(24.0, 70.0), seed=st.integers(0, 1000))
def test_every_command_is_in_the_lens_range_whatever_is_seen(name, depth, start, seed):
    """Contrast that is pure noise: the search may fail, but it ends and asks for nothing impossible."""
    rig = plane(depth, start, noise=2.0, seed=seed)
    outcome = focus(rig, SEARCHES[name][0]())
    assert outcome.code in {ErrorCode.NONE, ErrorCode.OBJECT_NOT_FOUND}
    position = [value for _, value in rig.history]
    assert all(rig.lens.position_min <= v <= rig.lens.position_max for v in position)


@pytest.mark.parametrize("name", ["sweep", "libcamera", "profile_fit"])
@pytest.mark.parametrize("start", [30.0, 50.0, 66.0])
def test_with_two_depths_contrast_ends_on_the_background(name, start):
    rig = two_depths(1.6, start)
    focus(rig, SEARCHES[name][0]())
    assert final_blur(rig) > 6.0


@pytest.mark.parametrize("name", ["golden_section", "hill_climb"])
def test_searches_that_trust_in_one_peak_end_on_either_of_two(name):
    ends = set()
    for depth in (1.2, 1.6, 2.0, 2.4, 2.8):
        focus(rig := two_depths(depth, 50.0), SEARCHES[name][0]())
        background = abs(rig.lens.blur_px(rig.lens.dioptres(rig.position), rig.background_dioptres))
        ends.add("object" if final_blur(rig) < 2.0 else "background" if background < 2.0 else "between")
    assert "between" not in ends
    assert "background" in ends


@pytest.mark.parametrize("name", SEARCHES)
def test_the_same_policy_serves_a_second_episode(name):
    policy = SEARCHES[name][0]()
    first, again = ([focus(rig := plane(1.5, 60.0), policy).steps, rig.position] for _ in range(2))
    assert first == again


def test_sweep_looks_at_every_tenth_of_a_volt():
    rig = plane(1.0, 24.0)
    focus(rig, SweepFocus())
    position = np.array([value for _, value in rig.history[:-1]])
    low, high = search_range(rig.lens)
    assert (position[0], position[-1]) == pytest.approx((low, high))
    assert np.diff(position) == pytest.approx(0.1, abs=0.001)


@pytest.mark.parametrize("step", [0.0, -1.0, float("nan")])
def test_a_sweep_needs_a_step(step):
    with pytest.raises(ValueError, match="positive"):
        SweepFocus(step)


def test_golden_section_looks_once_for_each_shrinking():
    rig = plane(2.0, 24.0)
    outcome = focus(rig, GoldenSectionFocus())
    low, high = search_range(rig.lens)
    px = rig.lens.blur_px(rig.lens.dioptres(high), rig.lens.dioptres(low))
    shrinkings = int(np.ceil(np.log(1.5 / px) / np.log(RATIO)))
    assert outcome.steps == 2 + shrinkings + 1


def test_libcamera_begins_at_infinity_and_stops_past_the_peak():
    rig = plane(1.2, 60.0)
    focus(rig, LibcameraFocus())
    dioptres = [rig.lens.dioptres(value) for _, value in rig.history]
    assert dioptres[:3] == pytest.approx([0.0, 1.0, 2.0])
    assert dioptres[3] < 2.0, "the contrast fell below 0.75 of its maximum: the fine scan begins"
    assert dioptres[4] == pytest.approx(dioptres[3] - 0.25)


def test_libcamera_fails_without_contrast():
    """The object is detected, but nothing ever stood out: libcamera reports Failed."""
    rig = plane(1.0, 60.0)
    object.__setattr__(rig.things[0], "seen_px", 1e3)
    object.__setattr__(rig.things[0], "texture", 0.0)
    rig.background_texture = 1e-9
    rig.background_dioptres = 200.0
    assert focus(rig, LibcameraFocus()).code is ErrorCode.OBJECT_NOT_FOUND


@given(st.floats(-1.0, 1.0), st.floats(0.1, 5.0), st.booleans())
def test_the_parabola_finds_the_peak_of_a_parabola(peak, height, down):
    points = [(x, height * (10.0 - (x - peak) ** 2)) for x in (-1.5, -0.75, 0.0, 0.75, 1.5)]
    assert parabola_peak(points[::-1] if down else points) == pytest.approx(peak, abs=1e-6)


@pytest.mark.parametrize(
    "points", [[(1.0, 5.0)], [(0.0, 3.0), (1.0, 2.0)], [(0.0, 1.0), (1.0, 1.0), (2.0, 1.0)]]
)
def test_without_neighbours_or_slope_the_best_point_is_the_peak(points):
    assert parabola_peak(points) == points[0][0]


@settings(max_examples=30)
@given(st.floats(0.1, 3.5), st.floats(40.0, 52.0), st.integers(0, 100))
def test_profile_fit_bears_noise(depth, start, seed):
    rig = plane(depth, start, noise=0.03, seed=seed)
    outcome = focus(rig, ProfileFitFocus(profile()))
    assert final_blur(rig) <= 2.0
    assert outcome.steps <= 6


def test_profile_fit_needs_five_frames_or_fewer():
    """Three looks, the jump, and often a correction: the number to beat on planes."""
    random = np.random.default_rng(0)
    steps = []
    for _ in range(100):
        rig = plane(random.uniform(0.1, 3.33), random.uniform(24.0, 70.0), noise=0.02)
        steps.append(focus(rig, ProfileFitFocus(profile())).steps)
    assert np.mean(steps) <= 4.2


def test_lens_profiles_that_focus_farther_with_greater_positions_work_too():
    lens = lens_model("paper")
    for name, (make, blur, _) in SEARCHES.items():
        rig = plane(0.6, 40.0)
        rig.lens = lens
        focus(rig, make(), max_steps=800)
        assert final_blur(rig) <= max(blur, 3.0), name
