from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.optics.actuator import LensActuator, PowerTrajectory
from dasha_ros.optics.profiles import lens_model
from dasha_ros.optics.varioptic import DRIVE, quantised_volts

POSITIONS = st.floats(24.0, 70.0)
MS = 1_000_000


def actuator(position: float = 40.0, **numbers: float) -> LensActuator:
    return LensActuator(lens_model(), position, 0, **numbers)


@given(POSITIONS)
def test_the_board_puts_out_a_multiple_of_its_step_near_the_command(position: float) -> None:
    out = quantised_volts(position)
    assert 24.4 <= out <= 69.9
    steps = (out - 24.4) / 0.0445
    assert steps == pytest.approx(round(steps), abs=1e-6)
    if 24.4 <= position <= 69.87:
        assert abs(out - position) <= 0.0445 / 2 + 1e-9


def test_below_24_4_volts_nothing_changes() -> None:
    assert quantised_volts(24.0) == quantised_volts(24.2) == quantised_volts(24.4) == 24.4


@given(POSITIONS)
def test_a_chip_without_steps_follows_every_command(position: float) -> None:
    assert replace(DRIVE, step=0.0).output(position) == min(max(position, 24.4), 69.9)
    lens = actuator(24.0, step=0.0)
    lens.command(position, 0)
    assert lens.position == min(max(position, 24.4), 69.9)


@given(POSITIONS, st.floats(0.001, 0.5))
def test_other_steps_are_whole_too(position: float, step: float) -> None:
    out = replace(DRIVE, step=step).output(position)
    assert 24.4 <= out <= 69.9
    assert (out - 24.4) / step == pytest.approx(round((out - 24.4) / step), abs=1e-6)


@given(start=POSITIONS, target=POSITIONS)
def test_a_move_starts_where_the_lens_is_and_ends_within_the_play(start: float, target: float) -> None:
    lens = actuator(start)
    before = lens.trajectory.at(0)
    move = lens.command(target, 10 * MS)
    assert move.at(10 * MS) == pytest.approx(before)
    at_rest = move.at(10_000 * MS)
    wanted = lens_model().dioptres(quantised_volts(target))
    assert abs(at_rest - wanted) <= 0.31 * 0.05 + 1e-9


def test_the_lens_ends_short_on_the_side_it_came_from() -> None:
    up, down = actuator(40.0), actuator(60.0)
    from_below, from_above = (a.command(50.0, 0).target_dioptres for a in (up, down))
    assert from_above - from_below == pytest.approx(2 * 0.05 * 0.31)


def test_a_small_step_back_is_lost_in_the_play() -> None:
    lens = actuator(40.0)
    there = lens.command(50.0, 0).target_dioptres
    assert lens.command(50.0 - 0.0445, 0).target_dioptres == pytest.approx(there)
    assert lens.command(50.0 - 4 * 0.0445, 0).target_dioptres < there - 0.02


def test_a_move_is_a_first_order_lag() -> None:
    move = PowerTrajectory(1000 * MS, 1.0, 3.0, 0.02)
    assert move.at(0) == 1.0
    assert move.at(1020 * MS) == pytest.approx(3.0 - 2.0 * math.exp(-1))


def test_a_new_command_in_the_middle_of_a_move_makes_no_jump() -> None:
    lens = actuator(30.0)
    first = lens.command(60.0, 0)
    second = lens.command(40.0, 15 * MS)
    assert second.start_dioptres == pytest.approx(first.at(15 * MS))
    assert first.start_dioptres < second.start_dioptres < first.target_dioptres


@given(start=POSITIONS, target=POSITIONS, tolerance=st.floats(0.001, 0.1))
def test_settled_means_within_the_tolerance_and_not_before(
    start: float, target: float, tolerance: float
) -> None:
    move = actuator(start).command(target, 0)
    settle_s = move.settle_s(tolerance)
    error = abs(move.at(math.ceil(settle_s * 1e9)) - move.target_dioptres)
    assert error <= tolerance * (1 + 1e-6)
    if settle_s > 0:
        early = abs(move.at(int(settle_s * 0.9e9)) - move.target_dioptres)
        assert early > tolerance


def test_no_lag_no_wait() -> None:
    lens = actuator(time_constant_s=0.0)
    move = lens.command(60.0, 5 * MS)
    assert lens.settle_s == 0.0
    assert move.at(5 * MS) == move.target_dioptres


def test_heat_shifts_the_focus_slowly() -> None:
    lens = actuator(50.0)
    cold = lens.trajectory.target_dioptres
    drift = lens.set_temperature(35.0, 0)
    assert drift.start_dioptres == pytest.approx(cold)
    assert drift.target_dioptres == pytest.approx(cold - 0.5)
    assert lens.command(50.0, 1000 * MS).target_dioptres == pytest.approx(cold - 0.5)


def test_impossible_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="time constant"):
        actuator(time_constant_s=-1.0)
    with pytest.raises(ValueError, match="tolerance"):
        PowerTrajectory(0, 0.0, 1.0, 0.02).settle_s(0.0)
