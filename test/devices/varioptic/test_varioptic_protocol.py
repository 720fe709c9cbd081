"""The wire protocol against the byte examples of Corning's guide, and against hostile bytes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.devices.errors import OutOfRange
from dasha_ros.devices.serial.replies import (
    ProtocolError,
    ReplyGarbled,
    ReplyIncomplete,
    RequestRefused,
)
from dasha_ros.devices.varioptic.protocol import (
    MAX_CODE,
    MAX_REGISTERS,
    READ_NACK,
    START,
    WRITE_ACK,
    WRITE_NACK,
    Request,
    RequestParser,
    Verb,
    checksum,
    code_volts,
    focus_bytes,
    focus_code,
    parse_read_reply,
    parse_write_reply,
    read_request,
    sealed,
    wire_seconds,
    write_request,
)

codes = st.integers(0, MAX_CODE)
addresses = st.integers(0, 255)
values = st.binary(min_size=1, max_size=MAX_REGISTERS)


def test_documented_requests() -> None:
    assert write_request(0x03, b"\xff") == bytes.fromhex("02 37 03 01 FF 3C")
    assert read_request(0x03, 1) == bytes.fromhex("02 38 03 01 3E")


def test_documented_replies() -> None:
    assert bytes.fromhex("02 37 06 3F") == WRITE_ACK
    assert bytes.fromhex("02 37 15 4E") == WRITE_NACK
    parse_write_reply(WRITE_ACK)
    with pytest.raises(RequestRefused):
        parse_write_reply(WRITE_NACK)
    assert parse_read_reply(bytes.fromhex("02 38 B0 B3 9D"), 2) == b"\xb0\xb3"


def test_a_read_nack_is_told_from_data_by_its_length() -> None:
    with pytest.raises(RequestRefused):
        parse_read_reply(READ_NACK, 2)
    assert parse_read_reply(sealed(b"\x02\x38\x15\x00"), 2) == b"\x15\x00"


def test_the_codes_span_the_volts_of_the_paper() -> None:
    assert (focus_code(24.0), focus_code(70.0)) == (0, 0xB3B0)
    assert (code_volts(0), code_volts(0xB3B0)) == (24.0, 70.0)
    assert focus_bytes(0xB3B0) == b"\xb0\xb3"


@given(st.floats(24.0, 70.0))
def test_a_code_is_the_nearest_millivolt(volts: float) -> None:
    assert abs(code_volts(focus_code(volts)) - volts) <= 0.0005 + 1e-9


@given(codes)
def test_codes_and_volts_are_inverse(code: int) -> None:
    assert focus_code(code_volts(code)) == code
    assert int.from_bytes(focus_bytes(code), "little") == code


@given(st.floats().filter(lambda v: not (math.isfinite(v) and 24.0 <= v <= 70.0)))
def test_no_code_for_volts_out_of_range(volts: float) -> None:
    with pytest.raises(OutOfRange, match="refused"):
        focus_code(volts)


@given(st.integers().filter(lambda n: not 0 <= n <= MAX_CODE))
def test_no_bytes_for_codes_out_of_range(code: int) -> None:
    with pytest.raises(ValueError, match="focus code"):
        focus_bytes(code)
    with pytest.raises(ValueError, match="focus code"):
        code_volts(code)


def test_a_focus_write_takes_1_9_ms_on_the_wire() -> None:
    request = write_request(0, focus_bytes(20_000))
    assert wire_seconds(len(request) + len(WRITE_ACK)) == pytest.approx(1.91e-3, abs=5e-6)


@given(addresses, values)
def test_a_board_reads_what_was_written(address: int, data: bytes) -> None:
    frame = write_request(address, data)
    assert len(frame) == 5 + len(data)
    assert frame[-1] == checksum(frame[:-1])
    [request] = RequestParser().feed(frame)
    assert request == Request(Verb.WRITE, address, len(data), data)
    assert request.size == len(frame)


@given(addresses, st.integers(1, MAX_REGISTERS))
def test_a_board_reads_what_was_asked(address: int, count: int) -> None:
    [request] = RequestParser().feed(read_request(address, count))
    assert request == Request(Verb.READ, address, count)


@given(addresses, st.one_of(st.just(0), st.integers(MAX_REGISTERS + 1, 300)))
def test_no_request_for_too_many_registers(address: int, count: int) -> None:
    with pytest.raises(ValueError, match="registers"):
        read_request(address, count)
    with pytest.raises(ValueError, match="registers"):
        write_request(address, bytes(count))


def test_no_request_beyond_the_last_address() -> None:
    with pytest.raises(ValueError, match="address 256"):
        read_request(256, 1)


@given(st.lists(st.tuples(addresses, values), min_size=1, max_size=5), st.data())
def test_requests_survive_any_split_into_pieces(writes: list[tuple[int, bytes]], data: st.DataObject) -> None:
    stream = b"".join(write_request(*write) for write in writes)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    parser = RequestParser()
    seen = [
        r for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True) for r in parser.feed(stream[a:b])
    ]
    assert [(r.address, r.values, r.intact) for r in seen] == [(a, v, True) for a, v in writes]
    assert parser.pending == 0


@given(st.binary(max_size=40).map(lambda b: b.replace(bytes([START]), b"")), addresses, values)
def test_bytes_that_start_no_request_are_skipped(noise: bytes, address: int, data: bytes) -> None:
    [request] = RequestParser().feed(noise + write_request(address, data))
    assert (request.address, request.values) == (address, data)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_parser(noise: bytes) -> None:
    parser = RequestParser()
    for request in parser.feed(noise):
        assert 1 <= request.count <= MAX_REGISTERS
    assert parser.pending <= 5 + MAX_REGISTERS
    parser.reset()
    assert len(parser.feed(read_request(0, 1))) == 1


@given(codes, st.data())
def test_one_changed_byte_never_moves_the_lens_elsewhere(code: int, data: st.DataObject) -> None:
    frame = bytearray(write_request(0, focus_bytes(code)))
    place = data.draw(st.integers(0, len(frame) - 1))
    frame[place] ^= data.draw(st.integers(1, 255))
    for request in RequestParser().feed(bytes(frame)):
        latches = request.verb is Verb.WRITE and request.address <= 1 < request.address + request.count
        assert not (request.intact and latches)


@given(values.filter(lambda v: v != b"\x15"), st.data())
def test_one_changed_byte_never_passes_for_a_reply(registers: bytes, data: st.DataObject) -> None:
    reply = bytearray(sealed(bytes([START, Verb.READ]) + registers))
    assert parse_read_reply(bytes(reply), len(registers)) == registers
    reply[data.draw(st.integers(0, len(reply) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ProtocolError):
        parse_read_reply(bytes(reply), len(registers))


@given(st.binary(max_size=3))
def test_short_replies_are_incomplete(reply: bytes) -> None:
    with pytest.raises(ReplyIncomplete) as write_error:
        parse_write_reply(reply)
    with pytest.raises(ReplyIncomplete):
        parse_read_reply(reply, 4)
    assert write_error.value.silent == (not reply)


@given(st.binary(min_size=4, max_size=30).filter(lambda r: r not in (WRITE_ACK, WRITE_NACK)))
def test_anything_else_is_garbled(reply: bytes) -> None:
    with pytest.raises(ReplyGarbled):
        parse_write_reply(reply)


def test_a_reply_with_a_tail_is_garbled() -> None:
    with pytest.raises(ReplyGarbled):
        parse_read_reply(sealed(b"\x02\x38\x01\x02") + b"\x00", 2)
