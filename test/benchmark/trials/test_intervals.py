"""Intervals by photograph: checked against formulas for independent draws, and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, t, ttest_1samp

from dasha_ros.benchmark.trials.intervals import mean_of, share_of

VALUES = st.lists(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=5), min_size=2, max_size=8)


def clusters(groups):
    return {str(number): values for number, values in enumerate(groups)}


def test_single_values_give_students_interval():
    values = [1.0, 4.0, 2.5, 3.0, 7.0]
    found = mean_of(clusters([[value] for value in values]))
    expected = ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_equal_copies_tell_nothing_new():
    """Ten episodes that agree on each photograph count as one."""
    few = clusters([[1.0], [0.0], [1.0], [1.0]])
    many = {name: values * 10 for name, values in few.items()}
    assert share_of(many).low == pytest.approx(share_of(few).low)
    assert mean_of(many).high == pytest.approx(mean_of(few).high)


def test_shares_of_many_single_draws_give_wilsons_interval():
    hits, draws = 300, 400
    found = share_of(clusters([[1.0]] * hits + [[0.0]] * (draws - hits)))
    expected = binomtest(hits, draws).proportion_ci(0.95, method="wilson")
    assert (found.mean, found.low, found.high) == pytest.approx((0.75, expected.low, expected.high), abs=1e-3)


def test_a_hundred_per_cent_on_few_stacks_is_not_certain():
    found = share_of(clusters([[1.0] * 20] * 10))
    assert (found.mean, found.high) == (1.0, 1.0)
    z2 = t.ppf(0.975, 9) ** 2
    assert found.low == pytest.approx(10 / (10 + z2))


def test_intervals_hold_the_truth_as_often_as_they_say():
    """40 photographs whose own shares differ, 6 episodes each: 95 % of the intervals hold the mean share."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        own = rng.beta(3.0, 1.0, 40)
        found = share_of(clusters(rng.random((40, 6)) < own[:, None]))
        held += found.low <= 0.75 <= found.high
    assert 0.92 <= held / 400 <= 0.98


@given(VALUES)
def test_an_interval_holds_its_mean(groups):
    found = share_of(clusters(groups))
    assert 0.0 <= found.low <= found.mean + 1e-9
    assert found.mean - 1e-9 <= found.high <= 1.0
    wide = mean_of(clusters(groups))
    assert wide.low <= wide.mean <= wide.high


def test_one_cluster_has_no_interval_and_none_no_mean():
    assert mean_of({"a": [1.0, 2.0]}).low is None
    assert share_of({"a": [1.0]}).high is None
    with pytest.raises(ValueError, match="nothing"):
        share_of({"a": []})
