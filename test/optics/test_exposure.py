from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.optics.exposure import ExposureTable, exposure_table


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
