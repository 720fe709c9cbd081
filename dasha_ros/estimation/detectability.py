"""How far out of focus an object can be and still be found; this depends on the object, not on chance.

The detector loses a small cup at 2 px of blur, a bus never. Its answers are therefore not
independent from picture to picture. Each object belongs to one of a few kinds. A kind gives the
probability of each answer at each blur radius. The answers of an episode reveal both kind and focus.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.profile import Array

SCORE_STEPS = (0.1, 0.3, 0.6)
"""Scores that separate the classes of answers: not found, weak, fair, strong."""
CLASSES = len(SCORE_STEPS) + 1


def score_class(scores: NDArray[np.floating]) -> NDArray[np.intp]:
    """The class, 0..3, of the best detection's score (0: nothing found)."""
    return np.digitize(scores, SCORE_STEPS)


@dataclass(frozen=True)
class Detectability:
    """The kinds of objects."""

    weights: Array
    """How common each kind is, shape (kinds,); sums to 1."""
    log_answers: Array
    """Log probability of each class of answer, shape (kinds, nodes, `CLASSES`)."""


class DetectionEvidence:
    """Evidence of the detector's answers about the focus, for a batch of episodes."""

    def __init__(self, model: Detectability, batch: int, hypotheses: int) -> None:
        """Nothing seen yet."""
        self._log_weights = np.log(model.weights)[:, None, None]
        self._log_answers = model.log_answers
        self._sums = np.zeros((len(model.weights), batch, hypotheses))

    def reset(self, rows: NDArray[np.intp]) -> None:
        """Forget the answers of these episodes."""
        self._sums[:, rows] = 0.0

    def add(
        self,
        rows: NDArray[np.intp],
        nodes: NDArray[np.intp],
        scores: NDArray[np.floating],
        weight: NDArray[np.floating],
    ) -> None:
        """Take in the answers to one picture of some episodes.

        Args:
            rows: Which episodes, shape (b,).
            nodes: The node of the blur that each hypothesis predicts, shape (b, hypotheses).
            scores: Scores of the best detection, shape (b,).
            weight: How much each answer counts, 0..1, shape (b,).
        """
        answers = self._log_answers[:, :, score_class(scores)]
        for kind, table in enumerate(answers):
            self._sums[kind, rows] += np.take_along_axis(table.T * weight[:, None], nodes, axis=1)

    def log_likelihood(self, rows: NDArray[np.intp]) -> Array:
        """Of each hypothesis of some episodes, shape (b, hypotheses)."""
        joint = self._sums[:, rows] + self._log_weights
        top = joint.max(axis=0)
        total: Array = top + np.log(np.exp(joint - top).sum(axis=0))
        return total
