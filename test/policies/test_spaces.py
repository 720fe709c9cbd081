"""Observations and actions of the paper."""

from __future__ import annotations

import numpy as np
import pytest
from analytic_rig import AnalyticRig
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.spaces import ActionError, ExposureObservation, FocusObservation, LensActions

ACTIONS = LensActions(24.0, 70.0)


def test_focus_observation_is_the_latent_alone():
    percept = AnalyticRig().observe()
    assert np.array_equal(FocusObservation.of(percept).vector(), percept.latent)


def test_exposure_observation_is_latent_counts_and_edges():
    percept = AnalyticRig().observe()
    observation = ExposureObservation.of(percept)
    assert np.array_equal(observation.counts, percept.histogram_counts)
    assert np.array_equal(observation.edges, percept.histogram_edges)
    vector = observation.vector()
    n = percept.latent.size
    assert vector.shape == (n + 21,)
    assert vector.dtype == np.float32
    assert vector[n : n + 10].sum() == pytest.approx(1.0)
    assert vector[n + 10] == 0.0
    assert vector[-1] == 1.0


def test_an_empty_histogram_makes_no_nan():
    percept = AnalyticRig().observe()
    empty = ExposureObservation(percept.latent, np.zeros(10, np.uint32), percept.histogram_edges)
    assert np.isfinite(empty.vector()).all()


def test_the_paper_s_lens_has_47_coarse_and_10_fine_actions():
    assert ACTIONS.nvec == (47, 10)
    assert LensActions.of(lens_model()) == LensActions(24.0, 70.0)


def test_ends_of_the_range():
    assert ACTIONS.position(0, 0) == 24.0
    assert ACTIONS.position(46, 0) == 70.0
    assert ACTIONS.position(46, 9) == 70.0
    assert ACTIONS.position(17, 3) == 41.3


@given(st.integers(0, 46), st.integers(0, 9))
def test_every_tenth_of_a_unit_is_one_action(coarse, fine):
    position = ACTIONS.position(coarse, fine)
    assert 24.0 <= position <= 70.0
    assert ACTIONS.action(position) == ((coarse, fine) if coarse < 46 else (46, 0))


@given(st.floats(24.0, 70.0))
def test_any_position_is_within_half_a_tenth_of_its_action(position):
    assert abs(ACTIONS.position(*ACTIONS.action(position)) - position) <= 0.05 + 1e-9


@pytest.mark.parametrize("action", [(-1, 0), (47, 0), (0, 10), (0, -1)])
def test_actions_outside_the_space_are_refused(action):
    with pytest.raises(ActionError, match="refused"):
        ACTIONS.position(*action)


@pytest.mark.parametrize("position", [float("nan"), float("inf"), 23.99, 70.01])
def test_positions_outside_the_range_are_refused(position):
    with pytest.raises(ActionError, match="refused"):
        ACTIONS.action(position)
