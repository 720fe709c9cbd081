"""A small logistic regression, by Newton's method."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

_RIDGE = 0.01
"""Pulls the weights of standardised features to 0, so that a few patches fit no noise."""
_MOST_STEPS = 50
_CLOSE = 1e-9
_LEAST_SPREAD = 1e-3
"""A feature that varies less is not scaled up."""


def fitted(features: Numbers, is_true: NDArray[np.bool_], weights: Numbers) -> Callable[[Numbers], Numbers]:
    """Fit the odds of something to features.

    Args:
        features: Shape (samples, features).
        is_true: Whether it is so, for each sample.
        weights: How much each sample counts, 0 or more.

    Returns:
        The logarithm of the odds of other samples.
    """
    middle, spread = features.mean(axis=0), features.std(axis=0) + _LEAST_SPREAD
    share, truth = weights / weights.sum(), is_true.astype(np.float64)

    def columns(values: Numbers) -> Numbers:
        return np.column_stack([np.ones(len(values)), (values - middle) / spread])

    known = columns(features)
    ridge = np.full(known.shape[1], _RIDGE)
    ridge[0] = 1e-9  # only so much that the curvature can be inverted if all samples are alike
    factors = np.zeros(known.shape[1])
    for _ in range(_MOST_STEPS):
        chance = 0.5 + 0.5 * np.tanh(0.5 * (known @ factors))
        slope = known.T @ (share * (chance - truth)) + ridge * factors
        curvature = (known.T * (share * chance * (1.0 - chance))) @ known + np.diag(ridge)
        step = np.linalg.solve(curvature, slope)
        factors -= step
        if np.abs(step).max() < _CLOSE:
            break
    return lambda values: np.asarray(columns(values) @ factors)
