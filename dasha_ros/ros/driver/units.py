"""Units in which drivers count exposures, gains and positions of a lens."""

from __future__ import annotations

import math

EXPOSURE_US = {"us": 1.0, "100us": 100.0, "ms": 1e3, "s": 1e6}
"""What one of a driver's unit of exposure is [us]."""
GAIN_REFERENCE = {"factor": 1.0, "iso": 100.0}
"""The value that is 0 dB, of units that count a factor."""
GAIN_UNITS = ("db", *GAIN_REFERENCE)
QUANTITIES = {"exposure": tuple(EXPOSURE_US), "gain": GAIN_UNITS, "focus": ("D", "steps", "V", "mm")}
"""The units of each quantity."""


def to_own(quantity: str, unit: str, value: float) -> float:
    """A driver's value in this package's unit: us, dB, or the unit of the lens itself."""
    if quantity == "exposure":
        return value * EXPOSURE_US[unit]
    if quantity == "gain" and unit != "db":
        return 20.0 * math.log10(value / GAIN_REFERENCE[unit]) if value > 0.0 else -math.inf
    return value


def to_driver(quantity: str, unit: str, value: float) -> float:
    """The reverse of `to_own`."""
    if quantity == "exposure":
        return value / EXPOSURE_US[unit]
    if quantity == "gain" and unit != "db":
        return float(GAIN_REFERENCE[unit] * 10.0 ** (value / 20.0))
    return value
