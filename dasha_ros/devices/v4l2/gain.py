"""A webcam's gain in dB.

No webcam says what a step of its gain is. Most sensors count the factor in sixteenths: 16 is 1, 32 is 2. So
the least value counts as 0 dB, and the steps as parts of it, or as sixteenths where the least value is 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dasha_ros.devices.v4l2.controls import Control

_PARTS = 16


@dataclass(frozen=True, slots=True)
class GainScale:
    """Turns dB into values of the control, and back. The dB are nominal."""

    control: Control

    @classmethod
    def of(cls, control: Control | None) -> GainScale | None:
        """The scale of a control; ``None`` where there is none that can be set."""
        usable = control is not None and control.writable and control.step > 0
        return cls(control) if control is not None and usable and control.greatest > control.minimum else None

    @property
    def greatest_db(self) -> float:
        """The most that can be set [dB]."""
        return self.db(self.control.greatest)

    def db(self, value: int) -> float:
        """The gain of a value [dB]."""
        return 20.0 * math.log10(1.0 + (value - self.control.minimum) / self._parts)

    def value(self, gain_db: float) -> int:
        """The value whose gain is nearest to ``gain_db``, inside the limits."""
        within_db = min(max(gain_db, 0.0), self.greatest_db)
        return self.control.nearest(self.control.minimum + (10.0 ** (within_db / 20.0) - 1.0) * self._parts)

    @property
    def _parts(self) -> int:
        """Values that double the gain of the least one."""
        return self.control.minimum if self.control.minimum > 0 else _PARTS
