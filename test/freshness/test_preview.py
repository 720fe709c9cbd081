"""When previews are due."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.freshness.clock import ManualClock
from dasha_ros.freshness.preview import PreviewPlan

SECOND_NS = 1_000_000_000


def _plan(
    mode: Literal["auto", "on_command", "free_running"], rate_hz: float
) -> tuple[PreviewPlan, ManualClock]:
    clock = ManualClock(10 * SECOND_NS)
    plan = PreviewPlan(clock)
    plan.mode, plan.rate_hz = mode, rate_hz
    return plan, clock


def test_the_first_picture_is_due_at_once_and_the_next_about_a_period_later() -> None:
    plan, clock = _plan("auto", 4.0)
    assert plan.is_due
    plan.taken(clock.now_ns(), awaited=False)
    assert not plan.is_due
    assert 0.2 <= plan.due_in_s <= 0.25
    clock.advance(SECOND_NS // 4)
    assert plan.is_due
    assert plan.due_in_s == 0.0


@pytest.mark.parametrize(
    ("mode", "goal_runs", "commanded", "is_on"),
    [
        ("auto", False, False, True),
        ("auto", True, False, False),
        ("auto", False, True, False),
        ("free_running", True, True, True),
        ("on_command", False, False, False),
    ],
)
def test_only_a_free_running_preview_goes_on_during_goals_and_commands(
    mode: Literal["auto", "on_command", "free_running"], goal_runs: bool, commanded: bool, is_on: bool
) -> None:
    plan, clock = _plan(mode, 50.0)
    plan.goal_runs = goal_runs
    if commanded:
        plan.taken(clock.now_ns(), awaited=True)
        clock.advance(SECOND_NS // 2)
    assert (plan.is_on, plan.streams) == (is_on, is_on)


def test_a_preview_comes_back_a_second_after_the_last_commanded_picture() -> None:
    plan, clock = _plan("auto", 2.0)
    plan.taken(clock.now_ns(), awaited=True)
    clock.advance(SECOND_NS - 1)
    assert not plan.is_due
    clock.advance(1)
    assert plan.is_due


@given(rate_hz=st.floats(0.01, 200.0))
def test_a_preview_of_any_rate_comes_at_that_rate(rate_hz: float) -> None:
    plan, clock = _plan("free_running", rate_hz)
    begin_ns, pictures = clock.now_ns(), 20
    for _ in range(pictures):
        clock.advance(round(plan.due_in_s * 1e9))
        assert plan.is_due
        plan.taken(clock.now_ns(), awaited=False)
    streams = rate_hz >= 10.0
    # The pictures of a stream are even; others come up to 50 ms early.
    assert (clock.now_ns() - begin_ns) / 1e9 == pytest.approx(
        (pictures - 1) / rate_hz, rel=1e-3, abs=1e-6 if streams else 0.05
    )
    assert plan.streams == streams


@given(rate_hz=st.sampled_from([0.5, 1.0, 2.0, 4.0, 5.0]), lamp_hz=st.sampled_from([100.0, 120.0]))
def test_triggered_previews_meet_a_lamp_in_all_moments_of_its_flicker(rate_hz: float, lamp_hz: float) -> None:
    plan, clock = _plan("auto", rate_hz)
    moments = []
    for _ in range(24):
        clock.advance(round(plan.due_in_s * 1e9))
        plan.taken(clock.now_ns(), awaited=False)
        moments.append(clock.now_ns() * 1e-9 * lamp_hz % 1.0)
    assert {int(4.0 * moment) for moment in moments} == {0, 1, 2, 3}


def test_a_rate_of_zero_means_no_preview() -> None:
    plan, _ = _plan("free_running", 0.0)
    assert not any((plan.is_on, plan.is_due, plan.streams))
