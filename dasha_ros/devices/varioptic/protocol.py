"""The bytes that Corning's Varioptic driver boards speak, without any I/O.

Source: Corning, USB-M Flexiboard user guide. Requests and replies are short frames that
end in the low byte of the sum of all bytes before it. There are no sequence numbers: read or
discard every older reply before sending a request.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from dasha_ros.devices.errors import OutOfRange
from dasha_ros.devices.serial.replies import ReplyGarbled, ReplyIncomplete, RequestRefused, hexadecimal
from dasha_ros.optics.varioptic import VOLTS_MAX, VOLTS_MIN

BAUD = 57600
"""8 data bits, no parity, 1 stop bit, no flow control: 0x11 and 0x13 are payload."""

START = 0x02
ACK = 0x06
NACK = 0x15
MAX_REGISTERS = 12
"""Greatest number of registers in one request."""
MAX_CODE = 46000
"""Focus code of 70.0 V."""
VOLTS_PER_CODE = 0.001

WRITE_REPLY_BYTES = 4
READ_OVERHEAD_BYTES = 3


class Verb(IntEnum):
    """What a request asks for."""

    WRITE = 0x37
    READ = 0x38


def checksum(frame: bytes) -> int:
    """Low byte of the sum of all bytes."""
    return sum(frame) & 0xFF


def sealed(body: bytes) -> bytes:
    """``body`` with its checksum appended."""
    return body + bytes([checksum(body)])


WRITE_ACK = sealed(bytes([START, Verb.WRITE, ACK]))
WRITE_NACK = sealed(bytes([START, Verb.WRITE, NACK]))
READ_NACK = sealed(bytes([START, Verb.READ, NACK]))


def write_request(address: int, values: bytes) -> bytes:
    """Frame that writes ``values`` to the registers from ``address`` on.

    Raises:
        ValueError: No values or more than 12, or an address outside 0..255.
    """
    _check_span(address, len(values))
    return sealed(bytes([START, Verb.WRITE, address, len(values)]) + values)


def read_request(address: int, count: int) -> bytes:
    """Frame that reads ``count`` registers from ``address`` on.

    Raises:
        ValueError: Fewer than 1 or more than 12 registers, or an address outside 0..255.
    """
    _check_span(address, count)
    return sealed(bytes([START, Verb.READ, address, count]))


def read_reply_bytes(count: int) -> int:
    """Length of the reply to a read of ``count`` registers."""
    return count + READ_OVERHEAD_BYTES


def parse_write_reply(reply: bytes) -> None:
    """Return if ``reply`` acknowledges a write.

    Raises:
        RequestRefused: The board answered NACK.
        ReplyIncomplete: The reply is shorter than 4 bytes.
        ReplyGarbled: Anything else.
    """
    if reply == WRITE_ACK:
        return
    if reply == WRITE_NACK:
        raise RequestRefused("the board refused the write (NACK)")
    if len(reply) < WRITE_REPLY_BYTES:
        raise ReplyIncomplete(reply, WRITE_REPLY_BYTES)
    raise ReplyGarbled(f"no reply to a write: {hexadecimal(reply)}")


def parse_read_reply(reply: bytes, count: int) -> bytes:
    """The ``count`` register values in ``reply``.

    A NACK has the length and the sum of a one-register reply with the value 0x15 and is
    taken for a NACK: read registers that may hold 0x15 together with a neighbour.

    Raises:
        RequestRefused: The board answered NACK.
        ReplyIncomplete: The reply is too short.
        ReplyGarbled: Wrong head, wrong sum or too long.
    """
    if reply == READ_NACK:
        raise RequestRefused("the board refused the read (NACK)")
    expected = read_reply_bytes(count)
    if len(reply) < expected:
        raise ReplyIncomplete(reply, expected)
    head = bytes([START, Verb.READ])
    if len(reply) != expected or reply[:2] != head or reply[-1] != checksum(reply[:-1]):
        raise ReplyGarbled(f"no reply to a read of {count} registers: {hexadecimal(reply)}")
    return reply[2:-1]


def focus_code(volts: float) -> int:
    """Focus code N of ``volts`` [V]: V = 24.0 + 0.001 N.

    Raises:
        OutOfRange: Not a finite number in 24.0..70.0.
    """
    if not VOLTS_MIN <= volts <= VOLTS_MAX:
        raise OutOfRange(
            f"lens voltage {volts!r} refused: it must be a number from {VOLTS_MIN} to {VOLTS_MAX} V"
        )
    return round((volts - VOLTS_MIN) / VOLTS_PER_CODE)


def code_volts(code: int) -> float:
    """Voltage [V] that focus code ``code`` asks for.

    Raises:
        ValueError: Not in 0..46000.
    """
    if not 0 <= code <= MAX_CODE:
        raise ValueError(f"focus code {code} is not in 0..{MAX_CODE}")
    return VOLTS_MIN + VOLTS_PER_CODE * code


def focus_bytes(code: int) -> bytes:
    """Registers 0x00 and 0x01, low byte first: the output changes on the second.

    Raises:
        ValueError: Not in 0..46000.
    """
    if not 0 <= code <= MAX_CODE:
        raise ValueError(f"focus code {code} is not in 0..{MAX_CODE}")
    return code.to_bytes(2, "little")


def wire_seconds(count: int) -> float:
    """Time that ``count`` bytes take on the wire [s], 10 bits each."""
    return count * 10 / BAUD


@dataclass(frozen=True, slots=True)
class Request:
    """One whole request as the board sees it."""

    verb: Verb
    address: int
    count: int
    values: bytes = b""
    intact: bool = True
    """Whether the checksum was right. A board answers NACK to a wrong one."""

    @property
    def size(self) -> int:
        """Bytes that it took on the wire."""
        return 5 + len(self.values)


class RequestParser:
    """Splits the bytes that reach a board into requests; bytes that start no request are skipped."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def reset(self) -> None:
        """Forget a half-received request: the line was silent for too long, or power was lost."""
        self._pending.clear()

    @property
    def pending(self) -> int:
        """Number of bytes of an incomplete request."""
        return len(self._pending)

    def feed(self, received: bytes) -> list[Request]:
        """The requests that ``received`` completes, in order."""
        self._pending += received
        requests = []
        while (request := self._next()) is not None:
            requests.append(request)
        return requests

    def _next(self) -> Request | None:
        frame = self._pending
        while frame and not _may_start(frame):
            del frame[0]
        if len(frame) < 4:
            return None
        verb, address, count = Verb(frame[1]), frame[2], frame[3]
        size = 5 + (count if verb is Verb.WRITE else 0)
        if len(frame) < size:
            return None
        whole = bytes(frame[:size])
        del frame[:size]
        intact = whole[-1] == checksum(whole[:-1])
        return Request(verb, address, count, whole[4:-1] if verb is Verb.WRITE else b"", intact)


def _may_start(frame: bytearray) -> bool:
    return (
        frame[0] == START
        and (len(frame) < 2 or frame[1] in (Verb.WRITE, Verb.READ))
        and (len(frame) < 4 or 1 <= frame[3] <= MAX_REGISTERS)
    )


def _check_span(address: int, count: int) -> None:
    if not 0 <= address <= 0xFF:
        raise ValueError(f"register address {address} is not in 0..255")
    if not 1 <= count <= MAX_REGISTERS:
        raise ValueError(f"{count} registers in one request; 1 to {MAX_REGISTERS} are allowed")
