"""Whether an object is sharp, by its own detail: against the model's own words, and on blur of known size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_curves import LARGE
from known_curves import model as known_model

from dasha_ros.estimation.belief import hypotheses, log_prior
from dasha_ros.estimation.candidates import likeliest
from dasha_ros.estimation.own_sharpness import ENOUGH_CELLS, SHARP_PX, SURE_SCORES, UNCOMPARED, OwnSharpness

PX = 8.9
GRID = hypotheses()
OBJECT_D = 1.7
ROW = np.zeros(1, np.intp)
SURE = np.array([SURE_SCORES[1]])
REACH = (-5.0, 9.0)


def evidence(*focused, scale=1.0, trust=SURE, cells=LARGE):
    """Of an object at `OBJECT_D` that blurs ``scale`` times as much as the map says."""
    own = OwnSharpness(known_model().detail, 1, GRID, log_prior(GRID), PX)
    for here in focused:
        blur = abs(here - OBJECT_D) * PX * scale
        own.add(ROW, np.array([here]), np.array([[np.log1p(blur)]]), trust, cells)
    return own


def sharp(own, here=OBJECT_D):
    return own.probability(np.array([here]))[0]


def test_nothing_is_known_before_the_object_was_seen():
    assert np.isnan(sharp(evidence()))
    own = evidence()
    own.add(ROW, np.array([1.0]), np.array([[np.nan]]), SURE, LARGE)
    assert np.isnan(sharp(own, 1.0))
    assert not own.heard[0]


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_detail_that_falls_on_both_sides_proves_a_place_whatever_the_scale(scale):
    own = evidence(OBJECT_D - 0.8, OBJECT_D + 0.8, OBJECT_D, scale=scale)
    assert sharp(own) > 0.9
    assert sharp(own, OBJECT_D + 0.8) < 0.05


def test_one_blurred_picture_proves_nothing():
    assert sharp(evidence(OBJECT_D - 1.0), OBJECT_D - 1.0) < 0.05


def test_a_sharp_look_alone_proves_little_and_one_blurred_picture_of_the_same_object_more():
    """An object without fine texture looks at 4 px of blur as another one does in focus."""
    alone = sharp(evidence(OBJECT_D))
    assert alone == UNCOMPARED
    assert sharp(evidence(OBJECT_D - 1.0, OBJECT_D)) > alone
    blurred_alone = sharp(evidence(OBJECT_D - 1.0), OBJECT_D - 1.0)
    assert blurred_alone < alone  # the limit raises nothing


def test_pictures_that_look_alike_are_no_comparison():
    own = evidence()
    for here in (OBJECT_D - 0.4, OBJECT_D):
        own.add(ROW, np.array([here]), np.array([[0.3]]), SURE, LARGE)
    assert sharp(own) <= UNCOMPARED


def test_an_unsure_detection_does_not_count():
    assert np.isnan(sharp(evidence(OBJECT_D, trust=np.array([SURE_SCORES[0]]))))


def test_a_small_object_counts_by_the_cells_that_it_covers():
    places = OBJECT_D - 0.8, OBJECT_D + 2.0
    every, half, few, none, uncounted = (
        evidence(*places, cells=np.array([cells]))
        for cells in (ENOUGH_CELLS, ENOUGH_CELLS / 2.0, 1.0, 0.0, np.nan)
    )
    for own in (every, uncounted):
        np.testing.assert_array_equal(own.posterior, evidence(*places).posterior)
    told = [sharp(own) for own in (every, half, few)]
    assert told[0] > told[1] > told[2] > np.exp(log_prior(GRID)).max()
    assert np.isnan(sharp(none))


@settings(max_examples=25)
@given(st.lists(st.tuples(st.floats(-1.0, 4.0), st.floats(-1.0, 5.0)), min_size=1, max_size=8))
def test_it_stays_a_probability(pictures):
    own = evidence()
    for here, number in pictures:
        own.add(ROW, np.array([here]), np.array([[number]]), SURE, LARGE)
        assert own.posterior.sum() == pytest.approx(1.0)
        assert own.sharpest().dioptres == likeliest(own.posterior, GRID, SHARP_PX / PX).dioptres
        assert 0.0 <= sharp(own, here) <= 1.0 + 1e-9
        assert REACH[0] <= own.next_look(np.array([here]), REACH)[0] <= REACH[1]


def test_the_next_look_is_where_the_object_is_likeliest():
    own = evidence(OBJECT_D - 1.0, OBJECT_D + 1.2)
    look = own.next_look(np.array([OBJECT_D + 1.2]), REACH)[0]
    assert abs(look - OBJECT_D) * PX < SHARP_PX


def test_at_the_likeliest_place_the_next_look_is_beside_it_and_new():
    own = evidence(OBJECT_D)
    here = own.sharpest().dioptres
    first = own.next_look(here, REACH)
    assert abs(first[0] - here[0]) * PX == pytest.approx(3.0, abs=0.1)
    own.add(ROW, first, np.array([[np.log1p(abs(first[0] - OBJECT_D) * PX)]]), SURE, LARGE)
    second = own.next_look(own.sharpest().dioptres, REACH)
    assert abs(second[0] - first[0]) * PX > 1.5


def test_out_of_reach_is_not_looked_at():
    here = np.array([OBJECT_D])
    own = evidence(OBJECT_D)
    assert own.next_look(here, (OBJECT_D, OBJECT_D)) == pytest.approx(here)


def test_episodes_begin_anew():
    own = evidence(OBJECT_D - 0.8, OBJECT_D + 0.8)
    own.reset(ROW)
    np.testing.assert_allclose(own.posterior[0], np.exp(log_prior(GRID)))
    assert np.isnan(sharp(own))
