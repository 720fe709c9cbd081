"""The wire of the emulated webcam, asked by a USB host that was written from the specifications."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from usb_host import STALLED, UsbHost, descriptors

from dasha_ros.emulators.webcam.controls import CONTROLS, Shown, WebcamKnobs
from dasha_ros.emulators.webcam.device import WebcamEmulator
from dasha_ros.emulators.webcam.pictures import PictureSize
from dasha_ros.emulators.webcam.usbip import Submit, Unlink, WireError, parse, submitted, unlinked

SIZE = PictureSize(32, 24, 100.0)
MOST = 32 * 24 * 2 + 12
GET_CUR, GET_MIN, GET_MAX, GET_RES, GET_LEN, GET_INFO, GET_DEF = range(0x81, 0x88)
CAMERA, UNIT = 1, 2
EXPOSURE, FOCUS, AUTO_EXPOSURE, AUTO_FOCUS = 0x04, 0x06, 0x02, 0x08


def paint(shown: Shown) -> np.ndarray:
    return np.full((24, 32), min(255, shown.exposure_us / 100.0), np.uint8)


@pytest.fixture
def host() -> UsbHost:
    return UsbHost()


@pytest.fixture
def webcam(host: UsbHost) -> Iterator[WebcamEmulator]:
    knobs = WebcamKnobs(exposure_lag=2, focus_lag=0)
    with WebcamEmulator(SIZE, paint, knobs, serial_number="S-7", plug_in=host.plug_in) as emulator:
        yield emulator


@given(
    number=st.integers(0, 2**32 - 1),
    endpoint=st.integers(0, 15),
    to_host=st.booleans(),
    length=st.integers(0, 2**32 - 1),
    setup=st.binary(min_size=8, max_size=8),
)
def test_a_request_is_read_as_it_was_written(
    number: int, endpoint: int, to_host: bool, length: int, setup: bytes
) -> None:
    header = struct.pack(">IIIIIIIIII", 1, number, 65537, int(to_host), endpoint, 0, length, 0, 0, 0) + setup
    assert parse(header) == Submit(number, endpoint, to_host, length, setup)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.booleans())
def test_a_request_that_is_taken_back_is_read_and_answered(number: int, target: int, in_time: bool) -> None:
    request = parse(struct.pack(">IIIIII", 2, number, 65537, 0, 0, target) + bytes(24))
    assert request == Unlink(number, target)
    answer = unlinked(request, in_time=in_time)
    assert len(answer) == 48
    assert struct.unpack(">IIIIIi", answer[:24]) == (4, number, 0, 0, 0, -104 if in_time else 0)


@given(st.binary(max_size=100), st.integers(0, 200), st.booleans())
def test_an_answer_has_its_length_and_no_more_than_was_asked_for(
    data: bytes, length: int, to_host: bool
) -> None:
    answer = submitted(Submit(7, 0, to_host, length, bytes(8)), data)
    command, number, *_, status, actual = struct.unpack(">IIIIIiI", answer[:28])
    assert (command, number, status) == (3, 7, 0)
    assert actual == (min(len(data), length) if to_host else length)
    assert answer[48:] == (data[:length] if to_host else b"")


@given(st.binary(max_size=60))
def test_bytes_that_are_no_request_are_refused(junk: bytes) -> None:
    try:
        parse(junk)
    except WireError:
        return
    assert len(junk) == 48
    assert junk[:4] in (b"\0\0\0\1", b"\0\0\0\2")


def test_the_descriptors_are_whole(webcam: WebcamEmulator, host: UsbHost) -> None:
    device = host.control(0x80, 6, 0x0100, 0, 18)
    assert device is not None
    assert struct.unpack("<BBH", device[:4]) == (18, 1, 0x0200)
    assert struct.unpack("<HH", device[8:12]) == (0x1D6B, 0x0102)
    head = host.control(0x80, 6, 0x0200, 0, 9)
    assert head is not None
    (total,) = struct.unpack("<H", head[2:4])
    whole = host.control(0x80, 6, 0x0200, 0, 65535)
    assert whole is not None
    assert len(whole) == total
    parts = descriptors(whole)
    assert [part[2] for part in parts if part[1] == 4] == [0, 1]  # two interfaces
    # The class-specific parts say how long they are together, for the control and for the stream interface.
    second = next(i for i, part in enumerate(parts) if part[1] == 4 and part[2] == 1)
    control = [part for part in parts[:second] if part[1] == 0x24]
    stream = [part for part in parts[second:] if part[1] == 0x24]
    assert struct.unpack("<H", control[0][5:7])[0] == sum(map(len, control))
    assert struct.unpack("<H", stream[0][4:6])[0] == sum(map(len, stream))
    assert stream[0][3] == sum(part[2] in (4, 6) for part in stream) == 3
    guids = {part[5:21][:4] for part in stream if part[2] == 4}
    assert guids == {b"YUY2", b"Y800"}
    for part in stream:
        if part[2] in (5, 7):
            assert struct.unpack("<HH", part[5:9]) == (32, 24)
            assert struct.unpack("<I", part[26:30])[0] == 100_000  # 100 Hz in units of 100 ns


def test_the_names_are_there(webcam: WebcamEmulator, host: UsbHost) -> None:
    texts = [host.control(0x80, 6, 0x0300 | index, 0x0409, 255) for index in (1, 2, 3)]
    assert [text[2:].decode("utf-16le") for text in texts if text] == ["dasha", "Emulated webcam", "S-7"]
    assert host.control(0x80, 6, 0x0304, 0x0409, 255) is None


def test_the_device_answers_what_every_device_must(webcam: WebcamEmulator, host: UsbHost) -> None:
    assert host.control(0x80, 0, 0, 0, 2) == b"\0\0"
    assert host.control(0x00, 9, 1, 0, 0) == b""  # SET_CONFIGURATION
    assert host.control(0x80, 6, 0x2200, 0, 8) is None  # a descriptor that it does not have
    assert host.control(0x80, 33, 0, 0, 8) is None


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_each_control_tells_its_range_and_default(webcam: WebcamEmulator, host: UsbHost, control) -> None:
    def ask(request: int, length: int) -> int:
        answer = host.get(request, control.selector, control.entity, length)
        assert answer is not None
        assert len(answer) == length
        return int.from_bytes(answer, "little")

    size = ask(GET_LEN, 2)
    asked = [ask(request, size) for request in (GET_MIN, GET_MAX, GET_RES, GET_DEF, GET_CUR)]
    assert asked == [control.minimum, control.maximum, control.step, control.default, control.default]
    assert ask(GET_INFO, 1) == 3
    bits = next(
        part
        for part in descriptors(host.control(0x80, 6, 0x0200, 0, 65535) or b"")
        if part[1:4] == bytes((0x24, {CAMERA: 2, UNIT: 5}[control.entity], control.entity))
    )
    bitmap = bits[15:18] if control.entity == CAMERA else bits[8:10]
    assert int.from_bytes(bitmap, "little") >> control.bit & 1


def test_a_value_is_read_back_at_once(webcam: WebcamEmulator, host: UsbHost) -> None:
    assert host.set(AUTO_EXPOSURE, CAMERA, b"\1") == b""
    assert host.set(EXPOSURE, CAMERA, struct.pack("<I", 333)) == b""
    assert host.get(GET_CUR, EXPOSURE, CAMERA, 4) == struct.pack("<I", 333)


def test_what_is_refused_says_why(webcam: WebcamEmulator, host: UsbHost) -> None:
    def reason() -> int:
        return (host.get(GET_CUR, 2, 0, 1) or b"\xff")[0]

    assert host.set(EXPOSURE, CAMERA, struct.pack("<I", 100)) is None  # its automatic function has it
    assert reason() == 2
    assert host.set(AUTO_EXPOSURE, CAMERA, b"\5") is None
    assert reason() == 4
    assert host.set(0x33, CAMERA, b"\1") is None
    assert reason() == 6
    assert host.set(AUTO_FOCUS, CAMERA, b"\0") == b""
    assert reason() == 0
    assert host.set(FOCUS, CAMERA, struct.pack("<H", 251)) is None
    assert reason() == 4
    webcam.knobs.refuse.add("focus")
    assert host.set(FOCUS, CAMERA, struct.pack("<H", 100)) is None
    assert host.get(GET_CUR, FOCUS, CAMERA, 2) == b"\0\0"


def test_the_format_is_negotiated(webcam: WebcamEmulator, host: UsbHost) -> None:
    length = struct.unpack("<H", host.get(GET_LEN, 1, 0, 2, interface=1) or b"")[0]
    for number, bits in ((1, 16), (3, 8)):
        offer = bytearray(host.get(GET_CUR, 1, 0, length, interface=1) or b"")
        offer[2] = number
        assert host.set(1, 0, bytes(offer), interface=1) == b""
        answer = host.get(GET_CUR, 1, 0, length, interface=1) or b""
        assert answer[2] == number
        frame, payload = struct.unpack("<II", answer[18:26])
        assert payload == frame + 12
        assert host.set(2, 0, answer, interface=1) == b""
        picture, _ = host.picture(16384, payload)
        assert len(picture) == 32 * 24 * bits // 8


@pytest.mark.parametrize("request_bytes", [64, 512, 1548, 16384])
def test_a_picture_arrives_whole_in_requests_of_any_size(
    webcam: WebcamEmulator, host: UsbHost, request_bytes: int
) -> None:
    flags = []
    for _ in range(4):
        picture, flag = host.picture(request_bytes, MOST)
        flags.append(flag)
        assert len(picture) == 32 * 24 * 2
        assert set(picture[1::2]) == {128}
    assert [flag & 0x82 for flag in flags] == [0x82] * 4
    assert [flag & 1 for flag in flags] in ([0, 1, 0, 1], [1, 0, 1, 0])


def test_a_jpeg_that_fills_whole_requests_is_ended(webcam: WebcamEmulator, host: UsbHost) -> None:
    offer = bytearray(host.get(GET_CUR, 1, 0, 34, interface=1) or b"")
    offer[2] = 2
    host.set(2, 0, bytes(offer), interface=1)
    # One request size of these meets the length of the payload exactly, or nearly.
    for request_bytes in (*range(300, 340, 4), 16384):
        picture, _ = host.picture(request_bytes, MOST)
        decoded = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert decoded is not None
        assert decoded.shape == (24, 32)


def test_the_picture_follows_its_lag_after_the_read_back(webcam: WebcamEmulator, host: UsbHost) -> None:
    host.set(AUTO_EXPOSURE, CAMERA, b"\1")
    host.set(EXPOSURE, CAMERA, struct.pack("<I", 20))
    while host.picture(16384, MOST)[0][0] != 20:
        pass
    host.set(EXPOSURE, CAMERA, struct.pack("<I", 200))
    shown = [host.picture(16384, MOST)[0][0] for _ in range(8)]
    # No frame is on its way here, because this host asks for none meanwhile.
    assert shown == [20] * 2 + [200] * 6


def test_a_request_is_taken_back_in_time_or_too_late(webcam: WebcamEmulator, host: UsbHost) -> None:
    number = host.submit(1, to_host=True, length=16384)
    answered = host.receive()
    assert answered.number == number
    late = host.unlink(number)
    assert (host.receive().status, late) == (0, number + 1)
    waiting = [host.submit(1, to_host=True, length=64) for _ in range(60)]
    taken = host.unlink(waiting[-1])
    seen = []
    while not any(answer.number == taken for answer in seen):
        seen.append(host.receive())
    assert seen[-1].status == -104
    assert waiting[-1] not in [answer.number for answer in seen]


def test_data_to_an_endpoint_that_takes_none_are_refused(webcam: WebcamEmulator, host: UsbHost) -> None:
    host.submit(3, to_host=False, length=5, data=b"hello")
    assert host.receive(sends_data=False).status == STALLED
    assert host.control(0x80, 0, 0, 0, 2) == b"\0\0"


def test_who_speaks_something_else_is_hung_up_on(webcam: WebcamEmulator, host: UsbHost) -> None:
    host.send(b"GET / HTTP/1.1\r\nHost: nobody\r\nAccept: everything\r\n\r\n")
    assert host.is_gone()


def test_pulling_the_cable_ends_the_connection_and_power_forgets(
    webcam: WebcamEmulator, host: UsbHost
) -> None:
    host.set(AUTO_FOCUS, CAMERA, b"\0")
    webcam.unplug()
    assert host.is_gone()
    assert webcam.states is None
    webcam.plug()
    webcam.plug()
    assert host.get(GET_CUR, AUTO_FOCUS, CAMERA, 1) == b"\1"


def test_a_webcam_without_a_motor_has_no_focus_controls(host: UsbHost) -> None:
    with WebcamEmulator(SIZE, paint, has_focus=False, plug_in=host.plug_in):
        assert host.get(GET_CUR, FOCUS, CAMERA, 2) is None
        assert host.get(GET_CUR, EXPOSURE, CAMERA, 4) is not None


def test_a_host_that_does_not_take_it_leaves_it_unplugged() -> None:
    def refuse(_: object) -> None:
        raise OSError("no port")

    webcam = WebcamEmulator(SIZE, paint, plug_in=refuse)
    with pytest.raises(OSError, match="no port"):
        webcam.plug()
    assert not webcam.plugged
