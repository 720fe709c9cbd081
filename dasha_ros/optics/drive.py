"""How a lens's electronics and mechanics follow a command, in the lens's own unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LensDrive:
    """Output range and steps, play, lag and drift of one kind of lens. Positions are in its unit."""

    least: float
    """Commands below it change nothing more: a dead band."""
    greatest: float
    """Commands above it change nothing more."""
    step: float = 0.0
    """Step of the output; 0: the lens follows every command exactly."""
    hysteresis: float = 0.0
    """Half width of the play between the output and what moves."""
    time_constant_s: float = 0.02
    """Time constant of the first-order lag [s]; 15 to 30 ms is usual for a liquid lens."""
    dioptres_per_kelvin: float = 0.0
    """Drift of focus with temperature [1/m/K]."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not all(number >= 0 for number in (self.hysteresis, self.time_constant_s, self.step)):
            raise ValueError(
                f"lens drive: hysteresis {self.hysteresis!r}, time constant {self.time_constant_s!r} s "
                f"and step {self.step!r} must not be negative"
            )
        if not self.least < self.greatest:
            raise ValueError(f"lens drive: least output {self.least!r} must be below {self.greatest!r}")
        for name, number in (("step", self.step), ("play", 2.0 * self.hysteresis)):
            if number > self.greatest - self.least:
                raise ValueError(
                    f"lens drive: the {name} of {number:g} is more than the lens's whole range, "
                    f"{self.least:g} to {self.greatest:g}: the lens would never move"
                )

    def output(self, position: float) -> float:
        """The output for a commanded position: whole steps from ``least`` on, inside the range."""
        return float(self.outputs(np.asarray(position, np.float64)))

    def outputs(self, positions: NDArray[np.floating]) -> NDArray[np.float64]:
        """`output` for arrays."""
        if self.step == 0:
            return np.asarray(np.clip(positions, self.least, self.greatest), np.float64)
        last = np.floor((self.greatest - self.least) / self.step)
        step = np.clip(np.rint((positions - self.least) / self.step), 0.0, last)
        return np.asarray(self.least + step * self.step, np.float64)
