"""Rivals that look at nothing."""

from __future__ import annotations

import pytest
from analytic_focus import ErrorCode, final_blur, focus, plane
from analytic_rig import AnalyticRig
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.control.loop import run_exposure
from dasha_ros.policies.policy import ExposureTask
from dasha_ros.policies.rivals.constant import ConstantExposure, ConstantFocus


@given(st.floats(1.4, 2.0), st.floats(24.0, 70.0))
def test_one_voltage_is_right_everywhere_in_the_papers_band(distance, start):
    rig = plane(1.0 / distance, start)
    assert focus(rig, ConstantFocus()).code is ErrorCode.NONE
    assert final_blur(rig) <= 1.0


def test_in_the_wide_band_it_is_wrong():
    rig = plane(3.0, 40.0)
    focus(rig, ConstantFocus(band_m=(0.3, 10.0)))
    assert final_blur(rig) > 10.0


def test_a_named_voltage():
    rig = plane(1.0, 40.0)
    assert focus(rig, ConstantFocus(55.5)).steps == 1
    assert rig.history == [("position", 55.5)]


def test_nothing_to_do_when_it_is_there_already():
    rig = plane(0.5, 42.0)
    focus(rig, ConstantFocus(42.0))
    assert rig.history == []


@pytest.mark.parametrize(("ideal_us", "code"), [
    (40_000.0, ErrorCode.NONE),
    (400.0, ErrorCode.EXPOSURE_NOT_REACHED),
    (400_000.0, ErrorCode.EXPOSURE_NOT_REACHED),
])  # fmt: skip
def test_one_exposure_is_right_in_one_light(ideal_us, code):
    rig = AnalyticRig(exposure_us=30.0, grey_per_us=100.0 / ideal_us)
    outcome = run_exposure(rig, ConstantExposure(), ExposureTask(rig.table))
    assert (outcome.code, outcome.steps) == (code, 1)


@pytest.mark.parametrize("policy", [ConstantFocus(), ConstantExposure()])
def test_act_before_reset_is_refused(policy):
    with pytest.raises(RuntimeError, match="reset"):
        policy.act(plane(1.0, 40.0).observe())
