from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.optics.exposure_table import ExposureTable, asked_us, exposure_table, made_of


def test_the_default_table_is_the_camera_range_in_equal_ratios() -> None:
    table = exposure_table()
    assert len(table) == 146
    assert (table.t_min_us, table.t_max_us) == (24.0, 1e6)
    ratios = [b / a for a, b in zip(table.values_us[60:], table.values_us[61:], strict=False)]
    assert ratios == pytest.approx([1.0761] * len(ratios), rel=1e-3)


def test_the_paper_claim_fits_too() -> None:
    table = exposure_table(100.0, 5e6)
    assert (table.t_min_us, table.t_max_us, len(table)) == (100.0, 5e6, 146)


@given(low=st.floats(20.0, 1000.0), factor=st.floats(500.0, 1e6), n=st.integers(2, 146))
def test_values_are_whole_ascending_and_inside_the_limits(low: float, factor: float, n: int) -> None:
    table = exposure_table(low, low * factor, n)
    assert all(a < b for a, b in zip(table.values_us, table.values_us[1:], strict=False))
    assert all(v == round(v) and low <= v <= low * factor for v in table.values_us)


@given(st.floats(1e-3, 1e9))
def test_nearest_is_nearest_in_brightness(exposure_us: float) -> None:
    table = exposure_table()
    best = min(range(len(table)), key=lambda i: abs(math.log(table.values_us[i] / exposure_us)))
    here = table.values_us[table.nearest(exposure_us)]
    assert abs(math.log(here / exposure_us)) == pytest.approx(
        abs(math.log(table.values_us[best] / exposure_us)), abs=1e-12
    )


@given(st.integers(0, 145))
def test_an_index_survives_the_way_there_and_back(index: int) -> None:
    table = exposure_table()
    assert table.nearest(table.exposure_us(index)) == index


def test_a_table_is_brought_within_a_cameras_limits() -> None:
    table = exposure_table()
    narrowed = table.within(100.0, 3e6)
    assert (narrowed.t_min_us, narrowed.t_max_us, len(narrowed)) == (100.0, 1e6, 146)
    assert narrowed.id == exposure_table(100.0, 1e6).id
    # One that learned policies were trained with stays itself.
    assert table.within(24.0, 1e6) is table.within(20.0, 1e7) is table
    assert table.within(24.5, 1e6).t_min_us == 25.0
    with pytest.raises(ValueError, match="exposure limits"):
        table.within(2e6, 1e7)


def test_ids_tell_tables_apart() -> None:
    ids = {
        exposure_table().id,
        exposure_table(n=145).id,
        exposure_table(25.0).id,
        ExposureTable((24.0, 1e6)).id,
    }
    assert len(ids) == 4
    assert exposure_table().id == exposure_table(24.0, 1e6, 146).id


@pytest.mark.parametrize(
    "values", [(1.0,), (2.0, 1.0), (1.0, 1.0), (0.0, 1.0), (1.0, math.nan), (1.0, math.inf)]
)
def test_a_table_that_is_none_is_refused(values: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="exposure table"):
        ExposureTable(values)


def test_rounding_that_makes_values_equal_is_refused() -> None:
    with pytest.raises(ValueError, match="use fewer values or a wider range"):
        exposure_table(1.0, 100.0)


@pytest.mark.parametrize(("low", "high"), [(10.0, 10.0), (0.5, 10.0), (math.nan, 10.0), (1.0, math.inf)])
def test_impossible_limits_are_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="exposure limits"):
        exposure_table(low, high)


@pytest.mark.parametrize("index", [-1, 146])
def test_indices_outside_are_refused(index: int) -> None:
    with pytest.raises(IndexError, match=r"0\.\.145"):
        exposure_table().exposure_us(index)


@pytest.mark.parametrize("exposure_us", [0.0, -1.0, math.nan])
def test_no_exposure_is_near_nothing(exposure_us: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        exposure_table().nearest(exposure_us)


@given(gain_db=st.floats(0.0, 36.0))
def test_a_table_goes_on_with_gain_in_the_same_ratios(gain_db: float) -> None:
    table = exposure_table()
    longer = table.with_gain(gain_db)
    assert longer.values_us[:146] == table.values_us
    assert (longer.id, longer.t_max_us, longer.base) == (table.id, table.t_max_us, table)
    # In equal ratios, as near to the most gain as a step of the table allows.
    most_us = 1e6 * 10.0 ** (gain_db / 20.0)
    assert most_us / 1.0762 < longer.values_us[-1] <= most_us * (1 + 1e-6)
    beyond = [b / a for a, b in zip(longer.values_us[145:], longer.values_us[146:], strict=False)]
    assert beyond == pytest.approx([1.0761] * longer.gains, rel=1e-3)


@given(index=st.integers(0, 182), own_db=st.floats(0.0, 12.0))
def test_a_frame_tells_which_value_made_it(index: int, own_db: float) -> None:
    table = exposure_table().with_gain(24.0)
    assert len(table) == 183
    exposure_us, gain_db = made_of(table.exposure_us(index), table.t_max_us)
    assert exposure_us <= 1e6
    assert (gain_db > 0.0) == (index > 145)
    assert table.seen(exposure_us, gain_db) == index
    assert asked_us(exposure_us, gain_db, 1e6) == pytest.approx(table.exposure_us(index))
    if index < 145:
        assert table.seen(exposure_us, own_db) == index, "a gain of the camera's own is not part of it"


@given(index=st.integers(0, 182), longest_us=st.floats(1e4, 2e6))
def test_gain_begins_where_the_exposure_of_the_camera_or_of_the_table_ends(
    index: int, longest_us: float
) -> None:
    table = exposure_table().with_gain(24.0, longest_us)
    assert table.id == exposure_table().id
    assert table.gain_from_us == min(longest_us, 1e6)
    index = min(index, len(table) - 1)
    exposure_us, gain_db = made_of(table.exposure_us(index), table.gain_from_us)
    assert exposure_us <= 1e6
    assert (gain_db > 0.0) == (table.exposure_us(index) > table.gain_from_us)
    assert table.seen(exposure_us, gain_db) == index


@given(
    longest_us=st.floats(1e4, 1e7), most_us=st.floats(1e4, 1e6), mains_hz=st.sampled_from([0.0, 50.0, 60.0])
)
def test_no_step_of_a_table_with_gain_is_a_jump(longest_us: float, most_us: float, mains_hz: float) -> None:
    """Two flickers after one are the widest step, and 16 dB the end, however long a camera exposes."""
    table = exposure_table(24.0, most_us).with_gain(16.0, longest_us).free_of_flicker(mains_hz)
    made = [table.exposure_us(index) for index in range(len(table))]
    assert max(b / a for a, b in pairwise(made)) <= 2.0 + 1e-9
    assert made[-1] <= most_us * 10.0 ** (16.0 / 20.0) * (1 + 1e-6)


@given(longest_us=st.floats(1e3, 1e6), share=st.floats(0.981, 1.0), gain_db=st.floats(0.1, 24.0))
def test_a_longest_exposure_that_the_sensor_made_shorter_by_some_lines_is_the_longest(
    longest_us: float, share: float, gain_db: float
) -> None:
    wanted_us = longest_us * 10.0 ** (gain_db / 20.0)
    assert asked_us(longest_us * share, gain_db, longest_us) == pytest.approx(wanted_us)
    assert asked_us(longest_us * share, 0.0, longest_us) == longest_us * share


def test_without_gain_a_frame_with_gain_is_that_of_its_exposure() -> None:
    assert exposure_table().seen(1e6, 12.0) == 145


def light_of_a_lamp(exposure_us: float, phase: float, mains_hz: float) -> float:
    """Light in an exposure, as a share of a steady lamp's: 1 - cos, which goes dark twice in a period."""
    turns = 2.0 * 2.0 * math.pi * mains_hz * exposure_us * 1e-6
    return 1.0 - (math.sin(phase + turns) - math.sin(phase)) / turns


@given(
    index=st.integers(0, 145),
    mains_hz=st.sampled_from([50.0, 60.0]),
    phase=st.floats(0.0, 2.0 * math.pi),
    longest_us=st.floats(5e4, 2e6),
    gain_db=st.floats(0.0, 24.0),
)
def test_whole_flickers_are_equally_bright(
    index: int, mains_hz: float, phase: float, longest_us: float, gain_db: float
) -> None:
    plain = exposure_table().with_gain(gain_db, longest_us)
    table = plain.free_of_flicker(mains_hz)
    value_us = table.exposure_us(index)
    assert table.id == plain.id
    if plain.exposure_us(index) < 5e5 / mains_hz or plain.exposure_us(index) > longest_us:
        assert value_us == plain.exposure_us(index)
    else:
        assert value_us <= longest_us
        assert light_of_a_lamp(value_us, phase, mains_hz) == pytest.approx(1.0, abs=1e-6)
        # Half a flicker off at most, but for the end of the camera's range.
        off_us = abs(value_us - plain.exposure_us(index))
        assert off_us <= (0.5 if plain.exposure_us(index) < longest_us - 1e4 else 1.0) * 5e5 / mains_hz + 1e-6


@given(mains_hz=st.sampled_from([0.0, 50.0, 60.0]), longest_us=st.floats(5e4, 2e6), index=st.integers(0, 145))
def test_values_that_make_the_same_exposure_are_known(mains_hz: float, longest_us: float, index: int) -> None:
    table = exposure_table().with_gain(12.0, longest_us).free_of_flicker(mains_hz)
    made = [table.exposure_us(i) for i in range(len(table))]
    assert made == sorted(made)
    first, last = table.alike()
    same = [i for i, value in enumerate(made) if value == made[index]]
    assert (first[index], last[index]) == (same[0], same[-1])
