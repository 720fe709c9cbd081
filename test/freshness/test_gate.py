"""Which commands a driver obeys."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.freshness.command import CommandId
from dasha_ros.freshness.gate import CommandGate

values = st.floats(allow_nan=True, allow_infinity=True)
ids = st.builds(CommandId, st.sampled_from(["", "a", "b"]), st.integers(0, 6) | st.just(2**64 - 1))


def lens_gate() -> CommandGate:
    return CommandGate("lens position", "V", 24.0, 70.0)


@given(st.lists(st.tuples(values | st.floats(24.0, 70.0), ids), max_size=60))
def test_only_numbers_in_range_and_each_senders_newest_pass(commands: list[tuple[float, CommandId]]) -> None:
    gate, heard = lens_gate(), {"": 2**64, "a": 0, "b": 0}
    for value, command in commands:
        is_new = command.sequence > heard[command.sender]
        assert gate.admit(value, command) == (is_new and math.isfinite(value) and 24.0 <= value <= 70.0)
        heard[command.sender] = max(heard[command.sender], command.sequence)
    assert gate.admitted + gate.refused == len(commands)


def test_reasons_name_the_value_and_what_to_send() -> None:
    gate = lens_gate()
    gate.admit(math.nan, CommandId("a", 1))
    assert "nan" in gate.last_refusal
    assert "from 24 to 70 V" in gate.last_refusal
    for nameless in (CommandId(), CommandId("a", 0), CommandId("", 3)):
        gate.admit(30.0, nameless)
        assert "id.sender" in gate.last_refusal
    gate.admit(30.0, CommandId("a", 5))
    gate.admit(30.0, CommandId("a", 5))
    assert "command 5 of a refused: command 5 of that sender came before it" in gate.last_refusal


def test_invented_senders_do_not_fill_the_memory() -> None:
    gate = lens_gate()
    for n in range(10_000):
        assert gate.admit(30.0, CommandId(f"stranger {n}", 2**64 - 1))
    assert gate.admit(30.0, CommandId("a", 1))
    assert len(gate.newest) < 1000
