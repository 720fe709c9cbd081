"""The emulated board and its line: registers, modes, and faults."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.devices.varioptic.protocol import (
    READ_NACK,
    WRITE_ACK,
    WRITE_NACK,
    Request,
    RequestParser,
    focus_bytes,
    parse_read_reply,
    read_request,
    write_request,
)
from dasha_ros.emulators.lens.board import LensBoard
from dasha_ros.emulators.lens.line import FaultyLine, LineFaults


class Driven:
    def __init__(self, **options: bool) -> None:
        self.volts: list[float] = []
        self.board = LensBoard(self.volts.append, **options)

    def send(self, frame: bytes) -> bytes:
        [request] = RequestParser().feed(frame)
        return self.board.handle(request)


def test_the_board_powers_on_in_analog_mode_at_the_low_end() -> None:
    driven = Driven()
    assert driven.board.mode == 0b10
    assert driven.volts == [24.0]


def test_the_output_changes_on_the_high_byte_and_analog_mode_ends() -> None:
    driven = Driven()
    low, high = focus_bytes(21_000)
    assert driven.send(write_request(0x00, bytes([low]))) == WRITE_ACK
    assert driven.volts == [24.0]
    assert driven.send(write_request(0x01, bytes([high]))) == WRITE_ACK
    assert driven.volts == [24.0, 45.0]
    assert driven.board.mode == 0
    assert driven.board.latched == [21_000]


def test_standby_removes_the_voltage_and_keeps_the_registers() -> None:
    driven = Driven(analog_at_power_on=False)
    driven.send(write_request(0, focus_bytes(21_000)))
    driven.send(write_request(3, b"\x01"))
    assert driven.volts[-1] == 24.0
    driven.send(write_request(3, b"\x00"))
    assert driven.volts[-1] == 45.0


def test_more_than_70_volts_is_refused() -> None:
    driven = Driven()
    assert driven.send(write_request(0, (46_001).to_bytes(2, "little"))) == WRITE_NACK
    assert driven.board.latched == []
    assert driven.volts == [24.0]


def test_registers_read_back() -> None:
    driven = Driven()
    driven.send(write_request(0, focus_bytes(0x1234)))
    driven.board.set_faults(0b110)
    assert parse_read_reply(driven.send(read_request(0, 4)), 4) == b"\x34\x12\x00\x00"
    assert parse_read_reply(driven.send(read_request(10, 1)), 1) == b"\x06"


def test_unknown_registers_and_wrong_sums_are_refused() -> None:
    driven = Driven()
    assert driven.send(read_request(0x0F, 2)) == READ_NACK
    assert driven.send(write_request(0xF0, b"\x01")) == WRITE_NACK
    spoilt = bytearray(write_request(0, focus_bytes(21_000)))
    spoilt[-1] ^= 1
    assert driven.send(bytes(spoilt)) == WRITE_NACK
    assert driven.board.latched == []


def test_a_write_to_the_eeprom_is_counted() -> None:
    driven = Driven()
    driven.send(write_request(2, b"\x01"))
    driven.send(write_request(2, b"\x00"))
    assert driven.board.stored == 1


@given(
    st.lists(st.builds(write_request, st.integers(0, 15), st.binary(min_size=1, max_size=12)), max_size=20)
)
def test_no_write_drives_the_lens_out_of_range(frames: list[bytes]) -> None:
    driven = Driven()
    for frame in frames:
        driven.send(frame)
    assert all(24.0 <= volts <= 70.0 for volts in driven.volts)


FRAME = write_request(0, focus_bytes(21_000))


def test_a_clean_line_changes_nothing() -> None:
    line = FaultyLine(LineFaults())
    for _ in range(100):
        assert line.to_board(FRAME) == FRAME
        assert line.from_board(WRITE_ACK).data == WRITE_ACK
        assert line.from_board(WRITE_ACK).delay_s == 0.0
        assert not line.refuses()


@pytest.mark.parametrize("knob", ["drop_request", "corrupt_request"])
def test_faults_of_requests_have_the_given_probability(knob: str) -> None:
    line = FaultyLine(LineFaults(**{knob: 0.3}), seed=3)
    spoilt = sum(line.to_board(FRAME) != FRAME for _ in range(2000))
    assert spoilt == pytest.approx(600, abs=80)


@pytest.mark.parametrize("knob", ["drop_reply", "corrupt_reply", "half_reply", "noise"])
def test_faults_of_replies_have_the_given_probability(knob: str) -> None:
    line = FaultyLine(LineFaults(**{knob: 0.3}), seed=3)
    spoilt = sum(line.from_board(WRITE_ACK).data != WRITE_ACK for _ in range(2000))
    assert spoilt == pytest.approx(600, abs=80)


def test_delays_and_refusals_have_the_given_probability() -> None:
    line = FaultyLine(LineFaults(late_reply=0.5, late_s=0.2, nack=0.25), seed=3)
    assert sum(line.from_board(WRITE_ACK).delay_s == 0.2 for _ in range(1000)) == pytest.approx(500, abs=60)
    assert sum(line.refuses() for _ in range(1000)) == pytest.approx(250, abs=60)


def test_the_same_seed_gives_the_same_faults() -> None:
    def story(seed: int) -> list[bytes]:
        line = FaultyLine(LineFaults(drop_request=0.2, corrupt_request=0.5), seed)
        return [line.to_board(FRAME) for _ in range(50)]

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_a_corrupt_request_never_reaches_the_output() -> None:
    driven = Driven(analog_at_power_on=False)
    line = FaultyLine(LineFaults(corrupt_request=1.0), seed=5)
    parser = RequestParser()
    for _ in range(2000):
        parser.reset()
        for request in parser.feed(line.to_board(FRAME)):
            assert isinstance(request, Request)
            driven.board.handle(request)
    assert driven.board.latched == []


def test_invalid_probabilities_are_refused() -> None:
    with pytest.raises(ValueError, match=r"nack = 1\.5"):
        LineFaults(nack=1.5)
    with pytest.raises(ValueError, match="late_s = nan"):
        LineFaults(late_s=float("nan"))
