"""What `Lens` promises, asked of every back end, whatever its unit.

On a bench: ``DASHA_LENS_PORT=/dev/serial/by-id/... pytest -m hardware test/devices``.
"""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dasha_ros.devices.errors import DeviceLost, OutOfRange
from dasha_ros.devices.lens import checked_reading
from dasha_ros.optics.varioptic import UNIT, quantised_volts

SHARES = (0.0, 0.008, 0.011, 0.45, 0.451, 0.999, 1.0)
"""Of the lens's range, from end to end."""


def at(lens, share: float) -> float:
    """A position, by its share of the lens's range."""
    info = lens.info
    return info.position_min + share * (info.position_max - info.position_min)


def put_out(lens, position: float) -> float:
    """Where a lens goes that is told to go somewhere."""
    if lens.info.unit == UNIT:
        return quantised_volts(position)
    least, step = lens.info.position_min, lens.info.resolution
    return least + round((position - least) / step) * step


def test_a_lens_says_what_it_takes(lens_under_test) -> None:
    lens = lens_under_test.lens
    lens.open()
    info = lens.info
    assert info.unit
    assert info.position_min < info.position_max
    assert info.admits(info.position_min)
    assert info.admits(info.position_max)
    assert info.settle_s > 0.0


def test_a_move_reports_where_the_lens_goes(lens_under_test) -> None:
    lens = lens_under_test.lens
    opened = lens.open()
    assert checked_reading(opened) == opened
    for share in SHARES:
        position = at(lens, share)
        reading = lens.move(position)
        assert checked_reading(reading) == reading
        assert reading.position == pytest.approx(put_out(lens, position))
        assert lens.read().position == reading.position


def test_the_output_moves_in_steps_and_never_far_from_the_command(lens_under_test) -> None:
    lens = lens_under_test.lens
    lens.open()
    for share in (0.03, 0.2, 0.577, 0.97):
        position = at(lens, share)
        assert abs(lens.move(position).position - position) <= lens.info.resolution / 2 + 1e-9


def test_a_move_takes_its_time_to_settle(lens_under_test) -> None:
    lens, clock = lens_under_test.lens, lens_under_test.clock
    lens.open()
    lens.move(at(lens, 0.15))
    moved = lens.move(at(lens, 0.8))
    assert 0.0 < moved.settle_s < 1.0
    clock.wait_until(clock.now_ns() + round(moved.settle_s * 1e9) + 1)
    assert lens.read().settle_s == 0.0


def test_reading_does_not_move(lens_under_test) -> None:
    lens = lens_under_test.lens
    lens.open()
    position = lens.move(at(lens, 0.37)).position
    assert [lens.read().position for _ in range(3)] == [position] * 3


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(beyond=st.floats(0.0, 1e12, exclude_min=True) | st.just(math.inf), below=st.booleans())
def test_a_position_beyond_the_limits_is_refused_and_moves_nothing(
    lens_under_test, beyond: float, below: bool
) -> None:
    lens = lens_under_test.lens
    lens.open()
    before, info = lens.move(at(lens, 0.37)).position, lens.info
    outside = info.position_min - beyond if below else info.position_max + beyond
    if info.admits(outside):  # rounded away
        outside = math.nextafter(info.position_min, -math.inf)
    for position in (outside, math.nan):
        with pytest.raises(OutOfRange, match=f"from {info.position_min} to {info.position_max} {info.unit}"):
            lens.move(position)
    assert lens.read().position == before


def test_a_lens_that_is_not_open_is_lost(lens_under_test) -> None:
    lens = lens_under_test.lens
    with pytest.raises(DeviceLost):
        lens.read()
    lens.open()
    lens.close()
    with pytest.raises(DeviceLost):
        lens.move(at(lens, 0.37))


def test_closing_twice_and_opening_again_is_fine(lens_under_test) -> None:
    lens = lens_under_test.lens
    lens.close()
    for share in (0.37, 0.61):
        lens.open()
        position = at(lens, share)
        assert lens.move(position).position == pytest.approx(put_out(lens, position))
        lens.close()
        lens.close()


def test_opening_again_finds_the_position_that_was_in_force(lens_under_test) -> None:
    lens = lens_under_test.lens
    lens.open()
    position = lens.move(at(lens, 0.61)).position
    lens.close()
    assert lens.open().position == position


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
    here, there = at(lens, 0.37), at(lens, 0.39)
    lens.move(here)
    lens_under_test.unplug()
    for _ in range(2):
        with pytest.raises(DeviceLost):
            lens.move(there)
        with pytest.raises(DeviceLost):
            lens.open()
    lens_under_test.plug()
    with pytest.raises(DeviceLost):
        lens.read()
    assert lens.open().position == pytest.approx(put_out(lens, here))
    assert lens.move(there).position == pytest.approx(put_out(lens, there))
