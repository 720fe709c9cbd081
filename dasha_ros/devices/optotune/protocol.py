"""The bytes that Optotune's Lens Driver 4 and 4i speak, without any I/O.

Sources: Optotune, *Electrical Lens Driver 4, Lens Driver Manual* (30.3.2016), chapter 5, and *Lens Driver V4
Communication Protocol*, whose command numbers stand beside each question. A frame is a prefix in ASCII, data
in big-endian integers, and a CRC-16, low byte first; replies end in CR LF. Setting current or focal power has
no reply: read it back. There are no sequence numbers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from dasha_ros.devices.serial.replies import ReplyGarbled, ReplyIncomplete, RequestRefused, hexadecimal

BAUD = 115200
"""Over USB; its rate is virtual."""
END = b"\r\n"
FOCAL_POWER_MODE = 5
OFFSETS_DIOPTRES = {"A": 5.0}
"""What firmware of a type adds to a focal power before encoding it [D]; other types add nothing."""
STEPS_PER_KELVIN = 16
NO_SENSOR = 4095
"""Temperature without a sensor."""
CRC_BYTES = 2
_NACK = b"N" + END
_ERROR_BYTES = 2 + CRC_BYTES + len(END)
_ERRORS = {
    1: "the checksum was wrong",
    2: "this firmware has no such command",
    3: "the command is unknown",
    4: "the lens does not fit the firmware",
}
FAULTS = {
    0: "hardware missing",
    1: "no lens data",
    2: "no temperature limits",
    3: "focal power out of reach",
    4: "focal power inverted",
    5: "temperature outside the specification",
}
"""Bits of status byte 1 with which the lens does not do what it is told."""
WARNINGS = {
    6: "focal power not guaranteed at all temperatures",
    7: "temperature outside the chosen limits",
}
"""Bits of status byte 1 with which it still does."""
INCOMPATIBLE = "lens does not fit the firmware"
"""Bit 0 of status byte 2."""


@dataclass(frozen=True, slots=True)
class Question:
    """One command of the protocol."""

    prefix: bytes
    data_bytes: int = 0
    """Bytes of data that follow the prefix."""
    answer: bytes = b""
    """Prefix of the reply; empty: there is no reply."""
    answer_bytes: int = 0
    """Bytes of data in the reply."""

    @property
    def size(self) -> int:
        """Bytes of the request."""
        return len(self.prefix) + self.data_bytes + CRC_BYTES

    @property
    def reply_bytes(self) -> int:
        """Bytes of the reply; 0: there is none."""
        return len(self.answer) + self.answer_bytes + CRC_BYTES + len(END) if self.answer else 0

    def request(self, data: bytes = b"") -> bytes:
        """The frame to send.

        Raises:
            ValueError: Too much data; missing data is filled with zeros.
        """
        if len(data) > self.data_bytes:
            raise ValueError(f"{self.prefix!r} takes {self.data_bytes} bytes of data, not {len(data)}")
        return sealed(self.prefix + data.ljust(self.data_bytes, b"\0"))

    def reply(self, data: bytes) -> bytes:
        """The frame that a device answers with."""
        return sealed(self.answer + data) + END if self.answer else b""

    def parse(self, reply: bytes) -> bytes:
        """The data in ``reply``.

        Raises:
            RequestRefused: The device answered with an error.
            ReplyIncomplete: The reply is too short.
            ReplyGarbled: Wrong prefix, wrong CRC or wrong end.
        """
        _check_refusal(reply)
        if len(reply) < self.reply_bytes:
            raise ReplyIncomplete(reply, self.reply_bytes)
        body = reply[: -len(END)]
        if not (reply.endswith(END) and reply.startswith(self.answer) and crc16(body) == 0):
            raise ReplyGarbled(f"no reply to {self.prefix.decode('ascii')}: {hexadecimal(reply)}")
        return body[len(self.answer) : -CRC_BYTES]


FIRMWARE_TYPE = Question(b"H", 0, b"H", 1)
"""0103: one letter."""
SERIAL_NUMBER = Question(b"X", 0, b"X", 8)
"""0102: of the lens."""
VERSION = Question(b"V", 0, b"V", 6)
"""0701: major, minor (bytes), build, revision (two bytes each)."""
STATUS = Question(b"Sr", 0, b"S", 4)
"""0503: status bytes 4, 3, 2 and 1, in this order."""
TEMPERATURE = Question(b"TCA", 0, b"TCA", 2)
"""0501: in 1/16 K."""
MODE = Question(b"MMA", 0, b"MMA", 1)
"""0312: 1 current, 5 focal power, and others. The CRC of the document's example is wrong."""
ENTER_FOCAL_POWER_MODE = Question(b"MwCA", 0, b"MCA", 5)
"""0308: status byte 1, greatest and least focal power."""
ENTER_CURRENT_MODE = Question(b"MwDA", 0, b"MDA", 0)
"""0303."""
SET_CURRENT = Question(b"Aw", 2)
"""0201: in 1/4095 of the greatest current."""
SET_TEMPERATURE_LIMITS = Question(b"PwTA", 4, b"PT", 5)
"""0309: upper and lower limit in 1/16 K; answers like `ENTER_FOCAL_POWER_MODE`."""
SET_FOCAL_POWER = Question(b"PwDA", 4)
"""0310: code of the focal power, and two bytes without meaning."""
FOCAL_POWER = Question(b"PrDA", 4, b"PD", 2)
"""0310."""


def crc16(data: bytes) -> int:
    """CRC-16-IBM: reversed polynomial 0xA001, start 0 (manual, 5.6). That of a whole frame is 0 (5.7)."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def sealed(body: bytes) -> bytes:
    """``body`` with its CRC appended, low byte first."""
    return body + crc16(body).to_bytes(CRC_BYTES, "little")


def signed(value: int) -> bytes:
    """A number as data of a request.

    Raises:
        ValueError: It does not fit into 16 bits.
    """
    try:
        return struct.pack(">h", value)
    except struct.error as error:
        raise ValueError(f"{value} does not fit into 16 bits") from error


def number(data: bytes) -> int:
    """The number in two bytes of a reply."""
    return int(struct.unpack(">h", data)[0])


def error_reply(code: int) -> bytes:
    """The frame with which a device refuses a request (0100)."""
    return sealed(b"E" + bytes([code])) + END


def status_names(first: int, second: int = 0) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Faults and warnings of status bytes 1 and 2, by name."""
    faults = tuple(name for bit, name in FAULTS.items() if first >> bit & 1)
    warnings = tuple(name for bit, name in WARNINGS.items() if first >> bit & 1)
    return (*faults, INCOMPATIBLE) if second & 1 else faults, warnings


def _check_refusal(reply: bytes) -> None:
    if reply == _NACK:
        raise RequestRefused("the driver refused the request (N)")
    if len(reply) == _ERROR_BYTES and reply[:1] == b"E" and crc16(reply[: -len(END)]) == 0:
        # The protocol's table has the number itself, the manual's examples its digit.
        code = reply[1] - ord("0") if reply[1] >= ord("0") else reply[1]
        raise RequestRefused(f"the driver refused the request: {_ERRORS.get(code, f'error {code}')}")
