"""The latent with a part of the picture covered: how much a decision rests on what is seen there.

The encoder `GRID_ENCODER` keeps, for each of 4 x 7 cells of the frame, what its early filters answer there.
So a cell can be covered without computing the network again: it then holds what the others hold on average.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.readout import CHANNELS, GRID_COLUMNS, GRID_ENCODER, GRID_ROWS, GRID_SIZE
from dasha_ros.perception.encoders.joint import has_part, part
from dasha_ros.perception.percept import Percept
from dasha_ros.report.explain.replay import Decided, Moment

Array = NDArray[np.float64]
Difference = Callable[[Decided, Decided], float]


@dataclass(frozen=True)
class Influence:
    """What changes when each cell is covered; shape (rows, columns)."""

    belief: Array
    """Share of A^L's probability that goes elsewhere, 0..1 (half the sum of the differences); NaN without a
    belief."""
    decision: Array
    """By how much the decision changes, in the unit that `influence` was asked for."""


def covered(percept: Percept) -> Iterator[tuple[int, int, Percept]]:
    """The percept with each cell of its grid latent covered in turn: row, column, percept.

    A covered cell has the mean of the other cells' means, and the root of the mean square of their
    deviations.
    """
    for row in range(GRID_ROWS):
        for column in range(GRID_COLUMNS):
            latent = percept.latent.copy()
            cells = part(latent, percept.encoder, GRID_ENCODER).reshape(-1, 2, CHANNELS)
            others = np.arange(len(cells)) != row * GRID_COLUMNS + column
            cells[~others, 0] = cells[others, 0].mean(axis=0)
            cells[~others, 1] = np.sqrt((cells[others, 1] ** 2).mean(axis=0))
            yield row, column, replace(percept, latent=latent)


def has_cells(percept: Percept) -> bool:
    """Whether a percept holds a latent whose cells can be covered."""
    return has_part(percept.encoder, GRID_ENCODER) and len(percept.latent) >= GRID_SIZE


def influence(moment: Moment, difference: Difference) -> Influence:
    """Cover every cell before a decision.

    Args:
        moment: The decision.
        difference: How far two decisions are from each other.

    Raises:
        ModelError: The percept holds no latent of the policy's encoder.
    """
    plain = moment.decide()
    belief: Array = np.full((GRID_ROWS, GRID_COLUMNS), np.nan)
    decision: Array = np.zeros((GRID_ROWS, GRID_COLUMNS))
    for row, column, percept in covered(moment.percept):
        other = moment.decide(percept)
        decision[row, column] = difference(plain, other)
        if plain.belief is not None and other.belief is not None:
            belief[row, column] = float(np.abs(plain.belief - other.belief).sum()) / 2.0
    return Influence(belief, decision)


def on_box(weights: Array, box: tuple[float, float, float, float]) -> tuple[float, float]:
    """The share of an influence that lies on a box, and the share of the frame that the box covers.

    Args:
        weights: Not negative, shape (rows, columns).
        box: Left, top, right, bottom as fractions of the frame.

    Returns:
        Both 0..1; the first is 0 where nothing has any influence.
    """
    rows, columns = weights.shape
    across = _overlap(box[0], box[2], columns)
    down = _overlap(box[1], box[3], rows)
    inside = np.outer(down, across)
    total = float(weights.sum())
    share = float((weights * inside).sum()) / total if total > 0.0 else 0.0
    return share, float(inside.mean())


def _overlap(begin: float, end: float, cells: int) -> Array:
    """How much of each of so many equal cells of 0..1 lies in begin..end."""
    edges = np.linspace(0.0, 1.0, cells + 1)
    inside = np.clip(end, edges[:-1], edges[1:]) - np.clip(begin, edges[:-1], edges[1:])
    result: Array = np.maximum(inside, 0.0) * cells
    return result
