"""How numbers read from a picture depend on blur, and how this differs from scene to scene.

A scene's numbers, as functions of the blur radius r, are a mean curve plus a few curves that
all scenes share, in amounts that are the scene's own, plus noise:

    y(r) = mean(r) + c . modes(r) + noise(r),    c ~ N(0, 1)

(probabilistic principal components of curves; Tipping and Bishop 1999). The amounts c are
unknown, but stay the same through an episode. After integrating over them, several pictures of
one scene tell far more than each of them alone. This is what fitting a contrast profile does,
with the right weight for prior knowledge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NODES = 96
"""Blur radii at which the curves are tabulated."""
MAX_RADIUS_PX = 90.0
_STEP = np.log1p(MAX_RADIUS_PX) / (NODES - 1)


def node_radii() -> Array:
    """Radii [px at 640] of the nodes: from 0 evenly in log(1 + r)."""
    radii: Array = np.expm1(np.arange(NODES) * _STEP)
    return radii


def nearest_node(radius: NDArray[np.floating]) -> NDArray[np.intp]:
    """The node nearest to each radius [px at 640]."""
    nodes = np.rint(np.log1p(radius) / _STEP).astype(np.intp)
    result: NDArray[np.intp] = np.minimum(nodes, NODES - 1)
    return result


@dataclass(frozen=True)
class Profile:
    """The curves of m numbers with j modes."""

    mean: Array
    """Shape (nodes, m)."""
    modes: Array
    """Shape (nodes, j, m)."""
    variance: Array
    """Variance of the noise, shape (nodes, m)."""


class ProfileEvidence:
    """Evidence of an episode's pictures about the focus, for a batch of episodes.

    It keeps sums over the pictures for every hypothesis, with which the scene's amounts c are
    integrated out in closed form.
    """

    def __init__(self, profile: Profile, batch: int, hypotheses: int) -> None:
        """Nothing seen yet."""
        precision = 1.0 / profile.variance
        weighted = profile.modes * precision[:, None]
        self._precision = precision
        self._mean_precision = profile.mean * precision
        self._constant = (profile.mean**2 * precision + np.log(profile.variance)).sum(axis=1)
        self._weighted = weighted.transpose(1, 0, 2)
        self._weighted_mean = np.einsum("kjm,km->jk", weighted, profile.mean)
        self._information = np.einsum("kjm,kim->jik", weighted, profile.modes)
        modes = profile.modes.shape[1]
        self._square = np.zeros((batch, hypotheses))
        self._linear = np.zeros((modes, batch, hypotheses))
        self._quadratic = np.zeros((modes, modes, batch, hypotheses))

    def reset(self, rows: NDArray[np.intp]) -> None:
        """Forget the pictures of these episodes."""
        self._square[rows] = 0.0
        self._linear[:, rows] = 0.0
        self._quadratic[:, :, rows] = 0.0

    def add(
        self,
        rows: NDArray[np.intp],
        nodes: NDArray[np.intp],
        numbers: NDArray[np.floating],
        weight: NDArray[np.floating],
    ) -> None:
        """Take in one picture of some episodes.

        Args:
            rows: Which episodes, shape (b,).
            nodes: The node of the blur that each hypothesis predicts, shape (b, hypotheses).
            numbers: What was read, shape (b, m).
            weight: How much each picture counts, 0..1, shape (b,): the power of its likelihood.
        """
        y, share = np.asarray(numbers, np.float64), weight[:, None]
        square = self._constant + y**2 @ self._precision.T - 2.0 * (y @ self._mean_precision.T)
        self._square[rows] += np.take_along_axis(square * share, nodes, axis=1)
        for j, weighted in enumerate(self._weighted):
            linear = y @ weighted.T - self._weighted_mean[j]
            self._linear[j, rows] += np.take_along_axis(linear * share, nodes, axis=1)
            for i in range(j + 1):
                self._quadratic[j, i, rows] += self._information[j, i][nodes] * share

    def log_likelihood(self, rows: NDArray[np.intp]) -> Array:
        """Of each hypothesis of some episodes, up to a constant, shape (b, hypotheses).

        With A = I + sum of modes' information and u the modes' responses, the amounts'
        integral is exp(u' A^-1 u / 2) / sqrt(det A), by Cholesky's factors of A.
        """
        quadratic, linear, result = self._quadratic[:, :, rows], self._linear[:, rows], self._square[rows]
        modes = len(linear)
        lower = np.empty_like(quadratic)
        solved: list[Array] = []
        for j in range(modes):
            for i in range(j + 1):
                inner = quadratic[j, i] + (1.0 if i == j else 0.0)
                for k in range(i):
                    inner = inner - lower[j, k] * lower[i, k]
                lower[j, i] = np.sqrt(inner) if i == j else inner / lower[i, i]
            right = linear[j]
            for k in range(j):
                right = right - lower[j, k] * solved[k]
            solved.append(right / lower[j, j])
            result += 2.0 * np.log(lower[j, j]) - solved[j] ** 2
        result *= -0.5
        return result
