"""What `Lens` promises, asked of every back end.

On a bench: ``DASHA_LENS_PORT=/dev/serial/by-id/... pytest -m hardware test/devices``.
"""

from __future__ import annotations

import json
import math

import pytest

from dasha_ros.devices.errors import DeviceLost, OutOfRange
from dasha_ros.optics.actuator import quantised_volts

HOSTILE = [math.nan, math.inf, -math.inf, 0.0, -45.0, 23.9999, 70.0001, 46_000.0, 1e308]


def test_a_move_reports_what_the_board_puts_out(lens_under_test) -> None:
    lens = lens_under_test.lens
    lens.open()
    for volts in (24.0, 24.39, 24.5, 45.0, 45.01, 69.95, 70.0):
        reading = lens.move(volts)
        assert reading.volts == pytest.approx(quantised_volts(volts))
        assert lens.read().volts == reading.volts


def test_the_output_moves_in_steps_and_never_far_from_the_command(lens_under_test) -> None:
    lens = lens_under_test.lens
    lens.open()
    for volts in (25.0, 33.333, 50.5, 69.0):
        assert abs(lens.move(volts).volts - volts) <= 0.0445 / 2 + 1e-9


def test_a_move_takes_its_time_to_settle(lens_under_test) -> None:
    lens, clock = lens_under_test.lens, lens_under_test.clock
    lens.open()
    lens.move(30.0)
    moved = lens.move(60.0)
    assert 0.0 < moved.settle_s < 1.0
    clock.wait_until(clock.now_ns() + round(moved.settle_s * 1e9) + 1)
    assert lens.read().settle_s == 0.0


def test_reading_does_not_move(lens_under_test) -> None:
    lens = lens_under_test.lens
    lens.open()
    volts = lens.move(41.0).volts
    assert [lens.read().volts for _ in range(3)] == [volts] * 3


@pytest.mark.parametrize("volts", HOSTILE)
def test_hostile_voltages_are_refused_and_move_nothing(lens_under_test, volts: float) -> None:
    lens = lens_under_test.lens
    lens.open()
    before = lens.move(41.0).volts
    with pytest.raises(OutOfRange, match=r"24\.0 to 70\.0 V"):
        lens.move(volts)
    assert lens.read().volts == before


def test_a_lens_that_is_not_open_is_lost(lens_under_test) -> None:
    lens = lens_under_test.lens
    with pytest.raises(DeviceLost):
        lens.read()
    lens.open()
    lens.close()
    with pytest.raises(DeviceLost):
        lens.move(41.0)


def test_closing_twice_and_opening_again_is_fine(lens_under_test) -> None:
    lens = lens_under_test.lens
    lens.close()
    for volts in (41.0, 52.0):
        lens.open()
        assert lens.move(volts).volts == pytest.approx(quantised_volts(volts))
        lens.close()
        lens.close()


def test_opening_again_finds_the_voltage_that_was_in_force(lens_under_test) -> None:
    lens = lens_under_test.lens
    lens.open()
    volts = lens.move(52.0).volts
    lens.close()
    assert lens.open().volts == volts


def test_the_description_can_be_published(lens_under_test) -> None:
    lens = lens_under_test.lens
    assert json.dumps(lens.describe())
    lens.open()
    assert lens.describe()["model"]
    assert json.dumps(lens.describe())


def test_an_unplugged_lens_is_lost_until_it_is_opened_again(lens_under_test) -> None:
    if lens_under_test.unplug is None:
        pytest.skip("this lens has no cable to pull")
    lens = lens_under_test.lens
    lens.open()
    lens.move(41.0)
    lens_under_test.unplug()
    for _ in range(2):
        with pytest.raises(DeviceLost):
            lens.move(42.0)
        with pytest.raises(DeviceLost):
            lens.open()
    lens_under_test.plug()
    with pytest.raises(DeviceLost):
        lens.read()
    assert lens.open().volts == pytest.approx(quantised_volts(41.0))
    assert lens.move(42.0).volts == pytest.approx(quantised_volts(42.0))
