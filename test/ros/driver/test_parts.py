"""Numbers of a driver's parameters, pictures joined with metadata, and what metadata messages tell."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.ros.driver.metadata import message_type, told_by
from dasha_ros.ros.driver.pairing import Pairing
from dasha_ros.ros.driver.parameters import NumberParameter
from dasha_ros.ros.driver.port import DescribedParameter, DriverPicture, Told
from dasha_ros.ros.driver.table import Metadata, Quantity
from dasha_ros.ros.driver.units import QUANTITIES, to_driver, to_own

UNITS = [(quantity, unit) for quantity, units in QUANTITIES.items() for unit in units]


@pytest.mark.parametrize(("quantity", "unit"), UNITS)
@given(value=st.floats(0.01, 60.0))
def test_units_turn_back(quantity: str, unit: str, value: float) -> None:
    assert to_own(quantity, unit, to_driver(quantity, unit, value)) == pytest.approx(value, rel=1e-9)


def test_units_are_what_their_names_say() -> None:
    assert to_own("exposure", "100us", 3.0) == 300.0
    assert to_own("exposure", "s", 0.5) == 500_000.0
    assert to_own("gain", "iso", 200.0) == pytest.approx(6.02, abs=0.01)
    assert to_own("gain", "factor", 1.0) == 0.0
    assert to_driver("gain", "db", 7.0) == 7.0


@given(
    low=st.integers(1, 1000),
    span=st.integers(1, 100_000),
    step=st.integers(0, 300),
    wanted=st.floats(-1e6, 1e9),
    whole=st.booleans(),
)
def test_a_value_is_always_one_that_the_driver_has(
    low: int, span: int, step: int, wanted: float, whole: bool
) -> None:
    described = DescribedParameter("e", "integer" if whole else "double", low, low + span, step)
    parameter = NumberParameter.of(Quantity("exposure", "e", "us"), described, "a driver")
    value = parameter.nearest(wanted)
    assert low <= value <= low + span
    assert isinstance(value, int) == whole
    spacing = max(step, 1) if whole else step
    if spacing:
        assert (value - low) % spacing == pytest.approx(0.0, abs=1e-6)
        # No other value of the grid inside the limits is nearer.
        inside = min(max(wanted, low), low + span)
        grid = low + spacing * np.arange(span // spacing + 1)
        assert abs(value - inside) == pytest.approx(np.abs(grid - inside).min(), abs=1e-6)
    else:
        assert value == min(max(wanted, low), low + span)


def test_a_range_that_begins_at_zero_leaves_zero_out_where_it_means_automatic() -> None:
    described = DescribedParameter("e", "integer", 0, 1000)
    assert NumberParameter.of(Quantity("exposure", "e", "us"), described, "x").low == 1.0
    assert NumberParameter.of(Quantity("exposure", "e", "us", low=50.0), described, "x").low == 50.0
    assert NumberParameter.of(Quantity("gain", "e", "db"), described, "x").low == 0.0


def picture(number: int) -> DriverPicture:
    return DriverPicture(np.full((1, 1), number, np.uint8), "mono8", number)


def put(pairing: Pairing, *numbers: int) -> None:
    for number in numbers:
        pairing.picture(number, partial(picture, number))


def test_metadata_may_come_before_or_after_their_picture() -> None:
    pairing = Pairing(has_metadata=True)
    pairing.told(1, Told(100.0))
    put(pairing, 1, 2)
    first = pairing.take()
    assert first is not None
    assert (first.stamp_ns, first.told) == (1, Told(100.0))
    assert pairing.take() is None
    pairing.told(2, Told(200.0))
    second = pairing.take()
    assert second is not None
    assert second.told == Told(200.0)


def test_a_picture_whose_metadata_were_lost_does_not_hold_up_the_next() -> None:
    pairing = Pairing(has_metadata=True)
    put(pairing, 1, 2, 3)
    pairing.told(2, Told(200.0))
    taken = [pairing.take(), pairing.take()]
    assert [(one.stamp_ns, one.told) for one in taken if one is not None] == [(1, None), (2, Told(200.0))]


def test_nothing_waits_for_a_driver_that_publishes_no_metadata() -> None:
    pairing = Pairing(has_metadata=True)
    for number in range(14):
        put(pairing, number)
        pairing.take()
    put(pairing, 90)
    assert [one.stamp_ns for one in iter(pairing.take, None)][-1] == 90
    pairing = Pairing(has_metadata=False)
    put(pairing, 1)
    assert pairing.take() is not None


@given(st.permutations([*range(6), *range(100, 106)]))
def test_pictures_keep_their_order_and_never_get_anothers_metadata(events: list[int]) -> None:
    pairing, taken = Pairing(has_metadata=True), []
    for event in events:
        if event < 100:
            put(pairing, event)
        else:
            pairing.told(event - 100, Told(float(event)))
        taken += list(iter(pairing.take, None))
    order = [event for event in events if event < 100]
    stamps = [one.stamp_ns for one in taken]
    assert stamps == [number for number in order if number in stamps]
    assert all(one.told is None or one.told.exposure_us == 100.0 + one.stamp_ns for one in taken)


def metadata(json: str = "", gain: bool = True) -> Metadata:
    return Metadata(
        "/told",
        "diagnostic_msgs",
        "DiagnosticArray",
        json,
        Quantity("exposure", "Exposure", "100us"),
        Quantity("gain", "Gain", "factor") if gain else None,
    )


def diagnostics(**values: str) -> SimpleNamespace:
    pairs = [SimpleNamespace(key=key, value=value) for key, value in values.items()]
    return SimpleNamespace(status=[SimpleNamespace(values=pairs[:1]), SimpleNamespace(values=pairs[1:])])


def test_metadata_are_read_from_diagnostics_fields_and_json() -> None:
    told = told_by(diagnostics(Exposure="30", Gain="2.0"), metadata())
    assert told == Told(3_000.0, pytest.approx(6.02, abs=0.01))
    assert told_by(SimpleNamespace(Exposure=30), metadata(gain=False)) == Told(3_000.0)
    message = SimpleNamespace(text='{"Exposure": 30.0, "Gain": 1.0}')
    assert told_by(message, metadata("text")) == Told(3_000.0, 0.0)


@pytest.mark.parametrize(
    "message",
    [
        diagnostics(cpu="12"),
        diagnostics(Exposure="bright"),
        diagnostics(Exposure="nan"),
        diagnostics(Exposure="-3"),
        SimpleNamespace(Exposure=[1]),
    ],
)
def test_a_message_that_tells_no_exposure_tells_nothing(message: SimpleNamespace) -> None:
    assert told_by(message, metadata()) is None


@pytest.mark.parametrize("text", ["", "no json", "[1]", '{"Exposure": null}', '{"Exposure": 1e999}'])
def test_json_that_tells_no_exposure_tells_nothing(text: str) -> None:
    assert told_by(SimpleNamespace(text=text), metadata("text")) is None


def test_a_message_type_that_is_not_installed_is_told() -> None:
    unknown = replace(metadata(), package="nowhere_msgs")
    with pytest.raises(ValueError, match="install or source nowhere_msgs"):
        message_type(unknown)
