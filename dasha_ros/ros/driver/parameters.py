"""A driver's parameter as a number in this package's unit."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dasha_ros.devices.errors import DeviceLost
from dasha_ros.ros.driver.port import DescribedParameter
from dasha_ros.ros.driver.table import Quantity, Value
from dasha_ros.ros.driver.units import to_driver, to_own

_NUMBERS = ("integer", "double", "unset")


@dataclass(frozen=True, slots=True)
class NumberParameter:
    """Exposure, gain or focus of a driver."""

    quantity: Quantity
    is_whole: bool
    low: float
    """In the driver's unit, as `high` and `step`."""
    high: float
    step: float

    @classmethod
    def of(cls, quantity: Quantity, described: DescribedParameter | None, driver: str) -> NumberParameter:
        """Join the table and what the driver says.

        Raises:
            DeviceLost: The driver does not have it, its type is none that the table means, it cannot be
                changed, or its range is none.
        """
        name = f"parameter {quantity.name} of {driver}"
        if described is None:
            raise DeviceLost(
                f"{driver} has no parameter {quantity.name} for the {quantity.quantity}: another version, or "
                "a camera without it. Compare `ros2 param list` with the table of drivers"
            )
        if described.kind not in _NUMBERS:
            raise DeviceLost(
                f"{name} is of type {described.kind}, and the {quantity.quantity} is a number: name another "
                "parameter in a table of your own"
            )
        if described.read_only:
            raise DeviceLost(f"{name} is read-only, so the {quantity.quantity} can't be set")
        low = quantity.low if described.low is None else described.low
        high = quantity.high if described.high is None else described.high
        if low is None or high is None:
            raise DeviceLost(f"{name} tells no range: add low and high to a table of your own")
        positive = quantity.quantity == "exposure" or quantity.unit in ("factor", "iso")
        if positive and math.isfinite(low) and low <= 0.0 < high:
            # Zero stands for "automatic" or "off" in several drivers.
            low = quantity.low if quantity.low and quantity.low > 0.0 else min(1.0, high)
        if not (math.isfinite(low) and math.isfinite(high) and low < high) or (positive and low <= 0.0):
            raise DeviceLost(
                f"{name} claims a range from {low:g} to {high:g}, which no {quantity.quantity} has: give low "
                "and high in a table of your own, or mend the driver"
            )
        whole = described.kind == "integer" or (described.kind == "unset" and quantity.unit != "D")
        step = described.step if math.isfinite(described.step) and described.step > 0.0 else 0.0
        return cls(quantity, whole, low, high, max(step, 1.0) if whole else step)

    @property
    def own_low(self) -> float:
        """The least value in this package's unit."""
        return to_own(self.quantity.quantity, self.quantity.unit, self.low)

    @property
    def own_high(self) -> float:
        """The greatest value in this package's unit."""
        return to_own(self.quantity.quantity, self.quantity.unit, self.high)

    def nearest(self, own: float) -> int | float:
        """The driver's value nearest to one in this package's unit."""
        wanted = to_driver(self.quantity.quantity, self.quantity.unit, own)
        value = min(max(wanted, self.low), self.high)
        if self.step > 0.0:
            value = self.low + round((value - self.low) / self.step) * self.step
            if value > self.high:
                value -= self.step
        return round(value) if self.is_whole else float(value)

    def own(self, value: Value | None, driver: str) -> float:
        """A value that the driver told, in this package's unit.

        Raises:
            DeviceLost: It is no number any more.
        """
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise DeviceLost(
                f"parameter {self.quantity.name} of {driver} is {value!r} now, and no number: was the driver "
                "changed? Start it again"
            )
        return to_own(self.quantity.quantity, self.quantity.unit, float(value))
