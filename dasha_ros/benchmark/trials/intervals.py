"""Means with 95 % intervals, where episodes of one photograph or one stack are alike.

Episodes on one photograph or stack are no independent draws, so the intervals count photographs and stacks,
not episodes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and where the true one lies with a confidence of 95 %."""

    mean: float
    low: float | None
    """``None``: one cluster tells nothing of others."""
    high: float | None


def mean_of(clusters: Mapping[str, Sequence[float]]) -> Estimate:
    """The mean over all values, each counting the same, with a t interval over clusters.

    The variance is that of a ratio of totals over clusters (Cochran, Sampling Techniques, 2.11 and 6.3).

    Args:
        clusters: Values by photograph or stack; at least one value.

    Raises:
        ValueError: There is no value.
    """
    mean, variance, count = _moments(clusters)
    if variance is None:
        return Estimate(mean, None, None)
    reach = _t(count) * math.sqrt(variance)
    return Estimate(mean, mean - reach, mean + reach)


def share_of(clusters: Mapping[str, Sequence[float]]) -> Estimate:
    """The mean of shares, each counting the same, with a Wilson interval over clusters.

    Wilson's interval is taken for as many independent draws as have the variance that the clusters show
    (Kish's effective sample size); where all clusters agree on 0 or 1, for as many draws as clusters. So a
    result of 100 % on ten stacks is not taken for certain.

    Args:
        clusters: Shares, 0..1, by photograph or stack; at least one.

    Raises:
        ValueError: There is no value.
    """
    mean, variance, count = _moments(clusters)
    if variance is None:
        return Estimate(mean, None, None)
    spread = mean * (1.0 - mean)
    draws = spread / variance if variance > 1e-12 and spread > 1e-12 else float(count)
    z2 = _t(count) ** 2
    middle = (mean + z2 / (2.0 * draws)) / (1.0 + z2 / draws)
    reach = math.sqrt(z2) / (1.0 + z2 / draws) * math.sqrt(spread / draws + z2 / (4.0 * draws * draws))
    return Estimate(mean, max(0.0, middle - reach), min(1.0, middle + reach))


def _moments(clusters: Mapping[str, Sequence[float]]) -> tuple[float, float | None, int]:
    """Mean, its variance between clusters (``None`` for one), and the number of clusters."""
    held = [np.asarray(values, np.float64) for values in clusters.values() if len(values)]
    if not held:
        raise ValueError("there is nothing to take the mean of")
    total = sum(len(values) for values in held)
    mean = float(sum(values.sum() for values in held) / total)
    count = len(held)
    if count < 2:
        return mean, None, count
    deviations = np.array([values.sum() - mean * len(values) for values in held])
    return mean, float(count / (count - 1) * (deviations**2).sum() / total**2), count


def _t(clusters: int) -> float:
    """The quantile of Student's t for an interval over so many clusters."""
    from scipy.special import stdtrit

    return float(stdtrit(clusters - 1, 0.5 + LEVEL / 2.0))
