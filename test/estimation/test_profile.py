"""Evidence of curves against the Gaussian that it claims to be."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dasha_ros.estimation.profile import NODES, Profile, ProfileEvidence, nearest_node, node_radii


def profile(seed: int) -> Profile:
    random = np.random.default_rng(seed)
    return Profile(
        random.normal(size=(NODES, 2)),
        random.normal(size=(NODES, 3, 2)),
        random.uniform(0.1, 1.0, (NODES, 2)),
    )


def log_normal(y: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> float:
    residual = y - mean
    return float(-0.5 * (residual @ np.linalg.solve(covariance, residual) + np.linalg.slogdet(covariance)[1]))


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_it_is_the_joint_gaussian_of_all_pictures(seed, pictures):
    model, random = profile(seed), np.random.default_rng(seed + 1)
    nodes = random.integers(NODES, size=(pictures, 4))
    numbers = random.normal(size=(pictures, 2))
    evidence = ProfileEvidence(model, batch=1, hypotheses=4)
    for at, y in zip(nodes, numbers, strict=True):
        evidence.add(np.array([0]), at[None], y[None], np.ones(1))
    expected = []
    for hypothesis in nodes.T:
        modes = np.concatenate([model.modes[node] for node in hypothesis], axis=1)
        noise = np.diag(np.concatenate([model.variance[node] for node in hypothesis]))
        mean = np.concatenate([model.mean[node] for node in hypothesis])
        expected.append(log_normal(numbers.ravel(), mean, modes.T @ modes + noise))
    (found,) = evidence.log_likelihood(np.array([0]))
    np.testing.assert_allclose(found - found[0], np.array(expected) - expected[0], rtol=1e-6, atol=1e-6)


def test_episodes_of_a_batch_are_apart_and_can_be_forgotten():
    model = profile(1)
    both, alone = ProfileEvidence(model, 2, 5), ProfileEvidence(model, 1, 5)
    nodes = np.arange(10).reshape(2, 5)
    numbers = np.array([[0.1, 0.2], [1.0, -1.0]])
    both.add(np.arange(2), nodes, numbers, np.ones(2))
    alone.add(np.array([0]), nodes[1:], numbers[1:], np.ones(1))
    second, first = both.log_likelihood(np.array([1, 0]))
    np.testing.assert_allclose([second], alone.log_likelihood(np.array([0])))
    both.reset(np.array([1]))
    assert (both.log_likelihood(np.array([1])) == 0.0).all()
    np.testing.assert_array_equal(both.log_likelihood(np.array([0])), [first])
    assert (first != 0.0).any()


def test_a_picture_without_weight_says_nothing():
    evidence = ProfileEvidence(profile(2), 1, 5)
    evidence.add(np.array([0]), np.arange(5)[None], np.ones((1, 2)), np.zeros(1))
    np.testing.assert_array_equal(evidence.log_likelihood(np.array([0])), np.zeros((1, 5)))


def test_every_radius_finds_its_node():
    radii = node_radii()
    np.testing.assert_array_equal(nearest_node(radii), np.arange(NODES))
    assert nearest_node(np.array([1e6]))[0] == NODES - 1
