"""Random disturbances: what they change, and that they change nothing else."""

from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.twin.stress import levels, light
from dasha_ros.twin.stress.disturbance import Disturbance

SHAPE = (68, 128)
PLAIN = Disturbance()
TEXTURE = np.random.default_rng(3).uniform(0.1, 0.9, SHAPE).astype(np.float32)
FRAME = np.random.default_rng(4).integers(0, 256, SHAPE, np.uint8)


def test_the_default_changes_nothing() -> None:
    assert PLAIN.on_light(TEXTURE) is TEXTURE
    assert PLAIN.on_levels(FRAME, np.random.default_rng(0)) is FRAME
    assert PLAIN.mid_grey_ev == 0.0


@given(seed=st.integers(0, 2**32))
def test_a_drawn_one_differs_and_leaves_pictures_whole(seed: int) -> None:
    made = Disturbance.drawn(np.random.default_rng(seed))
    assert made == Disturbance.drawn(np.random.default_rng(seed))
    differs = {key for key, value in asdict(made).items() if value != asdict(PLAIN)[key]}
    assert differs - {"motion_degrees"}
    seen = made.on_light(TEXTURE)
    assert seen.shape == SHAPE
    assert seen.dtype == np.float32
    assert np.isfinite(seen).all()
    assert seen.min() >= 0.0
    told = made.on_levels(FRAME, np.random.default_rng(seed))
    assert told.shape == SHAPE
    assert told.dtype == np.uint8


def test_every_kind_is_drawn_and_half_of_all_have_few_at_once() -> None:
    drawn = [Disturbance.drawn(np.random.default_rng(seed)) for seed in range(400)]
    for key, nothing in asdict(PLAIN).items():
        assert any(asdict(made)[key] != nothing for made in drawn), key
    counts = [
        sum(asdict(made)[key] != value for key, value in asdict(PLAIN).items() if key != "motion_degrees")
        for made in drawn
    ]
    assert min(counts) >= 1
    assert np.median(counts) <= 3


@given(gamma=st.floats(1.0, 2.4), ev=st.floats(-2.0, 2.0))
def test_the_exposure_that_is_asked_for_shows_mid_grey_and_what_is_left_to_it(
    gamma: float, ev: float
) -> None:
    """A linear sensor shows a grey card at level 100 by EV 0."""
    made = Disturbance(gamma=gamma, exposure_ev=ev)
    linear = 100.0 * 2.0 ** (made.mid_grey_ev - ev)
    shown = 255.0 * (linear / 255.0) ** (1.0 / gamma)
    assert shown == pytest.approx(100.0, abs=1e-6)
    assert int(levels.developed(np.array([[round(linear)]], np.uint8), gamma)[0, 0]) == pytest.approx(
        100, abs=3
    )


@given(length=st.floats(2.0, 9.0), degrees=st.floats(1.0, 179.0))
def test_motion_spreads_a_point_along_its_way(length: float, degrees: float) -> None:
    point = np.zeros((41, 81), np.float32)
    point[20, 40] = 1.0
    # The picture is 81 px wide, and lengths are for 640.
    spread = light.motion_blurred(point, length * 640 / 81, degrees)
    y, x = np.mgrid[-20:21, -40:41]
    along = x * math.cos(math.radians(degrees)) + y * math.sin(math.radians(degrees))
    across = -x * math.sin(math.radians(degrees)) + y * math.cos(math.radians(degrees))
    assert spread.sum() == pytest.approx(1.0, abs=1e-5)
    # An even line has length^2 / 12; to lie between pixels adds at most 1/4 px^2.
    assert 0.0 <= (spread * along**2).sum() - length**2 / 12 <= 0.25
    assert (spread * across**2).sum() <= 0.25
    assert (spread * along).sum() == pytest.approx(0.0, abs=1e-4)


def test_motion_to_the_side_is_the_same_in_both_ways_of_saying_it() -> None:
    sideways = light.motion_blurred(TEXTURE, 20.0)
    assert np.abs(light.motion_blurred(TEXTURE, 20.0, 180.0) - sideways).max() < 0.02


@given(gamma=st.floats(1.0, 2.4), contrast=st.floats(0.0, 1.0))
def test_a_response_curve_rises_and_keeps_black_and_white(gamma: float, contrast: float) -> None:
    curve = levels.developed(np.arange(256, dtype=np.uint8)[None], gamma, contrast)[0].astype(int)
    assert (curve[0], curve[-1]) == (0, 255)
    assert (np.diff(curve) >= 0).all()


def test_sharpening_lifts_edges_and_leaves_flat_parts() -> None:
    edge = np.full((68, 1280), 80, np.uint8)
    edge[:, 640:] = 160
    sharp = levels.sharpened(edge, 1.0)
    assert sharp[:, :600].max() == sharp[:, :600].min() == 80
    assert sharp.min() < 80
    assert sharp.max() > 160
    assert np.array_equal(levels.sharpened(edge, 0.0), edge)
