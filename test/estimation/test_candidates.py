"""Places worth going to, against sums over windows one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dasha_ros.estimation.candidates import candidates, likeliest, probability_within

STEP = 0.025
GRID = np.arange(-0.2, 3.6, STEP)
WINDOW, APART = 0.17, 0.45
HALF = round(WINDOW / STEP)

lumps = st.lists(
    st.tuples(st.floats(0.0, 3.4), st.floats(0.03, 0.5), st.floats(0.05, 1.0)), min_size=1, max_size=4
)


def posterior(parts):
    density = sum(weight * np.exp(-0.5 * ((GRID - at) / width) ** 2) for at, width, weight in parts) + 1e-9
    return density / density.sum()


def masses(values):
    """Of the window around every hypothesis."""
    return np.array([values[max(i - HALF, 0) : i + HALF + 1].sum() for i in range(len(values))])


def about(values, peak):
    """Mean and spread around a hypothesis, and the most probability that is not about the same."""
    near = np.abs(np.arange(len(GRID)) - peak) <= 2 * HALF
    mean = np.average(GRID[near], weights=values[near])
    spread = np.sqrt(np.average((GRID[near] - mean) ** 2, weights=values[near]))
    elsewhere = np.where(np.abs(GRID - GRID[peak]) > APART, values, 0.0)
    return mean, spread, masses(elsewhere).max()


@settings(max_examples=60)
@given(st.lists(lumps, min_size=1, max_size=3))
def test_they_hold_the_most_probability_there_is(batch):
    believed = np.stack([posterior(parts) for parts in batch])
    first, second = candidates(believed, GRID, WINDOW, APART)
    alone = likeliest(believed, GRID, WINDOW)
    for name in ("dioptres", "spread", "mass"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(first, name))
    for row, values in enumerate(believed):
        around = masses(values)
        assert first.mass[row] == pytest.approx(around.max(), abs=1e-9)
        found = (first.dioptres[row], first.spread[row], second.mass[row])
        # Of windows that hold the same but for rounding any will do.
        best = np.flatnonzero(around > around.max() - 1e-9)
        assert any(np.allclose(found, about(values, peak), atol=1e-4) for peak in best)


@settings(max_examples=60)
@given(lumps)
def test_the_second_is_another_place(parts):
    first, second = candidates(posterior(parts)[None], GRID, WINDOW, APART)
    assert second.mass[0] <= first.mass[0] + 1e-12
    for place in (first, second):
        assert GRID[0] <= place.dioptres[0] <= GRID[-1]
        assert 0.0 <= place.spread[0] <= 4 * HALF * STEP


def test_two_places_are_found_where_they_are():
    first, second = candidates(posterior([(0.8, 0.05, 1.0), (2.5, 0.05, 0.5)])[None], GRID, WINDOW, APART)
    assert first.dioptres[0] == pytest.approx(0.8, abs=0.005)
    assert second.dioptres[0] == pytest.approx(2.5, abs=0.005)
    assert first.spread[0] == pytest.approx(0.05, abs=0.005)
    assert (first.mass[0], second.mass[0]) == (pytest.approx(2 / 3, abs=0.01), pytest.approx(1 / 3, abs=0.01))


def test_where_nothing_else_is_possible_there_is_no_second_place():
    certain = np.zeros((1, len(GRID)))
    certain[0, 60] = 1.0
    first, second = candidates(certain, GRID, WINDOW, APART)
    assert (first.mass[0], second.mass[0]) == (1.0, 0.0)
    assert first.dioptres[0] == pytest.approx(GRID[60])
    assert np.isfinite([second.dioptres[0], second.spread[0]]).all()


@settings(max_examples=60)
@given(lumps, st.floats(0.0, 3.4), st.floats(STEP / 2, 1.0))
def test_a_probability_is_the_integral_over_cells(parts, centre, radius):
    values = posterior(parts)
    low, high = np.maximum(GRID - STEP / 2, centre - radius), np.minimum(GRID + STEP / 2, centre + radius)
    expected = (values * np.maximum(high - low, 0.0) / STEP).sum()
    found = probability_within(values[None], GRID, np.array([centre]), radius)
    assert found[0] == pytest.approx(expected, abs=1e-9)
