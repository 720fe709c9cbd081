"""Optotune's Lens Driver 4 with a lens, without the serial line: requests in, replies out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dasha_ros.devices.optotune.protocol import (
    BAUD,
    CRC_BYTES,
    ENTER_CURRENT_MODE,
    ENTER_FOCAL_POWER_MODE,
    FIRMWARE_TYPE,
    FOCAL_POWER,
    FOCAL_POWER_MODE,
    MODE,
    OFFSETS_DIOPTRES,
    SERIAL_NUMBER,
    SET_CURRENT,
    SET_FOCAL_POWER,
    SET_TEMPERATURE_LIMITS,
    STATUS,
    STEPS_PER_KELVIN,
    TEMPERATURE,
    VERSION,
    Question,
    crc16,
    error_reply,
    number,
    signed,
)
from dasha_ros.emulators.lens.emulated_board import EmulatedBoard
from dasha_ros.optics.optotune import CODES_PER_DIOPTRE, UNIT

CURRENT_MODE = 1
RANGE_DIOPTRES = -2.0, 3.0
"""Guaranteed range of the emulated lens."""
LENS_SERIAL = b"EMUL0001"
FIRMWARE = bytes((1, 11, 0, 7, 0, 42))
"""Version 1.11.7.42."""
WRITE_MEMORY = Question(b"Zw", 2, b"Z", 1)
"""9998: no driver here ever sends it."""
HANDSHAKE, READY = b"Start", b"Ready\r\n"
"""0101: the one request without a CRC; it takes the current off the lens."""
CRC_FAILED, NO_COMMAND = 1, 3
NO_LIMITS = 1 << 2
OUT_OF_REACH = 1 << 3
_QUESTIONS = (
    FIRMWARE_TYPE,
    SERIAL_NUMBER,
    VERSION,
    STATUS,
    TEMPERATURE,
    MODE,
    ENTER_FOCAL_POWER_MODE,
    ENTER_CURRENT_MODE,
    SET_CURRENT,
    SET_TEMPERATURE_LIMITS,
    SET_FOCAL_POWER,
    FOCAL_POWER,
    WRITE_MEMORY,
)


@dataclass(frozen=True, slots=True)
class DriverRequest:
    """One whole request as the driver sees it."""

    question: Question | None
    """``None``: unknown, or the handshake."""
    frame: bytes

    @property
    def size(self) -> int:
        """Bytes that it took on the wire."""
        return len(self.frame)

    @property
    def intact(self) -> bool:
        """Whether its CRC was right."""
        return self.frame == HANDSHAKE or crc16(self.frame) == 0

    @property
    def data(self) -> bytes:
        """What follows the prefix."""
        assert self.question is not None
        return self.frame[len(self.question.prefix) : -CRC_BYTES]


class DriverParser:
    """Splits the bytes that reach the driver into requests; what begins no command is one request."""

    def __init__(self) -> None:
        self._pending = bytearray()

    @property
    def pending(self) -> int:
        """Number of bytes of an incomplete request."""
        return len(self._pending)

    def reset(self) -> None:
        """Forget an incomplete request."""
        self._pending.clear()

    def feed(self, received: bytes) -> list[DriverRequest]:
        """The requests that ``received`` completes, in order."""
        self._pending += received
        requests = []
        while self._pending and (request := self._next()) is not None:
            del self._pending[: request.size]
            requests.append(request)
        return requests

    def _next(self) -> DriverRequest | None:
        frame = bytes(self._pending)
        if frame.startswith(HANDSHAKE):
            return DriverRequest(None, HANDSHAKE)
        for question in _QUESTIONS:
            if frame.startswith(question.prefix):
                whole = len(frame) >= question.size
                return DriverRequest(question, frame[: question.size]) if whole else None
        beginnings = (HANDSHAKE, *(question.prefix for question in _QUESTIONS))
        if any(beginning.startswith(frame) for beginning in beginnings):
            return None
        return DriverRequest(None, frame)


class LensDriver4(EmulatedBoard[DriverRequest]):
    """A driver with a lens that is focused at infinity without current.

    Args:
        on_drive: Called with the focal power asked of the lens [D] whenever the driver sets it.
        firmware: Firmware type, one letter.
    """

    unit = UNIT
    baud = BAUD
    rest = 0.0

    def __init__(self, on_drive: Callable[[float], None], *, firmware: str = "F") -> None:
        super().__init__(on_drive, DriverParser())
        self._firmware = firmware.encode("ascii")
        self._offset = OFFSETS_DIOPTRES.get(firmware, 0.0)
        self._faults = 0
        self._answers: dict[Question, Callable[[bytes], bytes]] = {
            FIRMWARE_TYPE: lambda _: self._firmware,
            SERIAL_NUMBER: lambda _: LENS_SERIAL,
            VERSION: lambda _: FIRMWARE,
            STATUS: lambda _: bytes((0, 0, 0, self._status)),
            TEMPERATURE: lambda _: signed(round(self.temperature_c * STEPS_PER_KELVIN)),
            MODE: lambda _: bytes([self._mode]),
            FOCAL_POWER: lambda _: signed(self._code),
            ENTER_FOCAL_POWER_MODE: self._enter_focal_power_mode,
            ENTER_CURRENT_MODE: self._enter_current_mode,
            SET_TEMPERATURE_LIMITS: self._set_limits,
            SET_FOCAL_POWER: self._set_focal_power,
            SET_CURRENT: lambda _: b"",
            WRITE_MEMORY: self._write_memory,
        }
        self.power_on()

    def power_on(self) -> None:
        """Start as after a power loss: in current mode without current, and without temperature limits."""
        self._mode, self._limited = CURRENT_MODE, False
        self._code = self._encoded(self.rest)
        self.drive()

    @property
    def code(self) -> int:
        """Code of the focal power that was commanded last."""
        return self._code

    @property
    def mode(self) -> int:
        """1: current, 5: focal power."""
        return self._mode

    @property
    def mode_name(self) -> str:
        """The mode in a word."""
        return "focal power" if self.obeys else "current"

    @property
    def obeys(self) -> bool:
        """Whether the lens keeps the focal power."""
        return self._mode == FOCAL_POWER_MODE

    @property
    def driven(self) -> float:
        """The focal power asked of the lens [D]; what is out of reach is cut off."""
        if not self.obeys:
            return self.rest
        return min(max(self._decoded, RANGE_DIOPTRES[0]), RANGE_DIOPTRES[1])

    def set_faults(self, bits: int) -> None:
        """Raise or clear bits of status byte 1."""
        self._faults = bits & 0xFF

    def handle(self, request: DriverRequest) -> bytes:
        """Obey ``request`` and return the reply; empty: there is none."""
        if request.frame == HANDSHAKE:
            self._enter_current_mode(b"")
            return READY
        if request.question is None:
            return error_reply(NO_COMMAND)
        if not request.intact:
            return error_reply(CRC_FAILED)
        return request.question.reply(self._answers[request.question](request.data))

    def refuse(self, request: DriverRequest) -> bytes:
        """The reply to a request that the driver refuses for no reason."""
        return error_reply(CRC_FAILED)

    @property
    def _decoded(self) -> float:
        return self._code / CODES_PER_DIOPTRE - self._offset

    def _encoded(self, dioptres: float) -> int:
        return round((dioptres + self._offset) * CODES_PER_DIOPTRE)

    @property
    def _status(self) -> int:
        beyond = self.obeys and self.driven != self._decoded
        return self._faults | (0 if self._limited else NO_LIMITS) | (OUT_OF_REACH if beyond else 0)

    def _range(self) -> bytes:
        low, high = (signed(self._encoded(end)) for end in RANGE_DIOPTRES)
        return bytes([self._status]) + high + low

    def _set_limits(self, data: bytes) -> bytes:
        self._limited = number(data[:2]) > number(data[2:4])
        return self._range()

    def _enter_focal_power_mode(self, _: bytes) -> bytes:
        if self._limited:
            self._mode = FOCAL_POWER_MODE
            self.drive()
        return self._range()

    def _enter_current_mode(self, _: bytes) -> bytes:
        self._mode = CURRENT_MODE
        self.drive()
        return b""

    def _set_focal_power(self, data: bytes) -> bytes:
        self._code = number(data[:2])
        self.latched.append(self._code)
        self.drive()
        return b""

    def _write_memory(self, _: bytes) -> bytes:
        self.stored += 1
        return b"\0"
