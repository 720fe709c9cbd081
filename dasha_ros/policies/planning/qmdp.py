"""Plans the next move of the lens from a belief: QMDP.

QMDP (Littman, Cassandra, Kaelbling, 1995: "Learning policies for partially observable environments") takes
the action that costs least if the truth were known from the next step on. So a move is priced by itself and
by what is left to do after it, averaged over the belief. It does not plan to look for information alone; here
every move brings a picture anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.profile import Array
from dasha_ros.policies.moves import HUNTING_REVERSALS, REVERSAL_DIOPTRES

_STRIDE = 2
"""Neighbouring hypotheses that are priced as one truth."""


@dataclass(frozen=True)
class Prices:
    """What moves and blur cost, in the units of A^L's reward."""

    move: float = 0.05
    """A move of the lens."""
    reversal: float = 0.3
    """Turning back."""
    hunting: float = 0.8
    """The second reversal, and each later one, on top."""
    blur: float = 1.5
    """Resting out of focus."""
    sharp_px: float = 0.35
    """Up to this blur, resting costs nothing [px at 640]."""
    blurred_px: float = 1.05
    """From this blur on, resting costs all of `blur` [px at 640]; in between the price rises evenly."""


@dataclass(frozen=True)
class Plan:
    """The best next step of each episode."""

    dioptres: Array
    """Where to focus [1/m], shape (batch,)."""
    stays: NDArray[np.bool_]
    """Whether staying is best, shape (batch,)."""
    cost: Array
    """Expected cost of the plan, shape (batch,)."""
    gain: Array
    """How much more staying would cost, shape (batch,); 0 where it is best."""


def plans(
    posterior: Array,
    dioptres: Array,
    here: Array,
    direction: Array,
    reversals: NDArray[np.integer],
    *,
    px_per_dioptre: Array | float,
    stay_dioptres: float,
    each: Sequence[Prices] = (Prices(),),
) -> tuple[Plan, ...]:
    """For each of some prices, the step that costs least if the truth were known after it.

    Args:
        posterior: Probability of each hypothesis, shape (batch, h); rows sum to 1.
        dioptres: The hypotheses [1/m], ascending and evenly spaced, shape (h,).
        here: Where the lens is focused [1/m], shape (batch,).
        direction: Sign of the last clear move in dioptres, 0 before the first, shape (batch,).
        reversals: Reversals so far, shape (batch,).
        px_per_dioptre: Blur of a dioptre [px at 640], shape (batch,) or one for all.
        stay_dioptres: Steps up to this size are not made [1/m].
        each: What moves and blur cost. What plans with the same prices of blur share is computed once.
    """
    truths, chances = _thinned(posterior, dioptres)
    targets = np.concatenate([np.broadcast_to(dioptres, posterior.shape), here[:, None]], axis=1)
    step = targets - here[:, None]
    turns, heading = _turns(step, direction[:, None])
    turned = reversals[:, None] + turns
    px = np.broadcast_to(px_per_dioptre, here.shape)
    moves, rows = np.abs(step) > stay_dioptres, np.arange(len(here))

    shares: dict[tuple[float, float], tuple[Array, Array]] = {}
    found = []
    for costs in each:
        blur = costs.sharp_px, costs.blurred_px
        if blur not in shares:
            from_here = _blurs(costs, truths - here[:, None], px[:, None])
            left, ahead, behind = (
                np.column_stack([grid, (chances * mine).sum(axis=1)])
                for grid, mine in zip(_on_grid(costs, truths, chances, dioptres, px), from_here, strict=True)
            )
            shares[blur] = left, np.where(heading > 0.0, behind, np.where(heading < 0.0, ahead, 0.0))
        left, back = shares[blur]
        now = costs.move * moves + _turning(costs, turns, turned)
        turning_later = costs.reversal + costs.hunting * (turned + 1 >= HUNTING_REVERSALS)
        total = now + (costs.blur + costs.move) * left + turning_later * back
        best = total.argmin(axis=1)
        cost = total[rows, best]
        found.append(Plan(targets[rows, best], best == len(dioptres), cost, total[:, -1] - cost))
    return tuple(found)


def _on_grid(costs: Prices, truths: Array, chances: Array, dioptres: Array, px: Array) -> NDArray[np.float64]:
    """The three shares of `_blurs` after a step to each hypothesis, shape (3, batch, h).

    The distances are the same in all episodes whose lenses blur alike, so the sums over truths are matrix
    products.
    """
    result = np.empty((3, len(px), len(dioptres)))
    for px_per_dioptre in np.unique(px):
        alike = px == px_per_dioptre
        for share, grid in enumerate(_blurs(costs, truths - dioptres[:, None], px_per_dioptre)):
            result[share, alike] = chances[alike] @ grid.T
    return result


def _blurs(costs: Prices, left: Array, px_per_dioptre: Array | float) -> tuple[Array, Array, Array]:
    """The share of the blur's price that is left after a step.

    Args:
        costs: The prices.
        left: Truth minus the step's target [1/m].
        px_per_dioptre: Blur of a dioptre [px at 640], for each episode or one for all.

    Returns:
        The share everywhere; only where the truth lies clearly nearer; only where it lies clearly farther.
        Each has the shape of ``left``.
    """
    width = costs.blurred_px - costs.sharp_px
    share = np.clip((np.abs(left) * px_per_dioptre - costs.sharp_px) / width, 0.0, 1.0)
    return share, share * (left > REVERSAL_DIOPTRES), share * (left < -REVERSAL_DIOPTRES)


def _thinned(posterior: Array, dioptres: Array) -> tuple[Array, Array]:
    """`_STRIDE` neighbouring hypotheses as one: means, shape (g,), and chances, shape (batch, g)."""
    count = len(dioptres) // _STRIDE
    inner = slice(0, count * _STRIDE)
    truths: Array = dioptres[inner].reshape(count, _STRIDE).mean(axis=1)
    chances: Array = posterior[:, inner].reshape(-1, count, _STRIDE).sum(axis=2)
    return truths, chances / np.maximum(chances.sum(axis=1, keepdims=True), 1e-300)


def _turns(step: Array, direction: Array) -> tuple[NDArray[np.bool_], Array]:
    """Which steps turn back, and the direction after each."""
    sign = np.where(np.abs(step) > REVERSAL_DIOPTRES, np.sign(step), 0.0)
    turns: NDArray[np.bool_] = (sign != 0.0) & (direction != 0.0) & (sign != direction)
    return turns, np.where(sign != 0.0, sign, direction)


def _turning(costs: Prices, turns: NDArray[np.bool_], reversals: NDArray[np.integer]) -> Array:
    """What turning back costs, given the number of reversals afterwards."""
    price: Array = costs.reversal * turns + costs.hunting * (turns & (reversals >= HUNTING_REVERSALS))
    return price
