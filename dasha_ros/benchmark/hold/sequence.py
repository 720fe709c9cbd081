"""What happens while an object is held: it moves in depth, the light steps, lamps flicker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dasha_ros.optics.lamp import lamp_light

Light = Literal["steady", "steps", "50 Hz", "60 Hz"]

NEAREST_M, FARTHEST_M, START_M = 0.6, 3.0, 1.2
"""Between the first two the object goes back and forth; it begins at the third [m]."""
STEP, STEP_S = 4.0, 5.0
"""The light steps by this factor, every so many seconds: as it was, darker, as it was, brighter."""
DEPTH = 0.6
"""Modulation of lamps that flicker, at twice the mains frequency."""


@dataclass(frozen=True)
class Sequence:
    """One sequence; the same for everybody who is compared."""

    scene: str
    label: str
    """The object, in the nearest layer."""
    speed_m_s: float = 0.0
    light: Light = "steady"
    seconds: float = 60.0

    def distance_m(self, at_s: float) -> float:
        """Distance of the object [m]: back and forth at a constant speed, first towards the camera."""
        span = FARTHEST_M - NEAREST_M
        way = (NEAREST_M - START_M + self.speed_m_s * at_s) % (2.0 * span)
        return NEAREST_M + min(way, 2.0 * span - way)

    def brightness(self, begin_s: float, exposure_s: float) -> float:
        """Mean brightness of the light over an exposure, relative to the mean light."""
        if self.light == "steady":
            return 1.0
        if self.light == "steps":
            return (1.0, 1.0 / STEP, 1.0, STEP)[int(begin_s / STEP_S) % 4]
        return lamp_light(2.0 * float(self.light.split()[0]), DEPTH, begin_s, exposure_s)
