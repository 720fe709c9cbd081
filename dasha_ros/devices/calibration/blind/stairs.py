"""Whether a lens really moves in the steps that it takes: a staircase on one flank of the V.

Many motors take finer positions than they go to. Positions are climbed one after the other, always upwards,
so that play does not count. A lens that follows each of them blurs along a line; one that goes in coarser
steps blurs along stairs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STAIRS = 18
"""Positions that are climbed."""
FROM_PX = 2.0
"""Blur at the sharper end of the stairs [px]: nearer to the sharpest position little is read."""
RISE_PX = 5.0
"""Blur over all stairs at most [px]."""
FINEST_PX = 0.08
"""A step that changes the blur by less than this is not tried [px]."""
COARSEST = 5
"""Steps of this many positions are looked for."""
_CLEARLY = 0.35
"""Stairs must leave less than this share of what the line leaves."""
_NOTICED_SIGMAS = 4.9
"""Steps of this many standard deviations leave twice the line's own variance: stairs leave q^2 / 12."""


@dataclass(frozen=True, slots=True)
class Steps:
    """What the pictures say of a lens's steps, in its unit."""

    real: float
    """The step in which it really moves; 0: none that is coarser than what it takes, as far as is told."""
    told_from: float
    """Coarser steps than this would have been seen."""


def stair_step(resolution: float, slope: float) -> float | None:
    """The distance of the positions to climb; ``None``: each step of the lens is seen anyway.

    Args:
        resolution: The step that the lens says it takes, in its unit; 0: any.
        slope: Blur a unit [px].
    """
    step = max(resolution, FINEST_PX / slope)
    if resolution > 0.0:
        step = math.ceil(step / resolution - 1e-9) * resolution
    return step if STAIRS * step * slope <= RISE_PX else None


def steps_of(blur: NDArray[np.float64], step: float, slope: float) -> Steps:
    """Fit a line and stairs to what was read.

    Args:
        blur: Radius at positions one ``step`` apart, shape (positions,) [px].
        step: Their distance, in the lens's unit.
        slope: Blur a unit [px].
    """
    number = np.arange(len(blur))
    left = {1: _left(number, blur)}
    for width in range(2, COARSEST + 1):
        left[width] = min(_left((number + phase) // width * width, blur) for phase in range(width))
    best = min(left, key=lambda width: left[width])
    is_clear = best > 1 and left[best] < _CLEARLY * left[1]
    sigma = math.sqrt(left[best if is_clear else 1] / (len(blur) - 2))
    told_from = max(step, _NOTICED_SIGMAS * sigma / slope)
    return Steps(best * step if is_clear and best * step >= told_from else 0.0, told_from)


def _left(at: NDArray[np.int64], blur: NDArray[np.float64]) -> float:
    """What a straight line through ``at`` does not explain [px^2]."""
    line = np.polynomial.polynomial.polyfit(at, blur, 1)
    return float(np.sum((blur - np.polynomial.polynomial.polyval(at, line)) ** 2))
