"""Numbers read from the early latent: how blurred the picture is, and how bright.

The last layer of a network trained to recognise things forgets blur; the early layers keep it in
how strongly each filter responds. A linear map of the logarithms of the channels' deviations,
fitted by ridge regression (`learning.fitting.fit`), reads it out. Applied to the cells under a box,
the same map reads the blur of one object.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

GRID_ENCODER = "efficientnet_lite0_grid"
"""The encoder whose latents are read."""
GRID_ROWS, GRID_COLUMNS, CHANNELS = 4, 7, 112
GRID_SIZE = GRID_ROWS * GRID_COLUMNS * 2 * CHANNELS
FEATURES = 2 * CHANNELS
"""Number of features of a pooled latent: log deviations, then means."""
CORE = 0.7
"""Share of a box's width and height that is read: the rim shows what is behind the object."""
_SOFT = 0.02
"""Added to deviations before the logarithm: their size from sensor noise alone."""


def features(latents: NDArray[np.floating], boxes: NDArray[np.floating] | None = None) -> Floats:
    """The latent pooled over the frame, or over one box of it.

    Args:
        latents: Shape (n, `GRID_SIZE`), of the encoder `GRID_ENCODER`.
        boxes: Shape (n, 4): left, top, right, bottom as fractions of the frame. Cells count by
            how much of them the box's core (`CORE`) covers.

    Returns:
        Shape (n, `FEATURES`); rows of NaN where a box covers nothing or is NaN.
    """
    cells = np.asarray(latents, np.float32).reshape(-1, GRID_ROWS * GRID_COLUMNS, 2, CHANNELS)
    means, deviations = cells[:, :, 0], cells[:, :, 1]
    if boxes is None:
        mean = means.mean(axis=1)
        variance = (deviations**2).mean(axis=1) + means.var(axis=1)
    else:
        share = _shares(np.asarray(boxes, np.float32))[..., None]
        mean = (means * share).sum(axis=1, dtype=np.float32)
        # The law of total variance. Unlike the mean of squares it cancels no large numbers.
        variance = ((deviations**2 + (means - mean[:, None]) ** 2) * share).sum(axis=1)
    return np.concatenate([np.log(np.sqrt(variance) + np.float32(_SOFT)), mean], axis=1, dtype=np.float32)


def _shares(boxes: Floats) -> Floats:
    """How much each cell counts, shape (n, cells); rows sum to 1, or are NaN."""
    centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2.0, (boxes[:, 2:] - boxes[:, :2]) * (CORE / 2.0)
    low, high = np.asarray(centre - half, np.float32), np.asarray(centre + half, np.float32)
    across = _covered(low[:, 0], high[:, 0], GRID_COLUMNS)
    down = _covered(low[:, 1], high[:, 1], GRID_ROWS)
    area = np.asarray(down[:, :, None] * across[:, None, :], np.float32).reshape(len(boxes), -1)
    total = area.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return np.asarray(area / np.where(total > 0.0, total, np.nan), np.float32)


def _covered(begin: Floats, end: Floats, cells: int) -> Floats:
    """How much of each of so many equal cells of 0..1 lies in begin..end, shape (n, cells)."""
    edges = np.arange(cells, dtype=np.float32)
    low = np.maximum(begin[:, None] * cells, edges)
    high = np.minimum(end[:, None] * cells, edges + 1.0)
    covered: Floats = np.maximum(high - low, 0.0).astype(np.float32)
    return covered


@dataclass(frozen=True)
class Readout:
    """A linear map from f features to m numbers."""

    centre: Floats
    """Shape (f,): subtracted from the features."""
    weights: Floats
    """Shape (f, m)."""
    offset: Floats
    """Shape (m,)."""

    def __call__(self, pooled: NDArray[np.floating]) -> Floats:
        """The numbers, shape (n, m), of features of shape (n, f)."""
        numbers = (np.asarray(pooled, np.float32) - self.centre) @ self.weights + self.offset
        return np.asarray(numbers, np.float32)
