"""What can go wrong with a device. Messages say what happened, with which value, and what to do."""

from __future__ import annotations

import math
from typing import Any


class DeviceError(Exception):
    """Base of all device errors."""


class DeviceLost(DeviceError):
    """The device is gone: unplugged, powered off, taken by another process. Open it again."""


class DeviceTimeout(DeviceError):
    """The device did not answer in time. It may answer the next time."""


class MoveOvertaken(DeviceError):
    """A move was stopped on its way because a newer command made it pointless. The lens works."""


class FrameIncomplete(DeviceError):
    """One frame was damaged in transfer. The next one may be whole."""


class OutOfRange(DeviceError, ValueError):
    """The value is not one the device may be given. Nothing was sent."""


def as_number(value: Any) -> float:
    """A number of any library as Python's own; NaN: it is none."""
    try:
        return math.nan if isinstance(value, str | bytes) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def check_number(name: str, value: float, unit: str) -> None:
    """Refuse what no device clips to its limits.

    Args:
        name: What it is, for the message.
        value: What was asked for.
        unit: Its unit, for the message.

    Raises:
        OutOfRange: Not a finite number.
    """
    if not math.isfinite(value):
        raise OutOfRange(f"{name} {value!r} {unit} refused: it must be a number")
