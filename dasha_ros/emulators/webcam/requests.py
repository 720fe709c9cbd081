"""How the emulated webcam answers control requests: USB's own, and those of UVC.

The kernel's driver asks for the range of every control, negotiates a format, and then reads and sets
controls.
"""

from __future__ import annotations

import struct
import threading

from dasha_ros.emulators.webcam.controls import ControlStates, UvcControl
from dasha_ros.emulators.webcam.descriptors import (
    CLOCK_HZ,
    CONTROL_INTERFACE,
    HEADER_BYTES,
    STREAM_INTERFACE,
    configuration_descriptor,
    device_descriptor,
    string_descriptor,
)
from dasha_ros.emulators.webcam.pictures import FORMATS, PictureSize

SET_CUR = 0x01
GET_CUR, GET_MIN, GET_MAX, GET_RES, GET_LEN, GET_INFO, GET_DEF = range(0x81, 0x88)
PROBE, COMMIT, ERROR_CODE = 1, 2, 2
"""Selectors of the stream interface, and of the control interface."""
NO_ERROR, WRONG_STATE, OUT_OF_RANGE, INVALID_CONTROL = 0x00, 0x02, 0x04, 0x06
"""Table 4-7: why the last request was refused."""
_PROBE = struct.Struct("<HBBIHHHHHIIIBBBB")
_READ_AND_WRITE = 0x03


class ControlRequests:
    """Answers requests to endpoint 0. Safe for threads.

    Attributes:
        format: The name of the format that the host chose.
    """

    def __init__(self, states: ControlStates, size: PictureSize, serial_number: str) -> None:
        """Power comes.

        Args:
            states: The controls.
            size: Of the pictures.
            serial_number: What it says of itself.
        """
        self._states, self._size, self._serial_number = states, size, serial_number
        self._by_place = {(c.entity, c.selector): c for c in states.controls}
        self._lock = threading.Lock()
        self._error = NO_ERROR
        self.format = FORMATS[0]

    def answer(self, setup: bytes, data: bytes) -> bytes | None:
        """Answer a control request.

        Args:
            setup: Its eight bytes.
            data: What the host sends.

        Returns:
            What the device sends; ``None``: it refuses.
        """
        kind, request, value, index, length = struct.unpack("<BBHHH", setup)
        with self._lock:
            if kind & 0x60 == 0x20:
                answer = self._class_request(request, value >> 8, index, data)
            else:
                answer = self._standard_request(kind, request, value)
        return None if answer is None else answer[:length]

    def _standard_request(self, kind: int, request: int, value: int) -> bytes | None:
        get_status, get_descriptor = 0, 6
        if kind == 0x80 and request == get_descriptor:
            return self._descriptor(value >> 8, value & 0xFF)
        if kind & 0x80:
            return b"\0\0" if request == get_status else None
        return b""  # SET_CONFIGURATION, SET_INTERFACE, CLEAR_FEATURE: there is one of each

    def _descriptor(self, kind: int, index: int) -> bytes | None:
        device, configuration, string = 1, 2, 3
        if kind == device:
            return device_descriptor()
        if kind == configuration:
            return configuration_descriptor(self._states.controls, self._size)
        return string_descriptor(index, self._serial_number) if kind == string else None

    def _class_request(self, request: int, selector: int, index: int, data: bytes) -> bytes | None:
        interface, entity = index & 0xFF, index >> 8
        if interface == STREAM_INTERFACE:
            return self._negotiate(request, data)
        if interface == CONTROL_INTERFACE and entity == 0 and selector == ERROR_CODE:
            return bytes((self._error,))
        control = self._by_place.get((entity, selector))
        answer = None if control is None else self._control(control, request, data)
        if control is None:
            self._error = INVALID_CONTROL
        elif answer is not None:
            self._error = NO_ERROR
        return answer

    def _control(self, control: UvcControl, request: int, data: bytes) -> bytes | None:
        if request == SET_CUR:
            value = int.from_bytes(data[: control.size], "little")
            self._error = WRONG_STATE if control.accepts(value) else OUT_OF_RANGE
            return b"" if self._states.set(control.name, value) else None
        if request == GET_LEN:
            return control.size.to_bytes(2, "little")
        if request == GET_INFO:
            return bytes((_READ_AND_WRITE,))
        values = {
            GET_CUR: self._states.get(control.name),
            GET_MIN: control.minimum,
            GET_MAX: control.maximum,
            GET_RES: control.step,
            GET_DEF: control.default,
        }
        return values[request].to_bytes(control.size, "little") if request in values else None

    def _negotiate(self, request: int, data: bytes) -> bytes | None:
        if request == SET_CUR:
            number = data[2] if len(data) > 2 else 0
            if 1 <= number <= len(FORMATS):
                self.format = FORMATS[number - 1]
            return b""
        if request == GET_LEN:
            return _PROBE.size.to_bytes(2, "little")
        if request == GET_INFO:
            return bytes((_READ_AND_WRITE,))
        return self._offer() if request in (GET_CUR, GET_MIN, GET_MAX, GET_DEF) else None

    def _offer(self) -> bytes:
        size, number = self._size, FORMATS.index(self.format) + 1
        most = size.most_bytes
        return _PROBE.pack(
            1, number, 1, size.interval, 0, 0, 0, 0, 0, most, most + HEADER_BYTES, CLOCK_HZ, 0, 0, 0, 0
        )
