"""The descriptors of the emulated webcam: what a UVC 1.1 camera with one bulk stream says of itself.

Tables are those of the USB 2.0 and the UVC 1.1 specification. Numbers are little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from dasha_ros.emulators.webcam.controls import CAMERA_TERMINAL, PROCESSING_UNIT, UvcControl
from dasha_ros.emulators.webcam.pictures import FORMATS, PictureSize

VENDOR, PRODUCT = 0x1D6B, 0x0102
"""The Linux Foundation's webcam gadget."""
MANUFACTURER_NAME, PRODUCT_NAME = "dasha", "Emulated webcam"
CONTROL_INTERFACE, STREAM_INTERFACE, STREAM_ENDPOINT = 0, 1, 1
HEADER_BYTES = 12
"""Of a payload."""
PACKET_BYTES = 512
"""Of a bulk endpoint at high speed."""
CLOCK_HZ = 48_000_000
_OUTPUT_TERMINAL = 3
_GUID_TAIL = bytes.fromhex("000010008000 00aa00389b71")
_CLASS = 0x24


def device_descriptor() -> bytes:
    """Table 9-8: a device of several interfaces that belong together."""
    return struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x0200, 0xEF, 2, 1, 64, VENDOR, PRODUCT, 0x0100, 1, 2, 3, 1)


def string_descriptor(index: int, serial_number: str) -> bytes | None:
    """Table 9-16; ``None`` where there is no such text."""
    texts = ("", MANUFACTURER_NAME, PRODUCT_NAME, serial_number)
    if index == 0:
        return bytes((4, 3, 0x09, 0x04))
    if index >= len(texts):
        return None
    text = texts[index].encode("utf-16le")
    return bytes((2 + len(text), 3)) + text


def configuration_descriptor(controls: Sequence[UvcControl], size: PictureSize) -> bytes:
    """The configuration with all that belongs to it."""
    association = struct.pack("<8B", 8, 0x0B, CONTROL_INTERFACE, 2, 0x0E, 3, 0, 0)
    body = (
        association
        + _interface(CONTROL_INTERFACE, endpoints=0, subclass=1)
        + _control_part(controls)
        + _interface(STREAM_INTERFACE, endpoints=1, subclass=2)
        + _stream_part(size)
        + struct.pack("<BBBBHB", 7, 5, 0x80 | STREAM_ENDPOINT, 2, PACKET_BYTES, 0)
    )
    return struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), 2, 1, 0, 0x80, 50) + body


def _interface(number: int, *, endpoints: int, subclass: int) -> bytes:
    return struct.pack("<9B", 9, 4, number, 0, endpoints, 0x0E, subclass, 0, 0)


def _control_part(controls: Sequence[UvcControl]) -> bytes:
    camera = struct.pack("<BBBBHBBHHHB", 18, _CLASS, 2, CAMERA_TERMINAL, 0x0201, 0, 0, 0, 0, 0, 3)
    camera += _bits(controls, CAMERA_TERMINAL, 3)
    unit = struct.pack("<BBBBBHB", 12, _CLASS, 5, PROCESSING_UNIT, CAMERA_TERMINAL, 0, 2)
    unit += _bits(controls, PROCESSING_UNIT, 2) + b"\0\0"
    output = struct.pack("<BBBBHBBB", 9, _CLASS, 3, _OUTPUT_TERMINAL, 0x0101, 0, PROCESSING_UNIT, 0)
    whole = 13 + len(camera) + len(unit) + len(output)
    header = struct.pack("<BBBHHIBB", 13, _CLASS, 1, 0x0110, whole, CLOCK_HZ, 1, STREAM_INTERFACE)
    return header + camera + unit + output


def _bits(controls: Sequence[UvcControl], entity: int, size: int) -> bytes:
    return sum(1 << c.bit for c in controls if c.entity == entity).to_bytes(size, "little")


def _stream_part(size: PictureSize) -> bytes:
    formats = b"".join(_format(number, name, size) for number, name in enumerate(FORMATS, 1))
    head = 13 + len(FORMATS)
    header = struct.pack(
        "<BBBBHBBBBBBB",
        head,
        _CLASS,
        1,
        len(FORMATS),
        head + len(formats),
        0x80 | STREAM_ENDPOINT,
        0,
        _OUTPUT_TERMINAL,
        0,
        0,
        0,
        1,
    )
    return header + bytes(len(FORMATS)) + formats


def _format(number: int, name: str, size: PictureSize) -> bytes:
    if name == "MJPG":
        described = struct.pack("<11B", 11, _CLASS, 6, number, 1, 1, 1, 0, 0, 0, 0)
        return described + _frame(7, size)
    code = {"YUYV": b"YUY2", "GREY": b"Y800"}[name]
    bits = {"YUYV": 16, "GREY": 8}[name]
    described = struct.pack("<5B", 27, _CLASS, 4, number, 1) + code + _GUID_TAIL
    return described + struct.pack("<6B", bits, 1, 0, 0, 0, 0) + _frame(5, size)


def _frame(subtype: int, size: PictureSize) -> bytes:
    most, interval = size.most_bytes, size.interval
    rate = min(round(most * 8 * size.rate_hz), 2**32 - 1)
    numbers = (rate, rate, most, interval, 1, interval)
    return struct.pack("<BBBBBHHIIIIBI", 30, _CLASS, subtype, 1, 0, size.width, size.height, *numbers)
