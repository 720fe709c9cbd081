"""Many lenses at once against the one of `optics.actuator`, and where episodes begin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_cache import _view

from dasha_ros.estimation.lens_map import LensMap
from dasha_ros.learning.envs.worlds import FocusWorlds
from dasha_ros.learning.training.preset_models import FocusWorld
from dasha_ros.optics.actuator import LensActuator
from dasha_ros.optics.profiles import lens_model
from dasha_ros.optics.varioptic import DRIVE, quantised_volts

LENS = lens_model()
MAP = LensMap(LENS)
VIEWS = tuple(_view(i, kind).info for i, kind in enumerate(("plane", "composite")))
STILL = {"settling_dioptres": 0.0}
MANY = 2000


def worlds(batch, **world):
    return FocusWorlds(LENS, VIEWS, FocusWorld(**world), batch)


def placed(batch, view=0, seed=0, **world):
    made = worlds(batch, **world)
    made.place(np.arange(batch), np.full(batch, view), np.random.default_rng(seed))
    return made


@given(st.lists(st.floats(24.0, 70.0), min_size=1, max_size=20))
def test_the_board_quantises_as_one_does(position):
    np.testing.assert_array_equal(DRIVE.outputs(np.array(position)), [quantised_volts(v) for v in position])


@settings(max_examples=50)
@given(
    start=st.floats(24.0, 70.0),
    slack=st.floats(0.0, 0.3),
    moves=st.lists(st.floats(24.0, 70.0), min_size=1, max_size=12),
)
def test_a_lens_of_a_batch_follows_as_one_alone(start, slack, moves):
    row, rng = np.zeros(1, np.intp), np.random.default_rng(0)
    made = placed(1, start_position=(start, start), hysteresis=(slack, slack), **STILL)
    alone = LensActuator(LENS, start, 0, hysteresis=slack)
    # Where the liquid is inside the play is drawn; both ends of the range take it up.
    for position in (24.0, 70.0, *moves):
        made.move(row, np.array([position]), rng)
        alone.command(position, 0)
        at_rest = alone.trajectory.target_dioptres
        assert made.commanded[0] == position
    assert made.defocus(row)[0] + made.object_dioptres[0] == pytest.approx(at_rest, abs=1e-3)


def test_episodes_begin_as_the_preset_says():
    made = placed(
        MANY, start_position=(30.0, 50.0), distance_m=(0.5, 4.0), drift_dioptres=0.155, ev=(-0.7, 0.5),
        hysteresis=(0.02, 0.1),
    )  # fmt: skip
    for drawn, low, high in (
        (made.commanded, 30.0, 50.0),
        (made.object_dioptres, 0.25, 2.0),
        (made.drift_dioptres, -0.155, 0.155),
        (made.ev, -0.7, 0.5),
        (made.hysteresis, 0.02, 0.1),
    ):
        assert low <= drawn.min() < low + 0.05 * (high - low)
        assert high - 0.05 * (high - low) < drawn.max() <= high
    # Half evenly in dioptres, half in their logarithm: of the nearer half of the dioptres that is
    # 1/2 and log(2 / 1.125) / log(8).
    share = (0.5 + np.log(2.0 / 1.125) / np.log(8.0)) / 2.0
    assert (made.object_dioptres > 1.125).mean() == pytest.approx(share, abs=0.04)


def test_two_depths_stay_about_where_they_were_composed():
    made = placed(MANY, view=1, distance_m=(0.3, 10.0))
    composed = 1.0 / VIEWS[1].distance_m
    assert np.abs(made.object_dioptres - composed).max() <= 0.1
    assert made.object_dioptres.std() > 0.04


def test_defocus_is_focus_minus_object_and_blur_its_size():
    made = placed(50, drift_dioptres=0.155, **STILL)
    rows, rng = np.arange(50), np.random.default_rng(1)
    made.move(rows, np.full(50, 45.0), rng)
    expected = MAP.dioptres(DRIVE.outputs(np.full(50, 45.0))) + made.drift_dioptres - made.object_dioptres
    np.testing.assert_allclose(made.defocus(rows), expected, atol=1e-9)
    sharp = abs(LENS.blur_px(1.0, 0.0))
    np.testing.assert_allclose(made.blur_px(rows), np.abs(expected) * sharp, rtol=1e-9)
    made.object_dioptres[:] = made.object_dioptres - 10.0
    assert (made.defocus(rows) > 0.0).all(), "focused nearer than a thing that is farther"


def test_what_is_left_of_a_move_is_small_and_new_every_time():
    made = placed(MANY, settling_dioptres=0.02)
    rows, rng = np.arange(MANY), np.random.default_rng(2)
    position = np.full(MANY, 45.0)
    made.move(rows, position, rng)
    first, draws = made.defocus(rows), made.draw.copy()
    made.move(rows, position, rng)
    change = made.defocus(rows) - first
    assert 0.03 < np.abs(change).max() <= 0.04 + 1e-12
    assert (made.draw != draws).mean() > 0.99, "and so is the noise"


def test_other_episodes_are_left_alone():
    made = placed(4)
    rng = np.random.default_rng(3)
    before = {name: value.copy() for name, value in vars(made).items() if isinstance(value, np.ndarray)}
    made.place(np.array([1]), np.array([1]), rng)
    made.move(np.array([1]), np.array([60.0]), rng)
    others = [0, 2, 3]
    for name, value in before.items():
        np.testing.assert_array_equal(vars(made)[name][others], value[others], err_msg=name)
    assert made.view[1] == 1
    assert made.commanded[1] == 60.0
