"""How a liquid lens and its driver board follow a command (facts: quantisation, hysteresis, lag).

Volts commanded -> volts the board puts out -> volts the liquid feels -> focus in time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dasha_ros.optics.lens import LensModel

STEP_VOLTS = 0.0445
"""Step of the MAX14574 lens driver (its datasheet)."""
OUTPUT_MIN_VOLTS = 24.4
OUTPUT_MAX_VOLTS = 69.9
REFERENCE_C = 25.0
"""Temperature at which lens models hold."""


def quantised_volts(volts: float, step_volts: float = STEP_VOLTS) -> float:
    """What the driver board puts out for a command [V]: whole steps above 24.4 V, up to 69.9 V.

    Commands below 24.4 V do nothing more (a dead band).

    Args:
        volts: Commanded [V].
        step_volts: Of the driver chip [V]; 0: a chip without steps.
    """
    if step_volts == 0:
        return min(max(volts, OUTPUT_MIN_VOLTS), OUTPUT_MAX_VOLTS)
    last = math.floor((OUTPUT_MAX_VOLTS - OUTPUT_MIN_VOLTS) / step_volts)
    step = min(max(round((volts - OUTPUT_MIN_VOLTS) / step_volts), 0), last)
    return OUTPUT_MIN_VOLTS + step * step_volts


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
    """A liquid lens on its driver board: remembers where it is and how it came there.

    Not safe for threads; a lens has one owner.
    """

    def __init__(
        self,
        model: LensModel,
        initial_volts: float,
        now_ns: int,
        *,
        hysteresis_volts: float = 0.05,
        time_constant_s: float = 0.02,
        tolerance_dioptres: float = 0.01,
        dioptres_per_kelvin: float = -0.05,
        temperature_c: float = REFERENCE_C,
        step_volts: float = STEP_VOLTS,
    ) -> None:
        """Start at rest.

        Args:
            model: The map from volts to focus at rest.
            initial_volts: Where the lens is when power comes [V].
            now_ns: The time now.
            hysteresis_volts: Half width of the play between board and liquid [V].
            time_constant_s: Of the first-order lag [s]; 15 to 30 ms is usual.
            tolerance_dioptres: The lens counts as settled within this error; 0.01 D is 0.09 px of
                blur radius at 640 px, f = 25 mm, f/2.
            dioptres_per_kelvin: Drift of focus with temperature [1/m/K].
            temperature_c: Of the lens [deg C].
            step_volts: Of the driver chip [V]; 0: it follows every command exactly.

        Raises:
            ValueError: A number is impossible.
        """
        numbers = (hysteresis_volts, time_constant_s, step_volts)
        if not (all(number >= 0 for number in numbers) and tolerance_dioptres > 0):
            raise ValueError(
                f"lens actuator: hysteresis {hysteresis_volts!r} V, time constant {time_constant_s!r} s "
                f"and step {step_volts!r} V must not be negative, "
                f"tolerance {tolerance_dioptres!r} D must be positive"
            )
        self._step_volts = step_volts
        self._model = model
        self._hysteresis_volts = hysteresis_volts
        self._time_constant_s = time_constant_s
        self._tolerance_dioptres = tolerance_dioptres
        self._dioptres_per_kelvin = dioptres_per_kelvin
        self._temperature_c = temperature_c
        self._volts = quantised_volts(initial_volts, step_volts)
        self._felt_volts = self._volts
        at_rest = self._target()
        self._trajectory = PowerTrajectory(now_ns, at_rest, at_rest, time_constant_s)

    @property
    def volts(self) -> float:
        """What the driver board puts out [V]."""
        return self._volts

    @property
    def trajectory(self) -> PowerTrajectory:
        """The move in progress, or the last one."""
        return self._trajectory

    @property
    def settle_s(self) -> float:
        """Time from the start of the newest move until it is within the tolerance [s]."""
        return self._trajectory.settle_s(self._tolerance_dioptres)

    def command(self, volts: float, now_ns: int) -> PowerTrajectory:
        """Move to ``volts`` [V] from wherever the lens is now, also in the middle of a move."""
        self._volts = quantised_volts(volts, self._step_volts)
        # Play operator: the liquid follows only once the slack on that side is used up.
        slack = self._hysteresis_volts
        self._felt_volts = min(max(self._felt_volts, self._volts - slack), self._volts + slack)
        return self._go(now_ns)

    def set_temperature(self, temperature_c: float, now_ns: int) -> PowerTrajectory:
        """Let the lens drift to another temperature [deg C], with the lag of a move."""
        self._temperature_c = temperature_c
        return self._go(now_ns)

    def _go(self, now_ns: int) -> PowerTrajectory:
        start = self._trajectory.at(now_ns)
        self._trajectory = PowerTrajectory(now_ns, start, self._target(), self._time_constant_s)
        return self._trajectory

    def _target(self) -> float:
        drift = self._dioptres_per_kelvin * (self._temperature_c - REFERENCE_C)
        return self._model.dioptres(self._felt_volts) + drift
