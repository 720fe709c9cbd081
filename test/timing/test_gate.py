"""Which commands a driver obeys."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.timing.gate import FUTURE_NS, CommandGate

NOW = 1_700_000_000_000_000_000
values = st.floats(allow_nan=True, allow_infinity=True)
stamps = st.integers(min_value=-(2**62), max_value=2**62) | st.integers(
    min_value=NOW - 10**10, max_value=NOW + 10**10
)


def lens_gate() -> CommandGate:
    return CommandGate("lens voltage", "V", 24.0, 70.0)


@given(st.lists(st.tuples(values, stamps), max_size=60))
def test_only_numbers_in_range_and_newer_ones_pass(commands: list[tuple[float, int]]) -> None:
    gate = lens_gate()
    passed = [(v, s) for v, s in commands if gate.admit(v, s, NOW)]
    assert all(math.isfinite(v) and 24.0 <= v <= 70.0 for v, _ in passed)
    assert [s for _, s in passed] == sorted({s for _, s in passed})
    assert all(0 < s <= NOW + FUTURE_NS for _, s in passed)
    assert gate.admitted == len(passed)
    assert gate.admitted + gate.refused == len(commands)


@given(st.floats(24.0, 70.0), st.integers(1, NOW))
def test_a_valid_command_passes_once(volts: float, stamp: int) -> None:
    gate = lens_gate()
    assert gate.admit(volts, stamp, NOW)
    assert not gate.admit(volts, stamp, NOW)
    assert "two nodes" in gate.last_refusal


def test_reasons_name_the_value_and_what_to_send() -> None:
    gate = lens_gate()
    gate.admit(math.nan, NOW, NOW)
    assert "nan" in gate.last_refusal
    assert "from 24 to 70 V" in gate.last_refusal
    gate.admit(30.0, 0, NOW)
    assert "header.stamp" in gate.last_refusal
    gate.admit(30.0, NOW + 10 * FUTURE_NS, NOW)
    assert "10.0 s in the future" in gate.last_refusal


def test_a_refused_command_does_not_shut_out_the_next() -> None:
    gate = lens_gate()
    assert not gate.admit(1000.0, NOW, NOW)
    assert gate.admit(30.0, NOW - 1, NOW)
