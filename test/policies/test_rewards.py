"""Eq. 7 and Eq. 8 of the paper, case by case."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from analytic_rig import AnalyticRig, Thing
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.policies.rewards import (
    RewardError,
    exposure_reward,
    focus_reward,
    reward_exposure,
    reward_focus,
)

finite = st.floats(-1e3, 1e3)


@pytest.mark.parametrize("peak", [50.0, 100.0, 150.0])
def test_good_peak_earns_one_whatever_the_quality(peak):
    assert exposure_reward(peak, 80.0).value == 1.0


@pytest.mark.parametrize("peak", [25.0, 49.999, 150.001, 175.0])
def test_discernible_peak_costs_a_hundredth_of_brisque(peak):
    assert exposure_reward(peak, 40.0).value == pytest.approx(-0.4)


@pytest.mark.parametrize("peak", [0.0, 24.999, 175.001, 255.0])
def test_other_peaks_cost_one(peak):
    assert exposure_reward(peak, 40.0).value == -1.0


def test_missing_detection_costs_one():
    assert focus_reward(False, 12.0).value == -1.0


@pytest.mark.parametrize(("brisque", "reward"), [(0.0, 0.0), (37.5, -0.375), (110.0, -1.1), (-5.0, 0.05)])
def test_detection_costs_a_hundredth_of_brisque(brisque, reward):
    assert focus_reward(True, brisque).value == pytest.approx(reward)


@given(finite, finite, st.booleans())
def test_terms_add_up_and_keep_their_names(peak, brisque, detected):
    exposure, focus = exposure_reward(peak, brisque), focus_reward(detected, brisque)
    assert sum(exposure.terms.values()) == exposure.value
    assert sum(focus.terms.values()) == focus.value
    assert list(exposure.terms) == ["exposure", "quality"]
    assert list(focus.terms) == ["detection", "quality"]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_never_a_reward(bad):
    with pytest.raises(RewardError, match="histogram_peak"):
        exposure_reward(bad, 40.0)
    with pytest.raises(RewardError, match="brisque"):
        exposure_reward(100.0, bad)
    with pytest.raises(RewardError, match="brisque"):
        focus_reward(False, bad)


def test_rewards_of_a_percept_follow_the_goal():
    percept = AnalyticRig(things=(Thing("cat", dioptres=1.0),)).move(40.0 + 1.0 / 0.31)
    quality = pytest.approx(-0.01 * percept.brisque)
    assert reward_focus(percept, frozenset({"cat"}), 0.3).value == quality
    assert reward_focus(percept, frozenset(), 0.3).value == quality
    assert reward_focus(percept, frozenset({"dog"}), 0.3).value == -1.0
    assert reward_focus(percept, frozenset({"cat"}), 0.95).value == -1.0
    assert reward_exposure(replace(percept, histogram_peak=60.0)).value == 1.0
