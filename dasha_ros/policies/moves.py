"""Moves of the lens: which ones are made, and which ones turn back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.profile import Array
from dasha_ros.optics.lens import LensModel, travel

STAY_DIOPTRES = 0.0465
"""Commands that change the focus by at most this are not sent [1/m]: 0.41 px of blur at 640 px, f/2."""
REVERSAL_DIOPTRES = 0.093
"""Turning back by more than this [1/m] counts as a reversal."""
HUNTING_REVERSALS = 2
"""An episode with at least this many reversals counts as hunting."""


class MoveLog:
    """Where the lens went, for a batch of episodes."""

    def __init__(
        self, lens: LensModel, batch: int, stay_dioptres: float = STAY_DIOPTRES, scale: float = 1.0
    ) -> None:
        """Nothing commanded yet.

        Args:
            lens: Tells how far it moves for a dioptre.
            batch: Number of episodes.
            stay_dioptres: Commands that change the focus by at most this are not sent [1/m].
            scale: How many times as much as the twin's this lens blurs per dioptre: both thresholds are so
                many times less, and the same in px of blur.
        """
        self.stay_dioptres = stay_dioptres
        """Commands that change the focus by at most this are not sent [1/m of a lens of scale 1]."""
        self._stay = travel(lens, stay_dioptres / scale)
        self._reversal = travel(lens, REVERSAL_DIOPTRES / scale)
        self.position: Array = np.zeros(batch)
        """The last commanded position of each lens."""
        self.last: Array = np.zeros(batch)
        """The last move; 0 after a stay."""
        self.direction: Array = np.zeros(batch)
        """Sign of the last move of more than `REVERSAL_DIOPTRES`, 0 before the first."""
        self._before: Array = np.full((2, batch), np.nan)
        """Where the lens was before its last move, and before the one before that."""
        self.moves: NDArray[np.intp] = np.zeros(batch, np.intp)
        self.reversals: NDArray[np.intp] = np.zeros(batch, np.intp)

    def reset(self, rows: NDArray[np.intp], position: NDArray[np.floating]) -> None:
        """Restart these episodes at ``position``."""
        self.position[rows] = position
        self.last[rows] = 0.0
        self.direction[rows] = 0.0
        self._before[:, rows] = np.nan
        self.moves[rows] = 0
        self.reversals[rows] = 0

    def would_move(self, position: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether commands would move the lenses, shape (batch,)."""
        result: NDArray[np.bool_] = np.abs(position - self.position) > self._stay
        return result

    def would_repeat(self, position: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether commands would move the lenses back and forth between two places, shape (batch,).

        Such a lens is back where it was two moves ago, and would return to where it was one move ago. Both
        pictures have already been seen.
        """
        near = np.abs(self._before - np.stack([position, self.position])) <= self._stay
        result: NDArray[np.bool_] = np.logical_and(*near)
        return result

    def go(self, position: NDArray[np.floating]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Command every lens.

        Args:
            position: Shape (batch,).

        Returns:
            Which lenses moved, and which of them turned back. The others keep their commanded position.
        """
        change = np.asarray(position, np.float64) - self.position
        moved = self.would_move(position)
        change = np.where(moved, change, 0.0)
        sign = np.where(np.abs(change) > self._reversal, np.sign(change), 0.0)
        turned = (sign != 0.0) & (self.direction != 0.0) & (sign != self.direction)
        self._before = np.where(moved, np.stack([self.position, self._before[0]]), self._before)
        self.position = self.position + change
        self.last = change
        self.direction = np.where(sign != 0.0, sign, self.direction)
        self.moves += moved
        self.reversals += turned
        return moved, turned


def reversals(lens: LensModel, positions: Sequence[float]) -> int:
    """How often a lens turned back by more than `REVERSAL_DIOPTRES`.

    Args:
        lens: Tells how far it moves for a dioptre.
        positions: Where the lens was, in order.
    """
    moves = np.diff(np.asarray(positions, dtype=np.float64))
    directions = np.sign(moves[np.abs(moves) > travel(lens, REVERSAL_DIOPTRES)])
    return int(np.count_nonzero(directions[1:] != directions[:-1]))
