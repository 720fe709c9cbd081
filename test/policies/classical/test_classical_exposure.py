"""The histogram controller on a nearly linear sensor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic_rig import AnalyticRig
from hypothesis import given, settings
from hypothesis import strategies as st

from dasha_ros.control.loop import run_exposure
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.policies.classical.exposure import HistogramExposure
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureTask
from dasha_ros.policies.reached import bright_share, exposure_side, shares_of

TABLE = exposure_table()


def run(rig: AnalyticRig):
    return run_exposure(rig, HistogramExposure(), ExposureTask(rig.table))


@settings(max_examples=150)
@given(
    ideal_us=st.floats(200.0, 300_000.0),
    start=st.integers(0, 145),
    spread=st.floats(0.05, 1.6),
    black=st.floats(0.0, 12.0),
)
def test_ends_well_exposed_from_anywhere(ideal_us, start, spread, black):
    rig = AnalyticRig(
        exposure_us=TABLE.exposure_us(start), grey_per_us=100.0 / ideal_us, spread=spread, black=black
    )
    outcome = run(rig)
    assert outcome.code is ErrorCode.NONE
    assert exposure_side("well_exposed", outcome.percept) == 0
    assert outcome.steps <= 6


@given(st.floats(0.25, 1.9), st.floats(0.1, 0.8))
def test_one_step_is_enough_when_the_start_is_in_range(brightness, spread):
    rig = AnalyticRig(exposure_us=20_000.0, grey_per_us=brightness * 100.0 / 20_000.0, spread=spread)
    assert run(rig).steps <= 1 + (brightness > 1.2)


def test_a_good_picture_is_left_alone():
    outcome = run(AnalyticRig())
    assert (outcome.steps, outcome.code) == (0, ErrorCode.NONE)


@pytest.mark.parametrize(("grey_per_us", "limit"), [(1e-7, TABLE.t_max_us), (1e3, TABLE.t_min_us)])
def test_no_exposure_is_enough(grey_per_us, limit):
    rig = AnalyticRig(grey_per_us=grey_per_us)
    outcome = run(rig)
    assert outcome.code is ErrorCode.EXPOSURE_NOT_REACHED
    assert rig.exposure_us == limit
    assert "mean grey" in outcome.message


@settings(max_examples=60)
@given(st.integers(0, 145), st.randoms(use_true_random=False))
def test_ends_even_when_the_light_flickers(start, random):
    """Every percept excludes its own exposure, so no sequence of pictures makes the search endless."""
    policy = HistogramExposure()
    policy.reset(ExposureTask(TABLE))
    rig = AnalyticRig(exposure_us=TABLE.exposure_us(start))
    tried = []
    for _ in range(len(TABLE) + 1):
        rig.grey_per_us = random.choice((1e-9, 1e3))
        decision = policy.act(rig.observe())
        if decision.done:
            break
        assert decision.index not in tried
        tried.append(decision.index)
        rig.exposure_us = TABLE.exposure_us(decision.index)
    assert decision.done


@given(st.floats(0.05, 2.0), st.integers(0, 144))
def test_the_error_never_falls_with_exposure(spread, index):
    rig = AnalyticRig(spread=spread)
    darker, brighter = (rig.expose(TABLE.exposure_us(i)) for i in (index, index + 1))
    assert exposure_side("well_exposed", darker) <= exposure_side("well_exposed", brighter)


def test_two_modes_that_no_peak_satisfies_are_well_exposed_by_the_mean():
    """Black and white halves: Eq. 7's peak is in the dark bin or the bright one, never in 50..150."""
    counts = np.array([600, 0, 0, 0, 0, 0, 0, 400, 0, 0], np.uint32)
    percept = replace(AnalyticRig().observe(), histogram_counts=counts, histogram_peak=12.75, mean_grey=84.0)
    assert exposure_side("well_exposed", percept) == 0


def test_bright_share_counts_the_last_bin_of_ten():
    counts = np.array([0, 0, 0, 0, 0, 0, 0, 0, 30, 10], np.uint32)
    assert bright_share(shares_of(counts)) == 0.25
    assert bright_share(shares_of(np.zeros(10, np.uint32))) == 0.0


def test_act_before_reset_says_so():
    with pytest.raises(RuntimeError, match="reset"):
        HistogramExposure().act(AnalyticRig().observe())
