"""Curves without any likeness, and the likelihood of pictures by the model's own words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from known_curves import MAP
from scipy.special import logsumexp

from dasha_ros.estimation.belief import BEHIND, GAP_D, SEPARATE, BeliefModel, hypotheses, log_prior
from dasha_ros.estimation.detectability import CLASSES, Detectability, score_class
from dasha_ros.estimation.own_sharpness import MISTAKEN
from dasha_ros.estimation.profile import NODES, Profile, nearest_node


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


class Case(NamedTuple):
    """What an episode may be like besides the first place of its object."""

    scale: float
    rungs: Sequence[float]
    chance: float
    places: Callable[[float], np.ndarray]
    """Where the object is in each picture, by where it is in the first one."""


def joint_written_down(made, here, pictures, scores, cases, background):
    """Probability of each case and first place: by all witnesses, and by the object's own detail, one by one.

    ``background`` says for each case in which one the plane that fills the frame is.
    """
    frame, box, detail = pictures
    grid, prior = hypotheses(), np.exp(log_prior(hypotheses()))
    of_frame, own, told = (np.zeros((len(cases), len(grid))) for _ in range(3))
    for i, case in enumerate(cases):
        for j, at in enumerate(grid):
            blur = np.abs(here - case.places(at)) * MAP.px_per_dioptre
            nodes = nearest_node(blur * case.scale)
            of_frame[i, j] = log_normal(frame, made.frame, nodes)
            answers = made.detection.log_answers[:, nodes, score_class(scores)].sum(axis=1)
            own[i, j] = log_normal(box, made.box, nodes)
            own[i, j] += np.log(np.sum(made.detection.weights * np.exp(answers)))
            told[i, j] = logsumexp(
                [log_normal(detail, made.detail, nearest_node(blur * r)) for r in case.rungs]
            )
    weights = np.array([case.chance for case in cases])[:, None]
    mean = logsumexp(told, b=np.broadcast_to(weights, told.shape)) - np.log(len(grid))
    of_detail = (1.0 - MISTAKEN) * np.exp(told - mean) + MISTAKEN
    likelihood = np.exp(of_frame - of_frame.max())
    of_plane = (1.0 - SEPARATE - BEHIND) * likelihood
    for j, at in enumerate(grid):
        for share, gap in ((SEPARATE, at - grid), (BEHIND, grid - at)):
            elsewhere = gap >= GAP_D - 1e-9
            if elsewhere.any():
                behind = (prior * likelihood[list(background)])[:, elsewhere].sum(axis=1)
                of_plane[:, j] += share * behind / prior[elsewhere].sum()
    joint = weights * prior * np.exp(own - own.max()) * of_detail * of_plane
    # Of the case, everything else tells the object's own detail.
    without = (weights * prior * np.exp(own - own.max()) * of_plane).sum(axis=1)
    sharpness = np.exp(told - told.max()) * prior * without[:, None]
    return joint / joint.sum(), sharpness / sharpness.sum()
