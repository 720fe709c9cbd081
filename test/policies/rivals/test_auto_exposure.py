"""Built-in auto exposure."""

from __future__ import annotations

from itertools import pairwise

import pytest
from analytic_rig import AnalyticRig
from hypothesis import given, settings
from hypothesis import strategies as st

from dasha_ros.control.loop import run_exposure
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureTask
from dasha_ros.policies.reached import exposure_side
from dasha_ros.policies.rivals.auto_exposure import MeanGreyExposure, OnceExposure

TABLE = exposure_table()
POLICIES = [MeanGreyExposure, OnceExposure]


@pytest.mark.parametrize("make", POLICIES)
@settings(max_examples=80)
@given(ideal_us=st.floats(200.0, 300_000.0), start=st.integers(0, 145), spread=st.floats(0.05, 1.0))
def test_ends_well_exposed_from_anywhere(make, ideal_us, start, spread):
    rig = AnalyticRig(exposure_us=TABLE.exposure_us(start), grey_per_us=100.0 / ideal_us, spread=spread)
    outcome = run_exposure(rig, make(), ExposureTask(rig.table))
    assert outcome.code is ErrorCode.NONE
    assert exposure_side("well_exposed", outcome.percept) == 0


@settings(max_examples=80)
@given(ideal_us=st.floats(200.0, 300_000.0), start=st.integers(0, 145))
def test_bisection_needs_at_most_eight_steps(ideal_us, start):
    rig = AnalyticRig(exposure_us=TABLE.exposure_us(start), grey_per_us=100.0 / ideal_us)
    assert run_exposure(rig, OnceExposure(), ExposureTask(rig.table)).steps <= 8


def test_the_controller_needs_one_step_in_range_of_the_sensor():
    rig = AnalyticRig(exposure_us=5_000.0, grey_per_us=100.0 / 20_000.0)
    assert run_exposure(rig, MeanGreyExposure(), ExposureTask(rig.table)).steps == 1


def test_a_change_is_limited_to_three_stops():
    rig = AnalyticRig(exposure_us=TABLE.exposure_us(0), grey_per_us=100.0 / 200_000.0)
    run_exposure(rig, MeanGreyExposure(), ExposureTask(rig.table))
    values = [TABLE.exposure_us(0), *(value for _, value in rig.history)]
    assert max(b / a for a, b in pairwise(values)) <= 8.0 * 1.08


@pytest.mark.parametrize("make", POLICIES)
@pytest.mark.parametrize(("grey_per_us", "limit"), [(1e-8, TABLE.t_max_us), (1e4, TABLE.t_min_us)])
def test_no_exposure_is_enough(make, grey_per_us, limit):
    rig = AnalyticRig(grey_per_us=grey_per_us)
    outcome = run_exposure(rig, make(), ExposureTask(rig.table, max_steps=40))
    assert outcome.code is ErrorCode.EXPOSURE_NOT_REACHED
    assert rig.exposure_us == limit


@pytest.mark.parametrize("make", POLICIES)
def test_act_before_reset_is_refused(make):
    with pytest.raises(RuntimeError, match="reset"):
        make().act(AnalyticRig().observe())
