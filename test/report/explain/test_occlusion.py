"""Covered cells and shares on boxes, against the same by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from analytic_rig import AnalyticRig
from hypothesis import given, settings
from hypothesis import strategies as st

from dasha_ros.estimation.readout import CHANNELS, GRID_COLUMNS, GRID_ENCODER, GRID_ROWS, GRID_SIZE, features
from dasha_ros.report.explain.occlusion import covered, has_cells, influence, on_box
from dasha_ros.report.explain.replay import Decided
from dasha_ros.report.explain.words import likeliest, within


def percept(latent, encoder=GRID_ENCODER):
    from dataclasses import replace

    return replace(AnalyticRig().observe(), latent=np.asarray(latent, np.float32), encoder=encoder)


def test_a_covered_cell_leaves_the_mean_of_the_others():
    latent = np.random.default_rng(1).random(GRID_SIZE).astype(np.float32)
    cells = latent.reshape(-1, 2, CHANNELS)
    seen = percept(latent)
    every = {(row, column): other for row, column, other in covered(seen)}
    assert len(every) == GRID_ROWS * GRID_COLUMNS
    assert np.array_equal(seen.latent, latent)  # the original stays
    number = 2 * GRID_COLUMNS + 3
    others = np.delete(cells, number, axis=0)
    pooled = features(every[2, 3].latent[None])
    assert pooled[0, CHANNELS:] == pytest.approx(others[:, 0].mean(axis=0), abs=1e-5)
    back = every[2, 3].latent.reshape(-1, 2, CHANNELS)
    assert np.array_equal(np.delete(back, number, axis=0), others)
    assert back[number, 1] == pytest.approx(np.sqrt((others[:, 1] ** 2).mean(axis=0)), rel=1e-5)


def test_a_part_of_a_joint_latent_is_covered_alone():
    whole = np.concatenate([np.full(1280, 7.0), np.arange(GRID_SIZE)])
    seen = percept(whole, f"efficientnet_lite0+{GRID_ENCODER}")
    assert has_cells(seen)
    assert not has_cells(percept(np.zeros(1280), "efficientnet_lite0"))
    for _, _, other in covered(seen):
        assert (other.latent[:1280] == 7.0).all()
        assert (other.latent[1280:] != whole[1280:]).any()


def test_influence_is_what_a_decision_by_hand_changes():
    """A policy that looks at the first channel of one cell alone, and believes in two places."""
    cell = 5
    latent = np.zeros(GRID_SIZE, np.float32)
    latent.reshape(-1, 2, CHANNELS)[cell, 0, 0] = 0.75
    seen = percept(latent)

    def decide(other=None):
        value = float((other or seen).latent.reshape(-1, 2, CHANNELS)[cell, 0, 0])
        return Decided(value, False, np.array([value, 1.0 - value]), np.array([0.0, 1.0]))

    found = influence(SimpleNamespace(percept=seen, decide=decide), lambda a, b: abs(a.value - b.value))
    expected = np.zeros((GRID_ROWS, GRID_COLUMNS))
    expected.flat[cell] = 0.75
    assert found.decision == pytest.approx(expected)
    assert found.belief == pytest.approx(expected)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4),
    st.integers(0, 2**32 - 1),
)
def test_shares_on_a_box_are_those_of_many_small_pieces(edges, seed):
    box = min(edges[0], edges[2]), min(edges[1], edges[3]), max(edges[0], edges[2]), max(edges[1], edges[3])
    weights = np.random.default_rng(seed).random((4, 7))
    fine = 100
    x, y = (np.arange(7 * fine) + 0.5) / (7 * fine), (np.arange(4 * fine) + 0.5) / (4 * fine)
    inside = np.outer((y > box[1]) & (y < box[3]), (x > box[0]) & (x < box[2]))
    pieces = np.kron(weights, np.ones((fine, fine)))
    share, area = on_box(weights, box)
    assert area == pytest.approx(inside.mean(), abs=0.01)
    assert share == pytest.approx((pieces * inside).sum() / pieces.sum(), abs=0.02)
    assert on_box(np.zeros((4, 7)), box)[0] == 0.0


def test_the_likeliest_place_is_the_one_with_most_around_it():
    places, belief = np.arange(0.0, 1.0, 0.1), np.array([0.3, 0, 0, 0, 0.2, 0.2, 0.2, 0, 0, 0.1])
    assert within(places, belief, 0.5, 0.11) == pytest.approx(0.6)
    place, chance = likeliest(places, belief, 0.11)
    assert (place, chance) == (pytest.approx(0.5), pytest.approx(0.6))
