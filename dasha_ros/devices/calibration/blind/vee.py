"""The V: blur falls with the lens's position to the sharpest one and rises again; fitted to all parts.

Signed, the V is one line: ``s = k (p - c)``, a little bent if the lens is. All parts of the picture share the
slope k; each has its own c, as each may be at another distance. On the way up and on the way down the line is
shifted by the lens's play. A reading tells ``r`` against the sharpest picture, which is itself a little
blurred, by ``s0``: discs add in their squares, so ``r^2 = s^2 - s0^2``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

READ_FROM_PX, READ_TO_PX = 0.4, 13.0
"""Readings between these count: less does not tell from noise, more reaches beyond the part."""
_ROUNDS = 12
_HUBER = 2.0
_BEND_SIGMAS = 5.0
"""A bend counts when it is this many times its own uncertainty."""
_BEND_MIN = 0.03
"""A bend that changes the slope by less than this over the scan is left out."""
_ONE_PLANE_PX = 0.25
"""Parts that are sharp within this blur of each other show one plane [px]."""
FEWEST_READINGS = 8


@dataclass(frozen=True, slots=True)
class Side:
    """One scan."""

    positions: NDArray[np.float64]
    """Shape (pictures,)."""
    radius_px: NDArray[np.float64]
    """Shape (parts, pictures); NaN: no reading."""
    sharpest: NDArray[np.int64]
    """The sharpest picture of each part."""


@dataclass(frozen=True, slots=True)
class Vee:
    """The fitted V."""

    origin: float
    """Position about which the bend is told."""
    slope: float
    """Blur radius a unit of position at the origin [px at 640 a unit]; positive."""
    bend: float
    """Half the change of the slope a unit [px a unit^2]."""
    centres: NDArray[np.float64]
    """Where each part is sharp, with play taken from both sides; NaN: the part was not used."""
    play: float
    """How far the way down lies above the way up; negative: the other way round."""
    residual_px: float
    """Robust standard deviation of the readings from the V [px]."""
    readings: int
    """How many readings it stands on."""

    def signed(self, position: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Signed blur less a constant [px]."""
        x = np.asarray(position, np.float64) - self.origin
        return np.asarray(self.slope * x + self.bend * x**2)

    @property
    def sharpest(self) -> float:
        """Where most of the picture is sharpest; parts that show an edge between two planes are few."""
        centres = np.sort(self.centres[np.isfinite(self.centres)])
        near = np.abs(centres[:, None] - centres[None, :]) <= _ONE_PLANE_PX / self.slope
        most = centres[near[int(np.argmax(near.sum(axis=1)))]]
        return float(np.median(most))

    def blur(self, position: NDArray[np.float64], centre: float) -> NDArray[np.float64]:
        """Signed blur of a part that is sharp at ``centre`` [px]."""
        return np.asarray(self.signed(position) - self.signed(centre))


def rough_slope(
    positions: NDArray[np.float64], radius_px: NDArray[np.float64], at: NDArray[np.int64]
) -> float:
    """The slope from a coarse scan [px a unit]; NaN: nothing could be read.

    Args:
        positions: Of the pictures.
        radius_px: Shape (parts, pictures).
        at: The sharpest picture of each part.
    """
    distance = np.abs(positions[None, :] - positions[at][:, None])
    use = (radius_px > 1.5) & (distance > 0)
    return float(np.median(radius_px[use] / distance[use])) if use.any() else float("nan")


def fit_vee(up: Side, down: Side, slope: float) -> Vee | None:
    """Fit the V to two scans.

    Args:
        up: The scan upwards.
        down: The scan downwards.
        slope: A first guess [px a unit].

    Returns:
        The V; ``None``: too few readings.
    """
    sides = (up, down)
    origin = float(np.median(np.concatenate([side.positions for side in sides])))
    table = _table(sides, origin)
    if len(table.part) < FEWEST_READINGS:
        return None
    used = np.unique(table.part)
    start = [float(np.mean([side.positions[side.sharpest[p]] for side in sides])) - origin for p in used]
    # k, bend, k times half the play, and a constant for each part.
    theta = np.concatenate([[slope, 0.0, 0.0], -slope * np.array(start)])
    theta, sigma, _ = _solve(table, theta, bent=False)
    bent, bent_sigma, deviation = _solve(table, theta, bent=True)
    reach = float(np.ptp(table.at)) / 2.0
    if (
        abs(bent[1]) > _BEND_SIGMAS * deviation
        and abs(2.0 * bent[1]) * reach > _BEND_MIN * abs(bent[0])
        and bent_sigma < sigma
    ):
        theta, sigma = bent, bent_sigma
    centres = np.full(up.radius_px.shape[0], np.nan)
    for index, p in enumerate(used):
        centres[p] = origin + _root(theta[0], theta[1], theta[3 + index])
    # On the way up (sign -1) the moving part is half the play behind: s = k (p - play/2 - c).
    play = 2.0 * theta[2] / theta[0]
    return Vee(origin, float(theta[0]), float(theta[1]), centres, float(play), sigma, len(table.part))


@dataclass(frozen=True, slots=True)
class _Table:
    """All readings of both scans, each array of shape (readings,)."""

    part: NDArray[np.int64]
    at: NDArray[np.float64]
    """Position from the origin."""
    radius: NDArray[np.float64]
    way: NDArray[np.float64]
    """-1 up, 1 down."""
    reference: NDArray[np.float64]
    """Where the part's sharpest picture was taken, from the origin."""


def _table(sides: tuple[Side, Side], origin: float) -> _Table:
    rows: list[tuple[float, float, float, float, float]] = []
    for way, side in zip((-1.0, 1.0), sides, strict=True):
        use = (side.radius_px > READ_FROM_PX) & (side.radius_px < READ_TO_PX)
        for p, i in np.argwhere(use):
            at, reference = side.positions[i] - origin, side.positions[side.sharpest[p]] - origin
            rows.append((float(p), at, side.radius_px[p, i], way, reference))
    part, places, radius, ways, references = np.array(rows, np.float64).reshape(-1, 5).T
    return _Table(part.astype(np.int64), places, radius, ways, references)


def _solve(
    table: _Table, theta: NDArray[np.float64], *, bent: bool
) -> tuple[NDArray[np.float64], float, float]:
    """Least squares in which readings far off count less; the sides of the V follow from the fit before.

    Returns:
        The parameters, the robust deviation of the readings [px], and the uncertainty of the bend.
    """
    row = 3 + np.unique(table.part, return_inverse=True)[1]
    design = np.zeros((len(row), len(theta)))
    design[:, 0], design[:, 1], design[:, 2] = table.at, table.at**2, table.way
    design[np.arange(len(row)), row] = 1.0
    free = np.array([column for column in range(len(theta)) if bent or column != 1])
    sigma, covariance = 1.0, np.zeros((len(free), len(free)))
    for _ in range(_ROUNDS):
        # The sharpest picture's own blur, on its own way.
        own = theta[0] * table.reference + theta[1] * table.reference**2 + theta[2] * table.way + theta[row]
        predicted = design @ theta
        signed = np.sign(predicted) * np.hypot(table.radius, own)
        residual = signed - predicted
        sigma = max(1.4826 * float(np.median(np.abs(residual))), 1e-3)
        # A reading's error grows where little blur is read, and in proportion to large ones.
        weight = table.radius / np.maximum(np.abs(signed), 1e-6) / (1.0 + 0.1 * table.radius)
        weight *= np.minimum(1.0, _HUBER * sigma / np.maximum(np.abs(residual), 1e-9))
        # Normal equations: a few dozen unknowns at most, and positions are told from the origin.
        weighed = design[:, free] * weight[:, None]
        covariance[:] = np.linalg.pinv(weighed.T @ design[:, free])
        solved = np.zeros_like(theta)
        solved[free] = covariance @ (weighed.T @ signed)
        theta = solved
    return theta, sigma, sigma * float(np.sqrt(covariance[1, 1])) if bent else 0.0


def _root(slope: float, bend: float, constant: float) -> float:
    """Where ``slope x + bend x^2 + constant`` is 0, on the branch of the straight line."""
    inside = slope**2 - 4.0 * bend * constant
    if inside <= 0.0:
        return float("nan")
    return float(-2.0 * constant / (slope + np.sign(slope) * np.sqrt(inside)))
