"""Fits against what the data were made of."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from synthetic_cache import synthetic_cache

from dasha_ros.estimation.detectability import CLASSES
from dasha_ros.estimation.profile import NODES, node_radii
from dasha_ros.learning.dataset.cache.cells import CellFeatures, CellMap, cell_features
from dasha_ros.learning.dataset.scenes.views import ViewInfo
from dasha_ros.learning.fitting.exposure import readout_exposure_lookup
from dasha_ros.learning.fitting.fit import (
    fit_detectability,
    fit_profile,
    fit_ridge,
    fit_signed_profile,
    folds_of,
    out_of_fold,
)
from dasha_ros.learning.fitting.focus import belief_focus_lookup
from dasha_ros.learning.training.presets import load_preset
from dasha_ros.learning.training.train import split_of
from dasha_ros.twin.stress.disturbance import Disturbance

RADII = np.array([0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])


def test_ridge_without_penalty_is_least_squares():
    random = np.random.default_rng(0)
    x, weights = random.normal(size=(200, 5)), random.normal(size=(5, 2))
    read = fit_ridge(x, x @ weights + 3.0, 1e-9)
    np.testing.assert_allclose(read(x), x @ weights + 3.0, atol=1e-2)


def test_views_that_share_a_photograph_share_a_fold():
    groups = [("a", "b"), ("c",), ("b", "d"), ("e",), ("d",), ("c", "f")]
    folds = folds_of(groups, 4)
    assert folds[0] == folds[2] == folds[4]
    assert folds[1] == folds[5]
    assert len(set(folds)) == 3


def test_a_copy_under_a_disturbance_is_read_with_its_photographs():
    """No regression reads a copy that was fitted on the photographs that it shows."""
    photographs = [("a", "b"), ("c",), ("b",), ("d",), ("e",)]
    plain = [ViewInfo(f"v{i}", "plane", "cat", each, fold=i % 2) for i, each in enumerate(photographs)]
    copies = [replace(view, name=f"{view.name}/copy", disturbance=Disturbance()) for view in plain]
    views, train = [*plain, *copies], np.array([0, 1, 2, 3])
    parts = list(out_of_fold(views, train))
    assert len(parts) == 3
    for kept, read in parts:
        fitted_on = {name for view in kept for name in views[view].photographs}
        assert not fitted_on & {name for view in read for name in views[view].photographs}
        assert all(views[view].disturbance is None for view in kept)
    assert sorted(view for _, read in parts for view in read) == [0, 1, 2, 3, 5, 6, 7, 8]


def test_a_profile_finds_mean_modes_and_noise():
    random = np.random.default_rng(1)
    mean = np.stack([np.log1p(RADII), np.minimum(RADII, 4.0)], axis=1)
    mode = np.stack([np.linspace(0.5, 0.1, len(RADII)), np.linspace(0.3, 0.0, len(RADII))], axis=1)
    curves = mean + random.normal(size=(400, 1, 1)) * mode + 0.1 * random.normal(size=(400, len(RADII), 2))
    curves[random.random(curves.shape) < 0.1] = np.nan
    found = fit_profile(RADII, curves, modes=1)
    nodes = [int(np.abs(node_radii() - r).argmin()) for r in RADII]
    np.testing.assert_allclose(found.mean[nodes], mean, atol=0.15)
    sign = np.sign(found.modes[0, 0, 0])
    np.testing.assert_allclose(sign * found.modes[nodes, 0], mode, atol=0.08)
    np.testing.assert_allclose(np.sqrt(found.variance[nodes]), 0.1, atol=0.03)


def test_a_signed_profile_finds_both_sides():
    random = np.random.default_rng(3)
    fade = np.exp(-RADII / 5.0)[:, None]
    mean = np.stack([fade, -0.5 * fade])
    offset = random.normal(size=(400, 1, 1, 1))
    curves = mean + offset + 0.1 * random.normal(size=(400, *mean.shape))
    curves[random.random(curves.shape) < 0.1] = np.nan
    curves[:, 1, -2:] = np.nan
    found = fit_signed_profile(RADII, curves, modes=1)
    nodes = np.array([int(np.abs(node_radii() - r).argmin()) for r in RADII])
    middle = np.nanmean(curves - mean)
    for side in (0, 1):
        known = slice(None) if side == 0 else slice(-2)
        at = nodes[known] + side * NODES
        np.testing.assert_allclose(found.mean[at], mean[side][known] + middle, atol=0.1)
        # What is the scene's own is the same on both sides.
        np.testing.assert_allclose(np.abs(found.modes[at, 0]), offset.std(), rtol=0.15)
        np.testing.assert_allclose(np.sqrt(found.variance[at]), 0.1, atol=0.03)


def test_widening_widens_only_the_noise():
    curves = np.random.default_rng(2).normal(size=(50, len(RADII), 2))
    plain, wide = fit_profile(RADII, curves), fit_profile(RADII, curves, widen=2.0)
    np.testing.assert_allclose(wide.variance, 4.0 * plain.variance)
    np.testing.assert_array_equal(wide.mean, plain.mean)


def test_kinds_of_objects_are_told_apart():
    near = np.where(RADII <= 1.0, CLASSES - 1, 0)
    always = np.full(len(RADII), CLASSES - 1)
    found = fit_detectability(RADII, np.array([near] * 30 + [always] * 10), kinds=2)
    lost = np.exp(found.log_answers[:, 80, 0])
    order = np.argsort(lost)
    assert lost[order[1]] > 0.8
    assert lost[order[0]] < 0.2
    np.testing.assert_allclose(found.weights[order], [11 / 42, 31 / 42], atol=0.02)
    np.testing.assert_allclose(np.exp(found.log_answers).sum(axis=2), 1.0)


def test_copies_of_training_views_are_read_like_the_views_themselves(tmp_path):
    """Their pictures are the same here: so a view that is read out of fold has the numbers of its copy."""
    cache = synthetic_cache(tmp_path / "c", planes=10)
    copies = [replace(view, name=f"{view.name}/copy", disturbance=Disturbance()) for view in cache.views]
    names = ("score", "box", "box_detail", "object_detail", "brisque")
    twice = SimpleNamespace(
        meta=cache.meta, path=cache.path, has_colour=False, px_per_dioptre=cache.px_per_dioptre,
        views=(*cache.views, *copies), scenes=cache.scenes * 2,
        fields={name: np.tile(cache.fields[name].T, 2).T for name in names},
    )  # fmt: skip
    once = cell_features(cache)
    cells = CellFeatures(np.tile(once.frame, (2, 1)), np.tile(once.box, (2, 1)))
    preset, train = load_preset("plus"), split_of(cache, 0).train
    where = CellMap(twice)
    focus = belief_focus_lookup(twice, train, preset.focus, cells)
    exposure = readout_exposure_lookup(twice, train, preset.exposure, cells)
    for view in train:
        here, there = where.focus_cells(int(view)).rows, where.focus_cells(int(view) + len(copies)).rows
        for numbers in (focus._frame, focus._box, focus._detail, focus._place, exposure._numbers):
            np.testing.assert_array_equal(numbers[there], numbers[here])
