"""The two most promising places of a posterior over focus positions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.profile import Array


@dataclass(frozen=True)
class Candidate:
    """A place where the focus may be, for each episode of a batch."""

    dioptres: Array
    """Mean of the posterior around it [1/m], shape (batch,)."""
    spread: Array
    """Standard deviation there [1/m], shape (batch,)."""
    mass: Array
    """Probability that the focus is about there, shape (batch,)."""


def candidates(posterior: Array, dioptres: Array, window: float, apart: float) -> tuple[Candidate, Candidate]:
    """The place that holds the most probability, and the best place that is clearly another one.

    Args:
        posterior: Shape (batch, h); rows sum to 1.
        dioptres: Shape (h,), evenly spaced.
        window: Half width of a place [1/m].
        apart: Least distance between the two [1/m].
    """
    step = float(dioptres[1] - dioptres[0])
    first, peak = _best(posterior, dioptres, round(window / step))
    away = np.abs(dioptres - dioptres[peak][:, None]) > apart
    second, _ = _best(posterior * away, dioptres, round(window / step))
    return first, second


def probability_within(posterior: Array, dioptres: Array, centre: Array, radius: float) -> Array:
    """Probability that the focus is within ``radius`` [1/m] of ``centre``, shape (batch,).

    Counts the part of a hypothesis' cell that lies inside, so that it changes smoothly.
    """
    step = float(dioptres[1] - dioptres[0])
    inside = (radius + step / 2.0 - np.abs(dioptres - centre[:, None])) / step
    result: Array = (posterior * np.clip(inside, 0.0, 1.0)).sum(axis=1)
    return result


def _best(posterior: Array, dioptres: Array, half: int) -> tuple[Candidate, NDArray[np.intp]]:
    sums = np.cumsum(np.pad(posterior, ((0, 0), (half + 1, half))), axis=1)
    mass = sums[:, 2 * half + 1 :] - sums[:, : -(2 * half + 1)]
    peak = mass.argmax(axis=1)
    # Moments come from running sums over the same window, without a loop over hypotheses.
    low, high = np.maximum(peak - 2 * half, 0), np.minimum(peak + 2 * half + 1, len(dioptres))
    totals = [
        _between(np.cumsum(posterior * weight, axis=1), low, high) for weight in (1.0, dioptres, dioptres**2)
    ]
    total = np.maximum(totals[0], 1e-12)
    mean = np.where(totals[0] > 1e-12, totals[1] / total, dioptres[peak])
    variance = np.maximum(totals[2] / total - mean**2, 0.0)
    best = np.take_along_axis(mass, peak[:, None], axis=1)[:, 0]
    return Candidate(mean, np.sqrt(variance), best), peak


def _between(sums: Array, low: NDArray[np.intp], high: NDArray[np.intp]) -> Array:
    rows = np.arange(len(sums))
    result: Array = sums[rows, high - 1] - np.where(low > 0, sums[rows, low - 1], 0.0)
    return result
