"""The controls of a webcam: their numbers in Linux's interface, their names, and what a device says of them.

Numbers are those of ``linux/v4l2-controls.h``; names are today's, as ``v4l2-ctl`` prints them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from dasha_ros.devices.errors import DeviceLost, OutOfRange

EXPOSURE_UNIT_US = 100.0
"""``exposure_time_absolute`` counts in this unit [us]."""


class ControlId(IntEnum):
    """The controls that the back end knows by itself."""

    AUTO_WHITE_BALANCE = 0x0098090C
    AUTO_GAIN = 0x00980912
    GAIN = 0x00980913
    POWER_LINE_FREQUENCY = 0x00980918
    AUTO_EXPOSURE = 0x009A0901
    EXPOSURE_TIME_ABSOLUTE = 0x009A0902
    FOCUS_ABSOLUTE = 0x009A090A
    FOCUS_AUTOMATIC_CONTINUOUS = 0x009A090C


EXPOSURE_MANUAL = 1
"""The value of ``auto_exposure`` at which the exposure time is the one that was set."""
POWER_LINE = {0: 0, 50: 1, 60: 2}
"""Values of ``power_line_frequency`` by frequency [Hz]; 0 Hz: no anti-flicker."""


@dataclass(frozen=True, slots=True)
class Control:
    """One control, as the device describes it."""

    id: int
    name: str
    """As ``v4l2-ctl`` prints it, such as ``focus_absolute``."""
    minimum: int
    maximum: int
    step: int
    default: int
    writable: bool = True

    def nearest(self, value: float) -> int:
        """The value nearest to ``value`` that the device has."""
        steps = round((min(max(value, self.minimum), self.maximum) - self.minimum) / self.step)
        return min(self.minimum + steps * self.step, self.greatest)

    @property
    def greatest(self) -> int:
        """The greatest value that lies on a step."""
        return self.minimum + (self.maximum - self.minimum) // self.step * self.step


def plain_name(text: str) -> str:
    """A control's name as ``v4l2-ctl`` prints it: ``Focus, Absolute`` is ``focus_absolute``."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def need_range(controls: Mapping[int, Control], which: ControlId, device: str) -> Control:
    """A control that has a range.

    Raises:
        DeviceLost: The device does not have it, or describes it with a range that is none.
    """
    control = controls.get(which)
    if control is None:
        raise DeviceLost(
            f"{device} has no control {which.name.lower()}, which is needed here; choose another device"
        )
    if control.step < 1 or control.maximum - control.minimum < control.step:
        raise DeviceLost(
            f"{device} says that its {control.name} goes from {control.minimum} to {control.maximum} in steps"
            f" of {control.step}, which is no range; its firmware is wrong, so nothing was set"
        )
    if not control.writable:
        raise DeviceLost(f"{device} does not let anybody set its {control.name}; choose another device")
    return control


def chosen_controls(controls: Mapping[int, Control], wanted: Iterable[str]) -> dict[int, int]:
    """The controls that a user sets, by their id.

    Args:
        controls: What the device has.
        wanted: ``NAME=VALUE`` or ``ID=VALUE``, such as ``sharpness=0`` or ``0x0098091b=0``.

    Raises:
        OutOfRange: A control is unknown, or the device has no such value.
    """
    by_name = {control.name: control for control in controls.values()}
    values: dict[int, int] = {}
    for text in wanted:
        name, _, number = text.partition("=")
        try:
            control = by_name.get(name.strip()) or controls.get(int(name, 0))
        except ValueError:
            control = None
        if control is None:
            raise OutOfRange(
                f"control {name.strip()!r}: this webcam has none of that name or number; it has "
                + ", ".join(sorted(by_name))
            )
        try:
            value = int(number, 0)
        except ValueError:
            raise OutOfRange(f"control {text!r}: write NAME=VALUE with a whole number") from None
        if not control.minimum <= value <= control.maximum:
            raise OutOfRange(
                f"control {text!r}: {control.name} goes from {control.minimum} to {control.maximum}"
            )
        values[control.id] = value
    return values
