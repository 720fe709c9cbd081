"""Numbers read from the early latent: pooling over boxes, against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from dasha_ros.estimation.readout import CHANNELS, CORE, GRID_COLUMNS, GRID_ROWS, Readout, features


def latents(seed=0, count=2):
    rng = np.random.default_rng(seed)
    cells = rng.uniform(0.1, 1.0, (count, GRID_ROWS, GRID_COLUMNS, 2, CHANNELS)).astype(np.float32)
    return cells, cells.reshape(count, -1)


def reference(means, deviations):
    """Log deviation and mean of all pixels, of cells that are equally large."""
    second = (deviations**2 + means**2).mean(axis=0)
    return np.concatenate([np.log(np.sqrt(second - means.mean(axis=0) ** 2) + 0.02), means.mean(axis=0)])


def test_the_frame_is_all_its_cells():
    cells, flat = latents()
    found = features(flat)
    for row, cell in zip(found, cells, strict=True):
        expected = reference(cell[..., 0, :].reshape(-1, CHANNELS), cell[..., 1, :].reshape(-1, CHANNELS))
        np.testing.assert_allclose(row, expected, rtol=1e-4, atol=1e-4)


def test_a_box_is_the_cells_under_its_core():
    cells, flat = latents()
    # Two cells side by side; the box is larger, but its core ends where they do.
    column, row = 2, 1
    core = np.array(
        [column / GRID_COLUMNS, row / GRID_ROWS, (column + 2) / GRID_COLUMNS, (row + 1) / GRID_ROWS]
    )
    centre, half = (core[:2] + core[2:]) / 2, (core[2:] - core[:2]) / 2
    box = np.concatenate([centre - half / CORE, centre + half / CORE])
    found = features(flat, np.stack([box, box]))
    for number, cell in enumerate(cells):
        inside = cell[row, column : column + 2]
        expected = reference(inside[:, 0], inside[:, 1])
        np.testing.assert_allclose(found[number], expected, rtol=1e-4, atol=1e-4)


def test_what_is_behind_the_rim_of_a_box_is_not_read():
    cells, flat = latents()
    other = cells.copy()
    other[:, :, 3:] += 1.0
    # The box reaches 5 % of its width into the columns that differ.
    box = np.tile([0.0, 0.0, 3.0 / GRID_COLUMNS / 0.95, 1.0], (2, 1))
    np.testing.assert_array_equal(features(flat, box), features(other.reshape(2, -1), box))


@pytest.mark.parametrize("box", [[np.nan] * 4, [0.3, 0.3, 0.3, 0.3]])
def test_no_box_gives_no_numbers(box):
    _, flat = latents(count=1)
    assert np.isnan(features(flat, np.array([box]))).all()


def test_a_readout_is_linear():
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(5, 3)).astype(np.float32)
    readout = Readout(np.ones(5, np.float32), weights, np.array([1, 2, 3], np.float32))
    pooled = rng.normal(size=(4, 5))
    np.testing.assert_allclose(readout(pooled), (pooled - 1) @ weights + [1, 2, 3], rtol=1e-4, atol=1e-5)
