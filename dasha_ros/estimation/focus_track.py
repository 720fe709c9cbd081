"""Where a moving object's focus is: a posterior over its place and its speed, by its own blur alone.

A picture tells how much the object is blurred, but not on which side of the focus. So each hypothesis is a
focus, a speed towards or away from the camera, and how much the reading has shifted for another reason, such
as another light. A picture weighs them (Bayes), and between two pictures they move on: a histogram filter
(Thrun, Burgard, Fox 2005: "Probabilistic Robotics", chapter 4). A move of the lens that was wrong shows in
the next picture, which then leaves the other side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.lens_map import LensMap
from dasha_ros.estimation.motion import carried, places_after
from dasha_ros.estimation.profile import Array, Profile, node_radii

STEP_PX = 0.25
"""Distance between two places [px of blur at 640]."""
NEAREST_D, BEYOND_D = 8.0, -0.35
"""Places that are followed [1/m]: from 12 cm to infinity, and what the lens's drift adds beyond."""
_NEAREST_M = 0.05
"""Nothing that comes gets nearer [m]."""
SPEEDS = np.array([-0.7, -0.5, -0.35, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7])
"""Speeds away from the camera [m/s]."""
STILL = 0.7
"""Prior probability that the object does not move."""
CHANGES = 0.5
"""How often a speed changes [1/s]."""
DRIFT_PX = 0.05
"""Wander of the focus for other reasons, such as temperature [px of blur at 640 in a second]."""
LOST = 0.03
"""How often the object is suddenly anywhere, as after something has passed before it [1/s]."""
SHIFTS = np.array([-0.15, 0.0, 0.15, 0.3, 0.5])
"""Shifts of the reading for other reasons than blur [logarithm of the blur]."""
UNSHIFTED = 0.9999
"""Prior probability that there is none."""
SHIFTED = 0.0002
"""How often a shift comes or goes without a cause that is known [1/s]."""
RELIT = 0.5
"""Probability that a picture of another brightness has no shift."""
NOISE = 0.04
"""Deviation of the reading at rest: its noise, and what the object's turning does."""
SLOPE = 0.2
"""Deviation of how fast the reading grows with blur, from object to object, as a share."""
MISTAKEN = 0.01
"""Share of readings that tell nothing."""
REACH_PX = 1.25
"""Half width of what counts as one place [px of blur at 640]: the dead band."""
BETTER = 0.15
"""By so much must another place be likelier than where the lens is, before the lens moves."""


@dataclass(frozen=True)
class Aim:
    """Where the object's focus is expected."""

    dioptres: float
    """The likeliest place [1/m, in the units of the map]."""
    chance: float
    """Probability that it is within `REACH_PX` of there."""
    here: float
    """Probability that it is within `REACH_PX` of where the lens is."""

    @property
    def is_elsewhere(self) -> bool:
        """Whether the lens should move."""
        return self.chance - self.here > BETTER


class FocusTrack:
    """The posterior of one object."""

    def __init__(self, profile: Profile, lens: LensMap, here: float, reading: float) -> None:
        """Begin where the object is sharp.

        Args:
            profile: How the numbers read from an object's detail depend on blur; the first one counts.
            lens: Maps positions to focus.
            here: Where the lens is focused [1/m, in the map's units].
            reading: Logarithm of the blur that is read there.
        """
        self._lens, self._reading = lens, reading
        px, scale = lens.px_per_dioptre, lens.scale
        low, high = max(lens.reach[0], BEYOND_D * scale), min(lens.reach[1], NEAREST_D * scale)
        self._places: Array = np.arange(low, high + STEP_PX / px, STEP_PX / px, dtype=np.float64)
        self._anywhere: Array = np.full(len(self._places), -np.log(len(self._places)))
        self._radii, self._excess = node_radii(), profile.mean[:, 0] - profile.mean[0, 0]
        self._speeds = _mostly(STILL, SPEEDS == 0.0)
        self._shifts = _mostly(UNSHIFTED, SHIFTS == 0.0)
        near = np.exp(-0.5 * ((self._places - here) * px / 0.7) ** 2) + 1e-9
        joint = self._shifts[:, None, None] * self._speeds[:, None] * near
        self._joint: Array = joint / joint.sum()

    def see(self, seconds: float, here: float, reading: float) -> None:
        """Take in the next picture.

        Args:
            seconds: Time since the last one [s].
            here: Where the lens was focused [1/m, in the map's units].
            reading: Logarithm of the blur; NaN where the object was not seen.
        """
        self._joint = self._moved(seconds)
        if not np.isfinite(reading):
            return
        radius = np.abs(self._places - here) * self._lens.px_per_dioptre
        expected = np.interp(radius, self._radii, self._excess)
        width = np.hypot(NOISE, SLOPE * expected)
        apart = (reading - self._reading - SHIFTS[:, None] - expected) / width
        likely = (1.0 - MISTAKEN) * np.exp(-0.5 * apart**2) / width + MISTAKEN
        joint = self._joint * likely[:, None, :]
        self._joint = joint / joint.sum()

    def relit(self) -> None:
        """The picture has another brightness for good, so the reading may have shifted."""
        self._joint = _reshifted(_mostly(RELIT, SHIFTS == 0.0), self._joint)

    def aim(self, here: float, ahead: float) -> Aim:
        """Where the object will be.

        Args:
            here: Where the lens is focused [1/m, in the map's units].
            ahead: How far in the future [s].
        """
        chances = self._moved(ahead).sum(axis=(0, 1))
        step, half = STEP_PX / self._lens.px_per_dioptre, round(REACH_PX / STEP_PX)
        sums = np.concatenate([[0.0], np.cumsum(chances)])
        at = np.arange(len(chances))
        ends = np.maximum(at - half, 0), np.minimum(at + half + 1, len(chances))
        near = sums[ends[1]] - sums[ends[0]]
        best = int(near.argmax())
        now = int(np.clip(round((here - self._places[0]) / step), 0, len(chances) - 1))
        window = slice(int(ends[0][best]), int(ends[1][best]))
        mean = float(chances[window] @ self._places[window] / chances[window].sum())
        return Aim(mean, float(near[best]), float(near[now]))

    @property
    def speed(self) -> float:
        """Expected speed away from the camera [m/s]."""
        return float(self._joint.sum(axis=(0, 2)) @ SPEEDS)

    def _moved(self, seconds: float) -> Array:
        """The posterior so much later, without a picture."""
        places = places_after(self._places, SPEEDS, np.array([seconds]), self._lens.scale, _NEAREST_M)
        joint = carried(self._joint, self._places, places, self._anywhere)
        spread = min(0.25, 0.5 * (DRIFT_PX / STEP_PX) ** 2 * seconds)
        edged = np.pad(joint, ((0, 0), (0, 0), (1, 1)), mode="edge")
        joint = (1.0 - 2.0 * spread) * joint + spread * (edged[..., 2:] + edged[..., :-2])
        keeps = np.exp(-LOST * seconds)
        joint = keeps * joint + (1.0 - keeps) * joint.mean(axis=2, keepdims=True)
        keeps = np.exp(-CHANGES * seconds)
        joint = keeps * joint + (1.0 - keeps) * joint.sum(axis=1, keepdims=True) * self._speeds[:, None]
        keeps = np.exp(-SHIFTED * seconds)
        joint = keeps * joint + (1.0 - keeps) * _reshifted(self._shifts, joint)
        result: Array = joint / joint.sum()
        return result


def _reshifted(chances: Array, joint: Array) -> Array:
    """A posterior as if the shift had just been drawn."""
    result: Array = joint.sum(axis=0) * chances[:, None, None]
    return result


def _mostly(chance: float, one: NDArray[np.bool_]) -> Array:
    """A distribution that gives one case this chance, and all others the rest evenly."""
    result: Array = np.where(one, chance, (1.0 - chance) / (len(one) - 1))
    return result
