"""Fits what a learned policy reads from its latents: regressions, curves, detectability.

Everything is fitted on training photographs only. Curves are fitted to numbers that were read *out
of fold*: on the photographs that it was fitted on, a regression reads better than it ever will again,
and an agent trained on such numbers would trust them too much.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.detectability import CLASSES, Detectability
from dasha_ros.estimation.profile import NODES, Profile, node_radii
from dasha_ros.estimation.readout import Readout
from dasha_ros.learning.dataset.cache.cells import Rows
from dasha_ros.learning.dataset.scenes.splits import copies_of
from dasha_ros.learning.dataset.scenes.views import ViewInfo

Array = NDArray[np.float64]
Floats = NDArray[np.floating]

FOLDS = 8
MODES = 3
"""Number of modes in which scenes differ; three explain 86 % of the deviation of curves from their mean."""
KINDS = 8
"""Number of kinds of objects, by how blurred they may be and still be found."""
_ROUNDS = 40
"""Number of rounds of expectation maximisation."""
_NOISE_FLOOR = 0.03
"""Standard deviation below which no number is trusted."""
_PRIOR_PICTURES = 2.0
"""Weight of the prior in pictures, where a curve is known from few."""


def fit_ridge(features: Floats, targets: Floats, strength: float) -> Readout:
    """Ridge regression of standardised features.

    Args:
        features: Shape (n, f).
        targets: Shape (n, m).
        strength: Strength of the penalty for each picture.
    """
    x = np.asarray(features, np.float64)
    y = np.asarray(targets, np.float64)
    centre, scale = x.mean(axis=0), x.std(axis=0) + 1e-3
    standard = (x - centre) / scale
    gram = standard.T @ standard + strength * len(x) * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, standard.T @ (y - y.mean(axis=0))) / scale[:, None]
    return Readout(centre.astype(np.float32), weights.astype(np.float32), y.mean(axis=0).astype(np.float32))


def folds_of(groups: Sequence[Sequence[str]], count: int = FOLDS, seed: int = 0) -> NDArray[np.intp]:
    """A fold for each view, such that views which share a photograph share a fold.

    Args:
        groups: The photographs of each view.
        count: How many folds; fewer where there are fewer separate groups.
        seed: Seed of the draw.
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    for first, *others in groups:
        for other in others:
            parent[root(other)] = root(first)
    roots = [root(group[0]) for group in groups]
    names = sorted(set(roots))
    order = np.random.default_rng(seed).permutation(len(names))
    fold = {name: int(place) % count for name, place in zip(names, order, strict=True)}
    return np.array([fold[name] for name in roots], np.intp)


def out_of_fold(views: Sequence[ViewInfo], train: Rows) -> Iterator[tuple[Rows, Rows]]:
    """The parts of a fit by photograph: what is fitted on, and what is then read.

    Copies under disturbances show the photographs of their views, so they are read with them. Nothing is
    fitted on them.

    Args:
        views: All views.
        train: Numbers of the training views, plain ones.

    Yields:
        Numbers of training views to fit on, and of all views to read, for each fold.
    """
    folds = folds_of([views[view].photographs for view in train])
    fold_of = {
        photograph: fold
        for view, fold in zip(train, folds, strict=True)
        for photograph in views[view].photographs
    }
    copies = copies_of(views, train)
    with_them = np.array([fold_of.get(views[copy].photographs[0], -1) for copy in copies], np.intp)
    for fold in np.unique(folds):
        yield train[folds != fold], np.concatenate([train[folds == fold], copies[with_them == fold]])


def fit_profile(radii: Floats, curves: Floats, widen: float = 1.0, modes: int = MODES) -> Profile:
    """Mean, modes and noise of curves, by expectation maximisation; curves may have gaps.

    Args:
        radii: Shape (k,), ascending: blur radii of the curves' points [px at 640].
        curves: Shape (n, k, m); NaN where a number is missing.
        widen: Factor of the noise's standard deviation, against overconfidence on photographs
            unlike those of the fit.
        modes: Number of modes in which curves differ.
    """
    mean, loadings, noise = _components(np.asarray(curves, np.float64), (radii,), modes)
    return Profile(_at_nodes(radii, mean), _at_nodes(radii, loadings), _at_nodes(radii, noise) * widen**2)


def fit_signed_profile(radii: Floats, curves: Floats, modes: int = MODES) -> Profile:
    """As `fit_profile`, for curves over signed defocus.

    Args:
        radii: Shape (k,), ascending: blur radii of the curves' points on either side [px at 640].
        curves: Shape (n, 2, k, m): focused nearer, then farther; NaN where a number is missing.
        modes: As there; curves differ in both sides together.

    Returns:
        Curves with `colour_sign.SIGNED_NODES`.
    """
    y = np.asarray(curves, np.float64)
    count, sides, points, m = y.shape
    parts = _components(y.reshape(count, sides * points, m), (radii,) * sides, modes)

    def at_nodes(values: Array) -> Array:
        return np.concatenate([_at_nodes(radii, half) for half in np.split(values, sides)])

    mean, loadings, noise = map(at_nodes, parts)
    return Profile(mean, loadings, noise)


def _components(y: Array, radii: Sequence[Floats], modes: int) -> tuple[Array, Array, Array]:
    """Mean, modes and variance of curves.

    Args:
        y: Shape (n, k, m); NaN where a number is missing.
        radii: Of the points, in parts between which nothing is interpolated.
        modes: Number of modes.

    Returns:
        Shapes (k, m), (k, j, m) and (k, m).
    """
    count, points, m = y.shape
    known = np.isfinite(y)
    total, pictures = np.where(known, y, 0.0).sum(axis=0), known.sum(axis=0)
    ends = np.cumsum([len(part) for part in radii])[:-1]
    mean = np.concatenate(
        [
            _filled(part, *halves)
            for part, *halves in zip(radii, np.split(total, ends), np.split(pictures, ends), strict=True)
        ]
    )
    residual = np.where(known, y - mean, 0.0).reshape(count, -1)
    seen = known.reshape(count, -1).astype(np.float64)
    # Start from the principal components, with gaps counted as no difference.
    _, size, shape = np.linalg.svd(residual, full_matrices=False)
    j = min(modes, len(size))
    loadings = (shape[:j] * size[:j, None] / np.sqrt(max(count, 1))).T
    noise = np.full(points * m, max(float((residual**2).sum() / seen.sum()) / 2.0, _NOISE_FLOOR**2))
    for _ in range(_ROUNDS):
        weight = seen / noise
        precision = np.einsum("pj,np,pi->nji", loadings, weight, loadings, optimize=True) + np.eye(j)
        covariance = np.linalg.inv(precision)
        amounts = np.einsum("nji,ni->nj", covariance, (weight * residual) @ loadings)
        second = covariance + amounts[:, :, None] * amounts[:, None, :]
        gram = np.einsum("np,nji->pji", seen, second) + 1e-3 * np.eye(j)
        cross = np.einsum("np,nj->pj", seen * residual, amounts)
        loadings = np.linalg.solve(gram, cross[..., None])[..., 0]
        spread = np.einsum("pj,nji,pi->np", loadings, covariance, loadings, optimize=True)
        squares = (seen * ((residual - amounts @ loadings.T) ** 2 + spread)).sum(axis=0)
        noise = (squares + _PRIOR_PICTURES * noise.mean()) / (seen.sum(axis=0) + _PRIOR_PICTURES)
        noise = np.maximum(noise, _NOISE_FLOOR**2)
    return mean, loadings.reshape(points, m, j).transpose(0, 2, 1), noise.reshape(points, m)


def fit_detectability(radii: Floats, answers: NDArray[np.integer], kinds: int = KINDS) -> Detectability:
    """Kinds of objects from how the detector answers along blur, by expectation maximisation.

    Args:
        radii: Shape (k,), ascending [px at 640].
        answers: Shape (n, k): class of the answer at each radius, -1 where unknown.
        kinds: Number of kinds.
    """
    count = len(answers)
    seen = np.eye(CLASSES)[np.maximum(answers, 0)] * (answers >= 0)[..., None]
    usual = seen.sum(axis=0) + 1.0 / CLASSES
    usual /= usual.sum(axis=1, keepdims=True)
    # Start from objects in order of how often they are found.
    order = np.argsort(np.argsort((answers > 0).sum(axis=1), kind="stable"))
    member = np.eye(kinds)[order * kinds // count]
    for _ in range(_ROUNDS):
        weights = (member.sum(axis=0) + 1.0) / (count + kinds)
        tables = np.einsum("nl,nkc->lkc", member, seen) + _PRIOR_PICTURES * usual
        tables /= tables.sum(axis=2, keepdims=True)
        log_joint = np.einsum("nkc,lkc->nl", seen, np.log(tables)) + np.log(weights)
        member = np.exp(log_joint - log_joint.max(axis=1, keepdims=True))
        member /= member.sum(axis=1, keepdims=True)
    by_node = np.stack([_at_nodes(radii, table) for table in tables])
    return Detectability(weights, np.log(by_node / by_node.sum(axis=2, keepdims=True)))


def _at_nodes(radii: Floats, values: Array) -> Array:
    """Values along radii, shape (k, ...), at `node_radii`."""
    at, x = np.log1p(node_radii()), np.log1p(np.asarray(radii, np.float64))
    columns = values.reshape(len(x), -1).T
    spread = np.stack([np.interp(at, x, column) for column in columns], axis=1)
    at_nodes: Array = spread.reshape(NODES, *values.shape[1:])
    return at_nodes


def _filled(radii: Floats, total: Array, count: NDArray[np.integer]) -> Array:
    """Means of points; interpolated between neighbours where nothing is known."""
    mean = total / np.maximum(count, 1)
    for column, known in zip(mean.T, (count > 0).T, strict=True):
        column[~known] = np.interp(np.asarray(radii)[~known], np.asarray(radii)[known], column[known])
    filled: Array = mean
    return filled
