"""A moving object's focus is followed by its blur alone, and a still one moves nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dasha_ros.estimation.belief import belief_map
from dasha_ros.estimation.focus_track import BEYOND_D, NEAREST_D, REACH_PX, FocusTrack
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.learned.object_evidence import shipped_belief

LENS = belief_map(lens_model())
PX = LENS.px_per_dioptre
PROFILE = shipped_belief()[1].model.detail
# How the reading of four objects grew with their blur when they were rendered, on average: another curve than
# the one that the track expects.
RADII = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0, 14.0, 30.0, 60.0]
GROWTH = [0.0, 0.0, 0.23, 0.35, 0.45, 0.63, 0.8, 1.15, 1.5, 1.9, 2.6, 3.2]
PERIOD_S = 1.0 / 15.0
NEAR_M, FAR_M, START_M = 0.6, 3.0, 1.2


def distance(at: float, speed: float) -> float:
    """Back and forth, away from the camera first, or towards it with a negative speed [m]."""
    way = (START_M - NEAR_M + speed * at) % (2.0 * (FAR_M - NEAR_M))
    return NEAR_M + min(way, 2.0 * (FAR_M - NEAR_M) - way)


def held(speed: float, seconds: float, *, slope=1.0, noise=0.01, seed=0, period=PERIOD_S, settle=0.03):
    """Share of the pictures with at most 2 px of blur, and the number of moves."""
    rng, here, now, moves, blurs = np.random.default_rng(seed), 1.0 / START_M, 0.0, 0, []
    track = FocusTrack(PROFILE, LENS, here, 0.5)
    last = now
    while now < seconds:
        now += period
        blur = abs(1.0 / distance(now, speed) - here) * PX
        blurs.append(blur)
        reading = 0.5 + slope * np.interp(blur, RADII, GROWTH) + rng.normal(0.0, noise)
        track.see(now - last, here, reading)
        last = now
        aim = track.aim(here, period)
        if aim.is_elsewhere:
            here, now, moves = aim.dioptres, now + settle, moves + 1
    return float(np.mean(np.array(blurs) <= 2.0)), moves


@pytest.mark.parametrize("slope", [0.8, 1.0, 1.3])
@pytest.mark.parametrize(
    ("speed", "least"), [(0.05, 0.95), (-0.05, 0.95), (0.1, 0.95), (-0.1, 0.95), (0.5, 0.85), (-0.5, 0.85)]
)
def test_an_object_that_moves_in_depth_stays_within_2_px(speed, least, slope):
    share, moves = held(speed, 8.0, slope=slope)
    assert share >= least
    assert moves < 24


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.03])
def test_a_still_object_moves_nothing(noise):
    assert held(0.0, 10.0, noise=noise) == (1.0, 0)


@pytest.mark.study
def test_ten_minutes_of_a_still_and_noisy_object_move_nothing():
    assert held(0.0, 600.0, noise=0.02, period=0.1) == (1.0, 0)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_after_a_jump_one_side_is_tried_and_then_the_other(side):
    here, there = 1.0, 1.0 + side * 4.0 / PX
    track, places = FocusTrack(PROFILE, LENS, here, 0.5), []
    for _ in range(30):
        track.see(0.1, here, 0.5 + float(np.interp(abs(there - here) * PX, RADII, GROWTH)))
        aim = track.aim(here, 0.1)
        if aim.is_elsewhere:
            here = aim.dioptres
            places.append(here)
    assert abs(here - there) * PX < REACH_PX
    assert len(places) <= 4


def test_the_speed_is_known_after_a_while():
    track, here = FocusTrack(PROFILE, LENS, 1.0, 0.5), 1.0
    for step in range(1, 40):
        there = 1.0 / (1.0 + 0.2 * 0.1 * step)
        track.see(0.1, here, 0.5 + float(np.interp(abs(there - here) * PX, RADII, GROWTH)))
        if track.aim(here, 0.1).is_elsewhere:
            here = track.aim(here, 0.1).dioptres
    assert 0.05 < track.speed < 0.4


@pytest.mark.parametrize("metres", [0.25, 0.8, 3.0])
def test_an_object_that_nobody_sees_neither_comes_nor_goes(metres):
    track = FocusTrack(PROFILE, LENS, 1.0 / metres, 0.5)
    for _ in range(10):
        track.see(0.1, 1.0 / metres, math.nan)
        assert abs(track.speed) < 1e-9


def test_what_is_at_one_end_is_not_at_the_other():
    far, near = BEYOND_D * LENS.scale, NEAREST_D * LENS.scale
    track = FocusTrack(PROFILE, LENS, far, 0.5)
    nobody = track.aim(near, 1.0).here
    for _ in range(10):
        track.see(0.1, far, 0.5)
    assert track.aim(far, 0.1).here > 0.9
    assert track.aim(near, 1.0).here < 2.0 * nobody


READING = st.one_of(st.floats(-20.0, 20.0), st.just(math.nan), st.just(math.inf))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 3.0), st.floats(-0.3, 8.0), READING), max_size=8))
def test_whatever_is_read_the_aim_is_a_place_of_the_lens(pictures):
    track = FocusTrack(PROFILE, LENS, 1.0, 0.5)
    for seconds, here, reading in pictures:
        track.see(seconds, here, reading)
        aim = track.aim(here, 0.1)
        assert LENS.reach[0] - 0.1 <= aim.dioptres <= LENS.reach[1] + 0.1
        assert 0.0 <= aim.here <= 1.0 + 1e-9
        assert 0.0 < aim.chance <= 1.0 + 1e-9
    track.relit()
    assert math.isfinite(track.aim(1.0, 0.1).dioptres)
