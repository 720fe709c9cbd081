"""How a lens follows commands in time: steps of its electronics, play of its mechanics, and a lag.

Position commanded -> position put out -> position that the moving part feels -> focus in time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from dasha_ros.optics.lens import LensProfile

REFERENCE_C = 25.0
"""Temperature at which lens models hold."""
SETTLED_DIOPTRES = 0.01
"""A lens counts as settled within this error: 0.09 px of blur radius at 640 px, f = 25 mm, f/2."""


@dataclass(frozen=True, slots=True)
class PowerTrajectory:
    """Focus in time after a move: P(t) = target + (start - target) exp(-(t - moved_at)/tau).

    The fields of ``msg/TwinLens``, which carries it from the lens to the camera.
    """

    moved_at_ns: int
    """Start of the move."""
    start_dioptres: float
    target_dioptres: float
    time_constant_s: float
    """tau; 0: the move takes no time."""

    def at(self, stamp_ns: int) -> float:
        """Focus [1/m] at a time; before the move, where it started."""
        elapsed_s = (stamp_ns - self.moved_at_ns) / 1e9
        if elapsed_s < 0:
            return self.start_dioptres
        if self.time_constant_s <= 0:
            return self.target_dioptres
        left = math.exp(-elapsed_s / self.time_constant_s)
        return self.target_dioptres + (self.start_dioptres - self.target_dioptres) * left

    def settle_s(self, tolerance_dioptres: float) -> float:
        """Time from the start of the move until the error stays within a tolerance [s].

        Raises:
            ValueError: The tolerance is not positive.
        """
        if not tolerance_dioptres > 0:
            raise ValueError(f"settling tolerance {tolerance_dioptres!r} D: it must be positive")
        error = abs(self.start_dioptres - self.target_dioptres)
        if error <= tolerance_dioptres:
            return 0.0
        return self.time_constant_s * math.log(error / tolerance_dioptres)


class LensActuator:
    """A lens behind its electronics: remembers where it is and from which side it came.

    Not safe for threads: a lens has one owner.
    """

    def __init__(
        self,
        model: LensProfile,
        initial_position: float,
        now_ns: int,
        *,
        tolerance_dioptres: float = SETTLED_DIOPTRES,
        temperature_c: float = REFERENCE_C,
        **drive: float,
    ) -> None:
        """Start at rest.

        Args:
            model: The map from positions to focus at rest, and how the lens follows commands.
            initial_position: Where the lens is when power comes.
            now_ns: The current time.
            tolerance_dioptres: The lens counts as settled within this error [1/m].
            temperature_c: Temperature of the lens [deg C].
            **drive: Numbers of the model's `LensDrive` to change, such as ``hysteresis=0.0``.

        Raises:
            ValueError: A number is impossible.
        """
        if not tolerance_dioptres > 0:
            raise ValueError(f"lens actuator: tolerance {tolerance_dioptres!r} D must be positive")
        self._drive = replace(model.drive, **drive)
        self._model = model
        self._tolerance_dioptres = tolerance_dioptres
        self._temperature_c = temperature_c
        self._position = self._drive.output(initial_position)
        self._felt = self._position
        at_rest = self._target()
        self._trajectory = PowerTrajectory(now_ns, at_rest, at_rest, self._drive.time_constant_s)

    @property
    def position(self) -> float:
        """What the electronics put out."""
        return self._position

    @property
    def trajectory(self) -> PowerTrajectory:
        """The move in progress, or the last one."""
        return self._trajectory

    @property
    def settle_s(self) -> float:
        """Time from the start of the newest move until it is within the tolerance [s]."""
        return self._trajectory.settle_s(self._tolerance_dioptres)

    def command(self, position: float, now_ns: int) -> PowerTrajectory:
        """Move to ``position`` from the current position, also during a move."""
        self._position = self._drive.output(position)
        # Play operator: the moving part follows only after the slack on that side is used up.
        slack = self._drive.hysteresis
        self._felt = min(max(self._felt, self._position - slack), self._position + slack)
        return self._go(now_ns)

    def set_temperature(self, temperature_c: float, now_ns: int) -> PowerTrajectory:
        """Let the lens drift to another temperature [deg C], with the lag of a move."""
        self._temperature_c = temperature_c
        return self._go(now_ns)

    def _go(self, now_ns: int) -> PowerTrajectory:
        start = self._trajectory.at(now_ns)
        self._trajectory = PowerTrajectory(now_ns, start, self._target(), self._drive.time_constant_s)
        return self._trajectory

    def _target(self) -> float:
        drift = self._drive.dioptres_per_kelvin * (self._temperature_c - REFERENCE_C)
        return self._model.dioptres(self._felt) + drift
