"""Whole-frame contrast autofocus, as in cameras that don't know which object is wanted.

A coarse scan in 0.31 D and a fine one in a quarter of that around its maximum, on the normalised Tenengrad
of the whole frame (Krotkov 1987; normalised by the squared mean, so that exposure drops out).
"""

from __future__ import annotations

from dasha_ros.optics.lens import travel
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.search import ScriptedFocus, Search, from_nearest_end, peak_position, search_range

COARSE_DIOPTRES = 0.31
FINE_DIOPTRES = 0.0775
FINE_LOOKS = 7
"""From three fine steps below to three above the coarse maximum."""


class ContrastFocus(ScriptedFocus):
    """Goes to where the whole frame has the most contrast.

    Detections don't steer it; they only tell whether the object is detected at the end.
    """

    name = "contrast"

    def search(self, task: FocusTask, first: Percept) -> Search:
        """See the class."""
        low, high = search_range(task.lens)
        steps = max(1, round((high - low) / travel(task.lens, COARSE_DIOPTRES)))
        coarse = [low + (high - low) * i / steps for i in range(steps + 1)]
        here = first.lens.commanded_position
        sharpness: dict[float, float] = {}
        for position in from_nearest_end(coarse, here):
            sharpness[position] = (yield position).sharpness
            here = position
        peak = max(sharpness, key=sharpness.__getitem__)
        step = travel(task.lens, FINE_DIOPTRES)
        fine = [peak + (i - FINE_LOOKS // 2) * step for i in range(FINE_LOOKS)]
        fine = [position for position in fine if task.lens.position_min <= position <= task.lens.position_max]
        sharpness = {}
        for position in from_nearest_end(fine, here):
            sharpness[position] = (yield position).sharpness
        last = yield peak_position(tuple(sharpness.items()))
        return bool(last.of(task.labels, task.min_score))
