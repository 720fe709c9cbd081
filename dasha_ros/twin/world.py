"""The twin's world (scene, light, distances), and the paper's schedule of changes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import count
from typing import Any

from dasha_ros.optics.varioptic import AT_POWER_ON

ILLUMINANCE_MIN_LX, ILLUMINANCE_MAX_LX = 0.01, 200_000.0
"""From starlight to direct sun."""
TEMPERATURE_MIN_C, TEMPERATURE_MAX_C = -20.0, 80.0
DISTANCE_MIN_M, DISTANCE_MAX_M = 0.05, 1000.0
"""Distance of a layer from the lens. It is here because nodes that check messages need no scenes."""
LAMP_MAX_HZ = 1000.0
"""Lamps that flicker faster flicker away in any exposure that matters."""

PAPER_ILLUMINANCES_LX = (*(float(lx) for lx in range(13, 300, 10)), 300.0)
"""13 to 300 lx in steps of 10 lx (paper, V.A.2 and V.B); the last step is 7 lx."""
PAPER_DISTANCES_M = tuple(cm / 100 for cm in range(140, 201, 10))
"""140 to 200 cm (paper, V.B); the paper does not give the step."""
FACTORY_EXPOSURE_US, FACTORY_POSITION = 10_000.0, AT_POWER_ON
"""Exposure and lens position before any command; the paper starts every episode with them (IV.D)."""


class WorldError(ValueError):
    """A world is invalid; the message names the value and its bounds."""


@dataclass(frozen=True, slots=True)
class World:
    """The scene before the camera, and its light; the fields of ``msg/TwinWorld``.

    Raises:
        WorldError: A value is out of bounds or not finite, or the distances don't ascend.
    """

    scene: str = "motorcycle_street"
    """Name of a shipped scene, or path of a YAML file."""
    illuminance_lx: float = 100.0
    distances_m: tuple[float, ...] = ()
    """Distances of the scene's layers, nearest first [m]; empty for the scene's own."""
    temperature_c: float = 25.0
    """Temperature of lens and sensor [deg C]."""
    lamp_hz: float = 0.0
    """How often the lamp is brightest in a second: 100 or 120 on mains of 50 or 60 Hz; 0: daylight [Hz]."""
    lamp_depth: float = 0.6
    """How much the lamp's light goes up and down, as a share of its mean, 0..1."""

    def __post_init__(self) -> None:
        """Check the values."""
        if not self.scene:
            raise WorldError("the world's scene has no name")
        _check("illuminance", self.illuminance_lx, ILLUMINANCE_MIN_LX, ILLUMINANCE_MAX_LX, "lx")
        _check("temperature", self.temperature_c, TEMPERATURE_MIN_C, TEMPERATURE_MAX_C, "deg C")
        for distance in self.distances_m:
            _check("distance", distance, DISTANCE_MIN_M, DISTANCE_MAX_M, "m")
        if list(self.distances_m) != sorted(self.distances_m):
            raise WorldError(
                f"the world's distances are {list(self.distances_m)} m; layers must stand nearest first"
            )
        _check("lamp_hz", self.lamp_hz, 0.0, LAMP_MAX_HZ, "Hz")
        _check("lamp_depth", self.lamp_depth, 0.0, 1.0, "of the mean light")

    @classmethod
    def of(cls, said: Any) -> World:
        """The world that a message, or parameters, tell in fields of the same names.

        Raises:
            WorldError: A value is out of bounds or not finite.
        """
        values = {field.name: getattr(said, field.name) for field in fields(cls)}
        return cls(**{**values, "distances_m": tuple(values["distances_m"])})


def paper_schedule(start: World, layers: int = 1) -> Iterator[World]:
    """The paper's training conditions, one change after the other, without end.

    Every change moves light and the distance of the nearest layer to their next value, so all 210
    combinations of 30 illuminances and 7 distances occur before they repeat. It never moves behind the next.

    Args:
        start: Scene, temperature and the distances of the other layers.
        layers: Number of layers of the scene, if ``start`` has no ``distances_m``; ``start`` must have them
            if there are several layers.

    Raises:
        WorldError: There are several layers without distances.
    """
    others = start.distances_m[1:]
    if layers > 1 and len(start.distances_m) != layers:
        raise WorldError(
            f"the schedule moves the nearest of {layers} layers of {start.scene}; "
            "give the distances of all layers in the world to start from"
        )
    for i in count():
        yield replace(
            start,
            illuminance_lx=PAPER_ILLUMINANCES_LX[i % len(PAPER_ILLUMINANCES_LX)],
            distances_m=(min((PAPER_DISTANCES_M[i % len(PAPER_DISTANCES_M)], *others[:1])), *others),
        )


def _check(what: str, value: float, low: float, high: float, unit: str) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise WorldError(f"the world's {what} is {value!r} {unit}; it must lie in {low:g}..{high:g} {unit}")
