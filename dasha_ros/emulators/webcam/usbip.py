"""The wire of USB/IP: how Linux's virtual host controller passes USB requests to somebody else.

Numbers are big-endian; see ``Documentation/usb/usbip_protocol.rst`` of Linux.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

HEADER_BYTES = 48
STALL = -32
"""EPIPE: the device refuses a request."""
UNLINKED = -104
"""ECONNRESET: a request was taken back before it was answered."""
_SUBMIT, _UNLINK, _SUBMITTED, _UNLINKED = 1, 2, 3, 4
_IN = 1


class WireError(ValueError):
    """What came is no USB/IP; the connection can't be used any longer."""


@dataclass(frozen=True, slots=True)
class Submit:
    """A USB request."""

    number: int
    """Of the request; its answer carries it."""
    endpoint: int
    is_in: bool
    """Whether the device sends the data."""
    length: int
    """Bytes that the host sends, or takes at most."""
    setup: bytes
    """Eight bytes, of a control request."""


@dataclass(frozen=True, slots=True)
class Unlink:
    """The host takes a request back."""

    number: int
    target: int
    """Number of the request that is taken back."""


def parse(header: bytes) -> Submit | Unlink:
    """Read the header of a message, `HEADER_BYTES` long.

    Raises:
        WireError: It is none.
    """
    if len(header) != HEADER_BYTES:
        raise WireError(f"a header of USB/IP has {HEADER_BYTES} bytes; {len(header)} came")
    command, number, _, direction, endpoint = struct.unpack_from(">5I", header)
    if command == _UNLINK:
        return Unlink(number, struct.unpack_from(">I", header, 20)[0])
    if command != _SUBMIT or direction not in (0, _IN) or endpoint > 15:
        raise WireError(f"USB/IP command {command} to endpoint {endpoint} is not known")
    (length,) = struct.unpack_from(">I", header, 24)
    return Submit(number, endpoint, direction == _IN, length, header[40:48])


def submitted(request: Submit, data: bytes | None) -> bytes:
    """The answer to a request.

    Args:
        request: Which.
        data: What the device sends, or ``b""`` where it took all that the host sent; ``None``: it refuses.
    """
    if data is None:
        status, length, data = STALL, 0, b""
    elif request.is_in:
        data = data[: request.length]
        status, length = 0, len(data)
    else:
        status, length, data = 0, request.length, b""
    return struct.pack(">5Ii4I8x", _SUBMITTED, request.number, 0, 0, 0, status, length, 0, 0, 0) + data


def unlinked(request: Unlink, *, in_time: bool) -> bytes:
    """The answer to the taking back of a request; ``in_time``: it was not answered yet."""
    status = UNLINKED if in_time else 0
    return struct.pack(">5Ii24x", _UNLINKED, request.number, 0, 0, 0, status)
