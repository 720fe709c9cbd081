"""The paper's rewards: Eq. 7 for A^H and Eq. 8 for A^L.

BRISQUE is a regression and may leave 0..100. The term -0.01 B is not clipped, as in the paper.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dasha_ros.perception.percept import Percept

GOOD_PEAK = (50.0, 150.0)
"""Grey levels of the histogram's peak that satisfy A^H; both ends belong (Eq. 7)."""
DISCERNIBLE_PEAK = (25.0, 175.0)
"""Grey levels of the peak at which the picture is "still discernible"; both ends belong (Eq. 7)."""
QUALITY_WEIGHT = 0.01
"""Factor of BRISQUE in Eq. 7 and 8."""


class RewardError(ValueError):
    """A reward can't be computed, because a value is not a number."""


@dataclass(frozen=True, slots=True)
class Reward:
    """The reward of one step and its terms."""

    value: float
    terms: dict[str, float]
    """They add up to ``value``. An agent has the same terms in every step."""


def equation_7(level: ArrayLike, good: ArrayLike, brisque: ArrayLike) -> dict[str, NDArray[np.float64]]:
    """The terms of Eq. 7, ``exposure`` and ``quality``, each of the shape of the arguments.

    Args:
        level: The quantity for P, grey levels 0..255.
        good: Which pictures are paid +1.
        brisque: B of the pictures.
    """
    good, brisque = np.asarray(good, bool), np.asarray(brisque, np.float64)
    discernible = ~good & is_inside(level, DISCERNIBLE_PEAK)
    return {
        "exposure": np.where(good, 1.0, np.where(discernible, 0.0, -1.0)),
        "quality": np.where(discernible, -QUALITY_WEIGHT * brisque, 0.0),
    }


def equation_8(detected: ArrayLike, brisque: ArrayLike) -> dict[str, NDArray[np.float64]]:
    """The terms of Eq. 8, ``detection`` and ``quality``, each of the shape of the arguments.

    Args:
        detected: In which pictures one of the objects asked for was detected.
        brisque: B of the pictures.
    """
    detected, brisque = np.asarray(detected, bool), np.asarray(brisque, np.float64)
    return {
        "detection": np.where(detected, 0.0, -1.0),
        "quality": np.where(detected, -QUALITY_WEIGHT * brisque, 0.0),
    }


def is_inside(level: ArrayLike, interval: tuple[float, float]) -> NDArray[np.bool_]:
    """Whether each level is in an interval; both ends belong."""
    level = np.asarray(level)
    return np.asarray((level >= interval[0]) & (level <= interval[1]))


def exposure_reward(histogram_peak: float, brisque: float) -> Reward:
    """Eq. 7, r^H.

    Args:
        histogram_peak: P, the centre of the fullest histogram bin, grey levels 0..255.
        brisque: B, lower is better.

    Returns:
        Terms ``exposure`` (+1 or -1 from the peak alone) and ``quality`` (-0.01 B).

    Raises:
        RewardError: A value is NaN or infinite.
    """
    _require_finite(histogram_peak=histogram_peak, brisque=brisque)
    return _reward(equation_7(histogram_peak, is_inside(histogram_peak, GOOD_PEAK), brisque))


def focus_reward(detected: bool, brisque: float) -> Reward:
    """Eq. 8, r^L.

    Args:
        detected: Whether one of the objects asked for was detected.
        brisque: B, lower is better.

    Returns:
        Terms ``detection`` (-1 without a detection) and ``quality`` (-0.01 B with one).

    Raises:
        RewardError: ``brisque`` is NaN or infinite, even where Eq. 8 does not use it.
    """
    _require_finite(brisque=brisque)
    return _reward(equation_8(detected, brisque))


def reward_exposure(percept: Percept) -> Reward:
    """Eq. 7 of one percept; see `exposure_reward`."""
    return exposure_reward(percept.histogram_peak, percept.brisque)


def reward_focus(percept: Percept, labels: frozenset[str], min_score: float) -> Reward:
    """Eq. 8 of one percept; see `focus_reward`. Empty ``labels``: any object counts."""
    return focus_reward(bool(percept.of(labels, min_score)), percept.brisque)


def _reward(terms: Mapping[str, Any]) -> Reward:
    values = {name: float(value) for name, value in terms.items()}
    return Reward(value=sum(values.values()), terms=values)


def _require_finite(**values: float) -> None:
    for name, value in values.items():
        if not math.isfinite(value):
            raise RewardError(
                f"no reward from {name} = {value}: it is not a finite number; "
                "drop this percept and look at perception's diagnostics"
            )
