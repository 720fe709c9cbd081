"""On which side of the focus a picture was taken, by the detail of red and of blue.

A lens whose blue focuses nearer than its red (longitudinal chromatic aberration) shows red sharper where it
is focused too near, and blue where too far. The logarithm of the ratio of their detail is a curve over signed
defocus. Each object adds its own, because its texture differs from colour to colour (`profile`).

The sign shows near the focus only: far from it, both colours have lost the detail that would differ.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.detail_reading import object_detail
from dasha_ros.estimation.profile import NODES, Array, Profile, ProfileEvidence, nearest_node

SIDES = 2
"""Focused nearer than the object, and farther."""
SIGNED_NODES = SIDES * NODES
"""Nodes of a curve over signed defocus: those of `profile.node_radii` focused nearer, then farther."""
NOVEL_PX = 1.0
"""A picture's colours count fully if it was taken at least this much blur away from all earlier ones [px at
640]: nearer than other evidence needs, because it is across the focus that they change most."""
MISTAKEN = 0.05
"""Share of objects whose colours tell nothing of the side."""


def signed_node(blur_px: NDArray[np.floating]) -> NDArray[np.intp]:
    """The node nearest to each signed blur [px at 640], positive where the lens is focused nearer."""
    nodes: NDArray[np.intp] = nearest_node(np.abs(blur_px)) + np.where(blur_px < 0.0, NODES, 0)
    return nodes


def colour_ratio(colour_detail: NDArray[np.uint8], box: NDArray[np.floating]) -> NDArray[np.float64]:
    """Logarithm of the detail of red over that of blue in the core of a box, shape (bands,).

    Args:
        colour_detail: A percept's maps of red and blue; may be empty.
        box: As for `object_detail`.

    Returns:
        NaN where the box is NaN or covers nothing, or there are no maps.
    """
    if not len(colour_detail):
        return np.full(colour_detail.shape[-1], np.nan)
    red, blue = (object_detail(each, box).astype(np.float64) for each in colour_detail)
    return red - blue


class ColourEvidence:
    """Evidence of the colours of an episode's pictures about the focus, for a batch of episodes."""

    def __init__(self, profile: Profile, batch: int, log_prior: Array) -> None:
        """Nothing seen yet.

        Args:
            profile: How the ratios depend on signed blur; curves have `SIGNED_NODES`.
            batch: Number of episodes.
            log_prior: Of each case and place, shape (s, h).
        """
        self._log_prior = log_prior.ravel() - np.logaddexp.reduce(log_prior, axis=None)
        self._shape = log_prior.shape
        self._evidence = ProfileEvidence(profile, batch, log_prior.size)

    def reset(self, rows: NDArray[np.intp]) -> None:
        """Forget the pictures of these episodes."""
        self._evidence.reset(rows)

    def add(self, rows: NDArray[np.intp], blur_px: Array, ratios: Array, weight: Array) -> None:
        """Take in one picture of some episodes.

        Args:
            rows: Which episodes, shape (b,).
            blur_px: The signed blur that each case and place predicts [px at 640], shape (b, s, h).
            ratios: From `colour_ratio`, shape (b, bands); NaN where nothing was read.
            weight: How much each picture counts, 0..1, shape (b,).
        """
        read = np.isfinite(ratios).all(axis=1)
        if read.any():
            nodes = signed_node(blur_px[read]).reshape(int(read.sum()), -1)
            self._evidence.add(rows[read], nodes, ratios[read], weight[read])

    def log_likelihood(self, rows: NDArray[np.intp]) -> Array:
        """Of each case and place, relative to the mean of all, shape (b, s, h)."""
        told = self._evidence.log_likelihood(rows)
        mean = np.logaddexp.reduce(told + self._log_prior, axis=1, keepdims=True)
        mixed: Array = np.logaddexp(np.log1p(-MISTAKEN) + told - mean, np.log(MISTAKEN))
        return mixed.reshape(len(rows), *self._shape)
