"""Which of several runs ships."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.benchmark.shipping.choice import SETTINGS, candidates

SHARES = st.floats(0.0, 1.0)


def row(seed: int, setting: str = SETTINGS[0], **changes: object) -> dict[str, object]:
    return {
        "policy": "plus", "policy_seed": seed, "split": 0, "sampled": False, "setting": setting,
        "within_2px": 0.9, "within_1px": 0.8, "moves_settled": 3.0, "hunting": 0.1, **changes,
    }  # fmt: skip


def order(rows: list[dict[str, object]], hunting_weight: float = 0.5) -> list[int]:
    return [one.seed for one in candidates(rows, "plus", hunting_weight)]


def test_sharper_then_quicker_then_calmer_runs_come_first():
    assert order([row(0), row(1, within_2px=0.95)]) == [1, 0]
    assert order([row(0), row(1, within_1px=0.85)]) == [1, 0]
    assert order([row(0), row(1, moves_settled=2.5)]) == [1, 0]
    assert order([row(0), row(1, hunting=0.0)]) == [1, 0]
    # Without a price on hunting it decides nothing, and among equals the least seed comes first.
    assert order([row(1, hunting=0.0), row(0)], hunting_weight=0.0) == [0, 1]


def test_both_settings_count_the_same_and_nothing_else_counts():
    planes, depths = SETTINGS
    good_on_planes = [row(0, planes, within_2px=1.0), row(0, depths, within_2px=0.7)]
    even = [row(1, planes, within_2px=0.9), row(1, depths, within_2px=0.9)]
    other = [
        row(0, "joint", within_2px=1.0), row(0, within_2px=1.0, sampled=True), row(7, policy="planner"),
    ]  # fmt: skip
    assert order([*good_on_planes, *even, *other]) == [1, 0]


@given(st.lists(st.tuples(SHARES, SHARES, st.floats(0.0, 40.0), SHARES), min_size=1, max_size=5))
def test_the_merit_is_the_mean_of_the_published_formula(numbers):
    keys = ("within_2px", "within_1px", "moves_settled", "hunting")
    rows = [row(seed, **dict(zip(keys, each, strict=True))) for seed, each in enumerate(numbers)]
    found = {one.seed: one.merit for one in candidates(rows, "plus", 0.3)}
    for seed, (two, one, moves, hunting) in enumerate(numbers):
        assert found[seed] == pytest.approx(0.5 * two + 0.5 * one - 0.02 * moves - 0.3 * hunting, abs=1e-4)
