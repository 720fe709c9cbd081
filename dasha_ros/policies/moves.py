"""What counts as a move of the lens, and as turning back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.profile import Array

STAY_V = 0.15
"""Relative moves that are smaller leave the lens where it is: three steps of its driver."""
REVERSAL_V = 0.3
"""Turning back by more than this counts as a reversal: two or more of them are hunting."""


class MoveLog:
    """Where the lens went, for a batch of episodes."""

    def __init__(self, batch: int, stay_volts: float = STAY_V) -> None:
        """Nothing commanded yet.

        Args:
            batch: Number of episodes.
            stay_volts: Commands that are at most so far from the last one are not sent.
        """
        self._stay_volts = stay_volts
        self.volts: Array = np.zeros(batch)
        """Where the lens was commanded to last [V]."""
        self.last: Array = np.zeros(batch)
        """The last move [V]; 0 after a stay."""
        self.direction: Array = np.zeros(batch)
        """Sign of the last move of more than `REVERSAL_V`, 0 before the first."""
        self._before: Array = np.full((2, batch), np.nan)
        """Where the lens was before its last move, and before the one before that [V]."""
        self.moves: NDArray[np.intp] = np.zeros(batch, np.intp)
        self.reversals: NDArray[np.intp] = np.zeros(batch, np.intp)

    def reset(self, rows: NDArray[np.intp], volts: NDArray[np.floating]) -> None:
        """Begin these episodes at ``volts``."""
        self.volts[rows] = volts
        self.last[rows] = 0.0
        self.direction[rows] = 0.0
        self._before[:, rows] = np.nan
        self.moves[rows] = 0
        self.reversals[rows] = 0

    def would_move(self, volts: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether commands would move the lenses, shape (batch,)."""
        result: NDArray[np.bool_] = np.abs(volts - self.volts) > self._stay_volts
        return result

    def would_repeat(self, volts: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether commands would take the lenses to and fro between two places, shape (batch,).

        Such a lens came back to where it was two moves ago, and would go again to where it was
        one move ago: both pictures were seen already.
        """
        near = np.abs(self._before - np.stack([volts, self.volts])) <= self._stay_volts
        result: NDArray[np.bool_] = np.logical_and(*near)
        return result

    def go(self, volts: NDArray[np.floating]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Command every lens.

        Args:
            volts: Shape (batch,).

        Returns:
            Which lenses moved, and which of them turned back. Those that did not move stay
            commanded to where they were.
        """
        change = np.asarray(volts, np.float64) - self.volts
        moved = self.would_move(volts)
        change = np.where(moved, change, 0.0)
        sign = np.where(np.abs(change) > REVERSAL_V, np.sign(change), 0.0)
        turned = (sign != 0.0) & (self.direction != 0.0) & (sign != self.direction)
        self._before = np.where(moved, np.stack([self.volts, self._before[0]]), self._before)
        self.volts = self.volts + change
        self.last = change
        self.direction = np.where(sign != 0.0, sign, self.direction)
        self.moves += moved
        self.reversals += turned
        return moved, turned
