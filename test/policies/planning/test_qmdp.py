"""The plan is the one that a slow, literal pricing of every step would choose."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dasha_ros.policies.moves import HUNTING_REVERSALS, REVERSAL_DIOPTRES, STAY_DIOPTRES
from dasha_ros.policies.planning.qmdp import Prices, plans

PX = 8.8
GRID = np.arange(0.0, 1.5, 0.05)
"""Thirty hypotheses; pairs of neighbours are priced as one truth."""

EACH = (Prices(), Prices(reversal=0.0, hunting=0.3), Prices(move=0.2, sharp_px=0.2, blurred_px=2.0))

chances = st.lists(st.floats(0.0, 1.0), min_size=len(GRID), max_size=len(GRID)).filter(lambda c: sum(c) > 0.1)
directions = st.sampled_from([-1.0, 0.0, 1.0])


def planned(
    posterior: np.ndarray, here: float, direction: float, reversals: int, number: int = 0
) -> tuple[float, bool, float]:
    found = plans(
        (posterior / posterior.sum())[None],
        GRID,
        np.array([here]),
        np.array([direction]),
        np.array([reversals]),
        px_per_dioptre=PX,
        stay_dioptres=STAY_DIOPTRES,
        each=EACH,
    )[number]
    return float(found.dioptres[0]), bool(found.stays[0]), float(found.cost[0])


def priced(
    target: float, posterior: np.ndarray, here: float, direction: float, reversals: int, prices: Prices
) -> float:
    """The expected cost of one step, one truth after the other."""

    def travel(start: float, end: float, heading: float, turned: int) -> tuple[float, float, int]:
        step, cost = end - start, 0.0
        if abs(step) > REVERSAL_DIOPTRES:
            if heading * step < 0.0:
                turned += 1
                cost += prices.reversal + (prices.hunting if turned >= HUNTING_REVERSALS else 0.0)
            heading = 1.0 if step > 0.0 else -1.0
        return cost, heading, turned

    cost, heading, turned = travel(here, target, direction, reversals)
    total = cost + (prices.move if abs(target - here) > STAY_DIOPTRES else 0.0)
    for first in range(0, len(GRID), 2):
        truth = (GRID[first] + GRID[first + 1]) / 2.0
        chance = (posterior[first] + posterior[first + 1]) / posterior.sum()
        blur = abs(truth - target) * PX
        share = min(max((blur - prices.sharp_px) / (prices.blurred_px - prices.sharp_px), 0.0), 1.0)
        later, _, _ = travel(target, truth, heading, turned)
        total += chance * share * (prices.blur + prices.move + later)
    return total


@settings(max_examples=60, deadline=None)
@given(chances, st.floats(0.0, 1.45), directions, st.integers(0, 3), st.integers(0, len(EACH) - 1))
def test_no_step_is_cheaper_than_the_planned_one(
    weights: list[float], here: float, direction: float, reversals: int, number: int
) -> None:
    posterior = np.array(weights)
    target, stays, cost = planned(posterior, here, direction, reversals, number)
    known = posterior, here, direction, reversals, EACH[number]
    every = [priced(step, *known) for step in (*GRID, here)]
    assert cost == pytest.approx(min(every), abs=1e-9)
    assert cost == pytest.approx(priced(target, *known), abs=1e-9)
    assert stays == (target == here) or target in GRID


@settings(max_examples=60, deadline=None)
@given(chances, st.floats(0.0, 1.45), directions, st.integers(0, 3))
def test_a_mirrored_belief_costs_the_same(
    weights: list[float], here: float, direction: float, reversals: int
) -> None:
    posterior, span = np.array(weights), GRID[0] + GRID[-1]
    _, _, cost = planned(posterior, here, direction, reversals)
    _, _, mirrored = planned(posterior[::-1], span - here, -direction, reversals)
    assert cost == pytest.approx(mirrored, abs=1e-9)


@given(st.integers(0, len(GRID) // 2 - 1), st.floats(0.0, 1.45), directions)
def test_a_known_focus_is_approached_at_once(pair: int, here: float, direction: float) -> None:
    posterior = np.zeros(len(GRID))
    posterior[2 * pair : 2 * pair + 2] = 0.5
    truth = float(GRID[2 * pair : 2 * pair + 2].mean())
    target, stays, _ = planned(posterior, here, direction, 0)
    assert abs(target - truth) * PX <= Prices().sharp_px
    assert not stays or abs(here - truth) * PX <= Prices().sharp_px


def test_what_lies_ahead_is_visited_before_what_lies_behind() -> None:
    """Two equally likely places on both sides: the lens goes on in its direction."""
    posterior = np.zeros(len(GRID))
    posterior[[4, 5, 24, 25]] = 0.25
    ahead, _, _ = planned(posterior, 0.7, 1.0, 1)
    back, _, _ = planned(posterior, 0.7, -1.0, 1)
    assert ahead > 0.7 > back
