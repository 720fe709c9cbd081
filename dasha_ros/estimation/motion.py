"""An object that moves towards or away from the camera while it is searched.

The pictures of a goal are taken within a second or two. A person who walks past a robot moves by a depth of
field in this time, so that pictures that are all true contradict each other if the object stood still. Each
hypothesis is therefore a place at the first picture and a speed. (`estimation.focus_track` follows an object
after it was found, and knows speeds in the same way.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.profile import Array

SPEEDS = (-0.2, -0.1, -0.05, 0.05, 0.1, 0.2)
"""Speeds away from the camera that are told apart from standing still [m/s]."""
MOVES = 0.01
"""Prior probability that the object moves."""
LONGEST_S = 1.0
"""So much of the time between two pictures counts [s]: a clock may be set, and a goal may be held up."""
NEAREST_M = 0.3
"""Objects are searched from here on [m]. One that comes is expected to stop here: it is not searched nearer,
and whoever asked for it will mostly not let it come closer."""
_FLAT = 0.05
"""Beyond 20 m, and beyond infinity, no speed shows [1/m]."""


def places_after(
    dioptres: Array, speeds: Array, seconds: Array, scale: float, nearest_m: float = NEAREST_M
) -> Array:
    """Where objects are that were at each place some time before, shape (b, c, h).

    Args:
        dioptres: Where they were [1/m, in the map's units], shape (h,).
        speeds: Away from the camera [m/s], shape (c,).
        seconds: How long ago, for each episode [s], shape (b,).
        scale: How many units of the map a dioptre is (`LensMap.scale`).
        nearest_m: An object that comes stops here [m]; one that was nearer stays where it was.
    """
    before = dioptres / scale
    way = speeds[:, None] * seconds[:, None, None]
    at = 1.0 / np.maximum(before, _FLAT)
    distance = np.maximum(at + way, np.minimum(at, nearest_m))
    return np.where((before > _FLAT) & (way != 0.0), scale / distance, dioptres)


def carried(shares: Array, dioptres: Array, places: Array, prior: Array) -> Array:
    """Probabilities of places, after each place has moved to another one, shape (b, c, h).

    What has left the places is anywhere, as before anything was seen: it must not make one end likely.

    Args:
        shares: Probability of each case and place, shape (b, c, h).
        dioptres: The places, ascending and evenly spaced, shape (h,).
        places: Where each of them is by now, shape (b, c, h).
        prior: Log probability of each place before anything was seen, shape (h,).
    """
    count = len(dioptres)
    at: Array = (places - dioptres[0]) / (dioptres[1] - dioptres[0])
    kept = shares * ((at > -0.5) & (at < count - 0.5))
    lost: Array = (shares - kept).sum(axis=2, keepdims=True)
    at = np.clip(at, 0.0, count - 1.0)
    low: NDArray[np.intp] = np.minimum(at, count - 2).astype(np.intp)
    part: Array = at - low
    rows = np.arange(shares[..., 0].size).reshape((*shares.shape[:2], 1))
    cell = low + count * rows
    below = np.bincount(cell.ravel(), (kept * (1.0 - part)).ravel(), minlength=shares.size)
    above = np.bincount(cell.ravel() + 1, (kept * part).ravel(), minlength=shares.size)
    moved = np.asarray(below + above, np.float64).reshape(shares.shape)
    result: Array = moved + lost * np.exp(prior)
    return result


class Elapsed:
    """The time since the first picture of each episode of a batch, and until the next one."""

    def __init__(self, batch: int) -> None:
        """No picture yet."""
        self._last = np.full(batch, np.nan)
        self._seconds = np.zeros(batch)
        self._step = np.zeros(batch)

    def reset(self, rows: NDArray[np.intp]) -> None:
        """The next picture of these episodes is the first one."""
        self._last[rows], self._seconds[rows], self._step[rows] = np.nan, 0.0, 0.0

    def see(self, rows: NDArray[np.intp], taken_s: Array | None) -> Array:
        """The time of the next pictures, shape (b,); a clock that is set back adds nothing.

        Args:
            rows: Which episodes, shape (b,).
            taken_s: When the pictures were taken, by any clock [s], shape (b,). ``None``: nobody knows, so
                no time passed.
        """
        if taken_s is not None:
            step = np.clip(np.nan_to_num(taken_s - self._last[rows]), 0.0, LONGEST_S)
            self._seconds[rows] += step
            self._last[rows] = taken_s
            self._step[rows] = np.where(step > 0.0, step, self._step[rows])
        return self._seconds[rows]

    def ahead(self, rows: NDArray[np.intp]) -> Array:
        """The time until the next picture is expected, shape (b,) [s]: as long as between the last two.

        It is 0 after the first one, which tells no speed.
        """
        return self._step[rows]
