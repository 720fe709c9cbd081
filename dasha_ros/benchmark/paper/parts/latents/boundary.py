"""The plane of the first two principal components, and the boundary of detection in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
_RIDGE = 1e-9
"""Keeps the spread invertible if all points lie on a line."""


def plane(latents: NDArray[np.floating]) -> tuple[Array, Array]:
    """The first two principal components of latents, and their shares of the variance.

    Args:
        latents: Shape (n, size), n of at least 3.

    Returns:
        Coordinates, shape (n, 2), and shares, shape (2,). Each component points to where it is largest.
    """
    centred = np.asarray(latents, np.float64) - np.mean(latents, axis=0, dtype=np.float64)
    # With fewer points than numbers the small matrix of products has the same spectrum.
    values, vectors = (
        np.linalg.eigh(centred @ centred.T) if len(centred) <= centred.shape[1] else (None, None)
    )
    if values is None or vectors is None:
        values, axes = np.linalg.eigh(centred.T @ centred)
        points = centred @ axes[:, ::-1][:, :2]
    else:
        points = vectors[:, ::-1][:, :2] * np.sqrt(np.maximum(values[::-1][:2], 0.0))
    largest = points[np.abs(points).argmax(axis=0), [0, 1]]
    total = max(float(np.maximum(values, 0.0).sum()), 1e-300)
    shares: Array = np.maximum(values[::-1][:2], 0.0) / total
    return points * np.where(largest < 0.0, -1.0, 1.0), shares


@dataclass(frozen=True)
class Boundary:
    """A straight line in the plane, beyond which nothing is detected."""

    direction: tuple[float, float]
    """Unit vector across the line, away from what is detected."""
    place: float
    """Where the line lies along `direction`."""
    right: float
    """Share of points on the side that agrees with whether they were detected."""


def direction(points: Array, detected: Flags) -> tuple[float, float]:
    """From the detected points to the missed ones, by Fisher's linear discriminant.

    Args:
        points: Shape (n, 2).
        detected: Shape (n,).

    Returns:
        A unit vector; to the right if all points are of one kind.
    """
    if detected.all() or not detected.any():
        return 1.0, 0.0
    kinds = points[detected], points[~detected]
    spread = sum(np.cov(kind.T, bias=True) * len(kind) for kind in kinds)
    size = float(np.trace(np.atleast_2d(spread))) or 1.0
    across = np.linalg.solve(
        spread + _RIDGE * size * np.eye(2), kinds[1].mean(axis=0) - kinds[0].mean(axis=0)
    )
    length = float(np.hypot(*across))
    return (float(across[0] / length), float(across[1] / length)) if length > 0.0 else (1.0, 0.0)


def boundary(points: Array, detected: Flags, across: tuple[float, float]) -> Boundary:
    """The line with as many points on its near side as are detected.

    So it moves by what is detected in addition, wherever in the plane that is, and where all is detected it
    lies behind the last point.

    Args:
        points: Shape (n, 2).
        detected: Shape (n,).
        across: Direction across the line; see `direction`.
    """
    along = points @ np.array(across)
    order = np.sort(along)
    count = int(detected.sum())
    step = float(np.ptp(along)) / max(len(along) - 1, 1)
    if count == 0:
        place = float(order[0]) - step
    elif count == len(order):
        place = float(order[-1]) + step
    else:
        place = float(order[count - 1] + order[count]) / 2.0
    return Boundary(across, place, float(np.mean((along < place) == detected)))


def moved(points: Array, off: Boundary, on: Boundary) -> float:
    """How far a boundary moved, in standard deviations of the points across it."""
    spread = float((points @ np.array(off.direction)).std())
    return (on.place - off.place) / spread if spread > 0.0 else 0.0
