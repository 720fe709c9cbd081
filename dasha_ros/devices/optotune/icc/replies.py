"""What the package optoICC returns, made sure of.

Source: Optotune, optoICC 2.0, its API documentation. It says of hardly any call what it returns. By its
examples a getter returns a number for an ICC-1C, and a list of one number for an ICC-4C; by its base classes
an error may come back as text, in place of a value. So nothing is taken for a value that is not plainly one.
"""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from dasha_ros.devices.serial.replies import ReplyGarbled, ReplyIncomplete, RequestRefused

LENS_NAMES = "EL"
"""How the names of tunable lenses begin among the device types (``DeviceModel``); mirrors and beam shifters
have others."""
_DISCONNECTED = "DISCONNECTED"
_CHANNEL_FAULTS = {0: "output fault", 10: "lens not detected", 18: "overcurrent on the lens's 3.3 V supply"}
"""Bits of channel 0 in the register of system errors (0x1007); two for each channel, in a row."""
_DRIVER_HOT = 8
_BITS_EACH = 2
"""A bit for what is, and one for what was since the register was last written."""


class NoReply(ReplyIncomplete):
    """The package returned nothing."""

    def __init__(self, of: str) -> None:
        super().__init__(b"", 1)
        self.args = (f"asked for {of}, the package optoICC returned nothing",)


def number(reply: Any, of: str) -> float:
    """The number in a reply.

    Args:
        reply: What a getter returned.
        of: What was asked for, for messages.

    Raises:
        NoReply: There is none.
        RequestRefused: It is a text, which says what went wrong.
        ReplyGarbled: It is anything else, or no finite number.
    """
    value = _only(reply)
    if value is None:
        raise NoReply(of)
    if isinstance(value, str | bytes):
        if not value:
            raise NoReply(of)
        raise RequestRefused(f"asked for {of}, the controller says {value!r}")
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise ReplyGarbled(f"asked for {of}, the package optoICC returned {reply!r}")
    return float(value)


def text(reply: Any, of: str) -> str:
    """The text in a reply, such as a serial number.

    Raises:
        NoReply: There is none.
        ReplyGarbled: It is something else.
    """
    value = _only(reply)
    if isinstance(value, bytes | bytearray):
        value = bytes(value).decode("ascii", "replace")
    if not isinstance(value, str):
        raise NoReply(of) if value is None else ReplyGarbled(f"asked for {of}, it returned {reply!r}")
    return value.strip("\0 ")


def lens_type(reply: Any) -> str:
    """The name of what is plugged in; empty: nothing is.

    Raises:
        RequestRefused: It is a text, which says what went wrong.
        ReplyGarbled: It is no device type.
    """
    value = _only(reply)
    if value is None:  # as the package's example for an ICC-1C has it
        return ""
    name = getattr(value, "name", None)
    if not isinstance(name, str):
        number(value, "the type of the lens")
        raise ReplyGarbled(f"asked for the type of the lens, the package optoICC returned {reply!r}")
    return "" if name == _DISCONNECTED else name


def faults_and_history(reply: Any, channel: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The faults of one channel in the register of system errors, and what it says beside.

    Args:
        reply: The register; or, where the package has put it into words, these. They can't be told apart by
            channel or by time, so that none of them counts as a fault.
        channel: Of the lens.

    Raises:
        NoReply: There is none.
        ReplyGarbled: It is something else.
    """
    value = _only(reply)
    words = [value] if isinstance(value, str) else value
    if isinstance(words, list | tuple) and all(isinstance(word, str) for word in words):
        return (), tuple(f"the controller says: {word}" for word in words if word)
    register = int(number(reply, "its faults"))
    bits = {first + _BITS_EACH * channel: name for first, name in _CHANNEL_FAULTS.items()}
    bits[_DRIVER_HOT] = "controller overheated"
    faults = tuple(name for bit, name in bits.items() if register >> bit & 1)
    history = tuple(f"earlier: {name}" for bit, name in bits.items() if register >> bit + 1 & 1)
    return faults, history


def _only(reply: Any) -> Any:
    while isinstance(reply, list | tuple) and len(reply) == 1:
        [reply] = reply
    return reply
