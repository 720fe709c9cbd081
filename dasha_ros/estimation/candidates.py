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


def candidates(
    posterior: Array, dioptres: Array, window: Array | float, apart: Array | float
) -> tuple[Candidate, Candidate]:
    """The place that holds the most probability, and the best place that is clearly another one.

    Args:
        posterior: Shape (batch, h); rows sum to 1.
        dioptres: Shape (h,), evenly spaced.
        window: Half width of a place [1/m], shape (batch,) or one for all.
        apart: Least distance between the two [1/m], shape (batch,) or one for all.
    """
    half = _half(window, posterior, dioptres)
    first, peak = _best(posterior, dioptres, half)
    away = np.abs(dioptres - dioptres[peak][:, None]) > np.reshape(apart, (-1, 1))
    second, _ = _best(posterior * away, dioptres, half)
    return first, second


def likeliest(posterior: Array, dioptres: Array, window: Array | float) -> Candidate:
    """The first of `candidates` alone; arguments as there."""
    return _best(posterior, dioptres, _half(window, posterior, dioptres))[0]


def probability_within(posterior: Array, dioptres: Array, centre: Array, radius: Array | float) -> Array:
    """Probability that the focus is within ``radius`` [1/m] of ``centre``; all of shape (batch,).

    Counts the part of a hypothesis' cell that lies inside, so that it changes smoothly.
    """
    step = float(dioptres[1] - dioptres[0])
    inside = (np.reshape(radius, (-1, 1)) + step / 2.0 - np.abs(dioptres - centre[:, None])) / step
    result: Array = (posterior * np.clip(inside, 0.0, 1.0)).sum(axis=1)
    return result


def _half(window: Array | float, posterior: Array, dioptres: Array) -> NDArray[np.intp]:
    """Half width of each episode's place [hypotheses]."""
    step = float(dioptres[1] - dioptres[0])
    return np.broadcast_to(np.rint(np.divide(window, step)).astype(np.intp), len(posterior))


def _best(posterior: Array, dioptres: Array, half: NDArray[np.intp]) -> tuple[Candidate, NDArray[np.intp]]:
    mass = np.empty_like(posterior)
    # Episodes whose places are equally wide go together: mostly all of them.
    for width in np.unique(half):
        mine = half == width
        padded = np.zeros((int(mine.sum()), posterior.shape[1] + 2 * width + 1))
        padded[:, width + 1 : width + 1 + posterior.shape[1]] = posterior[mine]
        sums = np.cumsum(padded, axis=1)
        mass[mine] = sums[:, 2 * width + 1 :] - sums[:, : -(2 * width + 1)]
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
