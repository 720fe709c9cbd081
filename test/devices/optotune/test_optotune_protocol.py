"""The wire protocol against the byte examples of Optotune's own documents, and against hostile bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.devices.optotune import protocol
from dasha_ros.devices.optotune.protocol import (
    ENTER_CURRENT_MODE,
    ENTER_FOCAL_POWER_MODE,
    FIRMWARE_TYPE,
    FOCAL_POWER,
    MODE,
    SERIAL_NUMBER,
    SET_CURRENT,
    SET_FOCAL_POWER,
    SET_TEMPERATURE_LIMITS,
    STATUS,
    TEMPERATURE,
    VERSION,
    Question,
    crc16,
    error_reply,
    number,
    signed,
    status_names,
)
from dasha_ros.devices.serial.replies import ProtocolError, ReplyGarbled, ReplyIncomplete, RequestRefused

QUESTIONS = [value for value in vars(protocol).values() if isinstance(value, Question)]


@pytest.mark.parametrize(
    ("question", "data", "frame"),
    [
        (FIRMWARE_TYPE, b"", "48 00 36"),
        (VERSION, b"", "56 80 3E"),
        (SERIAL_NUMBER, b"", "58 01 FA"),
        (STATUS, b"", "53 72 BC D5"),
        (TEMPERATURE, b"", "54 43 41 B0 D0"),
        # The document's CRC for MMA is 58 6B, which is not that of its bytes; the others are right.
        (MODE, b"", "4D 4D 41 65 77"),
        (ENTER_FOCAL_POWER_MODE, b"", "4D 77 43 41 56 76"),
        (ENTER_CURRENT_MODE, b"", "4D 77 44 41 54 46"),
        (SET_CURRENT, signed(1202), "41 77 04 B2 26 93"),
        (SET_TEMPERATURE_LIMITS, signed(720) + signed(320), "50 77 54 41 02 D0 01 40 33 C1"),
        (SET_TEMPERATURE_LIMITS, signed(560) + signed(320), "50 77 54 41 02 30 01 40 32 37"),
        (SET_FOCAL_POWER, signed(1200), "50 77 44 41 04 B0 00 00 31 A7"),
        (SET_FOCAL_POWER, signed(2000), "50 77 44 41 07 D0 00 00 31 FD"),
        (FOCAL_POWER, b"", "50 72 44 41 00 00 00 00 64 70"),
    ],
)
def test_documented_requests(question: Question, data: bytes, frame: str) -> None:
    assert question.request(data) == bytes.fromhex(frame)
    assert len(bytes.fromhex(frame)) == question.size


def test_the_crc_has_the_published_check_value() -> None:
    assert crc16(b"123456789") == 0xBB3D  # CRC-16/ARC, another name of CRC-16-IBM


@given(st.binary(max_size=40))
def test_the_crc_of_a_whole_frame_is_zero(data: bytes) -> None:
    assert crc16(protocol.sealed(data)) == 0


@pytest.mark.parametrize("question", QUESTIONS)
@given(data=st.data())
def test_replies_are_understood_and_spoilt_ones_are_not(question: Question, data: st.DataObject) -> None:
    if not question.answer:
        assert question.reply_bytes == 0
        assert question.reply(b"") == b""
        return
    content = data.draw(st.binary(min_size=question.answer_bytes, max_size=question.answer_bytes))
    reply = question.reply(content)
    assert len(reply) == question.reply_bytes
    assert question.parse(reply) == content
    place, change = data.draw(st.integers(0, len(reply) - 1)), data.draw(st.integers(1, 255))
    spoilt = bytearray(reply)
    spoilt[place] ^= change
    with pytest.raises((ReplyGarbled, RequestRefused)):
        question.parse(bytes(spoilt))
    with pytest.raises(ReplyIncomplete) as incomplete:
        question.parse(reply[:-1])
    assert not incomplete.value.silent
    with pytest.raises(ReplyIncomplete) as incomplete:
        question.parse(b"")
    assert incomplete.value.silent


@given(st.binary(max_size=30), st.sampled_from([q for q in QUESTIONS if q.answer]))
def test_hostile_bytes_are_no_reply(reply: bytes, question: Question) -> None:
    with pytest.raises(ProtocolError):
        question.parse(reply)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (error_reply(1), "the checksum was wrong"),
        (protocol.sealed(b"E3") + b"\r\n", "the command is unknown"),
        (error_reply(9), "error 9"),
        (b"N\r\n", r"\(N\)"),
    ],
)
def test_refusals_of_old_and_new_firmware_are_named(reply: bytes, words: str) -> None:
    with pytest.raises(RequestRefused, match=words):
        FOCAL_POWER.parse(reply)


@given(st.integers(-(2**15), 2**15 - 1))
def test_numbers_survive_the_wire(value: int) -> None:
    assert number(signed(value)) == value


@pytest.mark.parametrize("value", [2**15, -(2**15) - 1])
def test_numbers_that_do_not_fit_are_refused(value: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        signed(value)
    with pytest.raises(ValueError, match="takes 4 bytes"):
        SET_FOCAL_POWER.request(bytes(5))


def test_what_keeps_the_lens_from_obeying_is_a_fault_and_the_rest_a_warning() -> None:
    assert status_names(0) == ((), ())
    assert status_names(0b0010_1000) == (
        ("focal power out of reach", "temperature outside the specification"),
        (),
    )
    assert status_names(0b1100_0000) == (
        (),
        ("focal power not guaranteed at all temperatures", "temperature outside the chosen limits"),
    )
    assert status_names(0, 1) == (("lens does not fit the firmware",), ())
