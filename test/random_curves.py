"""Curves without any likeness, and the likelihood of pictures by the model's own words."""

from __future__ import annotations

import numpy as np

from dasha_ros.estimation.belief import BeliefModel
from dasha_ros.estimation.detectability import CLASSES, Detectability
from dasha_ros.estimation.profile import NODES, Profile


def random_model(seed):
    """Every number is unlike any other, so that nothing can be mixed up."""
    random = np.random.default_rng(seed)

    def curves():
        mean, modes = random.normal(size=(NODES, 2)), random.normal(size=(NODES, 2, 2))
        return Profile(mean, modes, random.uniform(0.3, 1.0, (NODES, 2)))

    answers = random.uniform(0.1, 1.0, (3, NODES, CLASSES))
    detection = Detectability(np.full(3, 1 / 3), np.log(answers / answers.sum(axis=2, keepdims=True)))
    return BeliefModel(curves(), curves(), curves(), detection)


def log_normal(y, profile, nodes):
    """Of all pictures' numbers together: the scene's amounts are the same in all of them."""
    modes = np.concatenate([profile.modes[node] for node in nodes], axis=1)
    covariance = modes.T @ modes + np.diag(np.concatenate([profile.variance[node] for node in nodes]))
    residual = y.ravel() - np.concatenate([profile.mean[node] for node in nodes])
    return -0.5 * (residual @ np.linalg.solve(covariance, residual) + np.linalg.slogdet(covariance)[1])
