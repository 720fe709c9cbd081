"""Whole-frame contrast autofocus: what cameras do that don't know what is looked for.

A coarse scan in 1 V and a fine one in 0.25 V around its maximum, on the normalised Tenengrad
of the whole frame (Krotkov 1987; normalised by the squared mean, so that exposure drops out).
"""

from __future__ import annotations

from dasha_ros.perception.percept import Percept
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.search import ScriptedFocus, Search, from_nearest_end, peak_volts, search_range

COARSE_V = 1.0
FINE_V = 0.25
FINE_LOOKS = 7
"""From 0.75 V below to 0.75 V above the coarse maximum."""


class ContrastFocus(ScriptedFocus):
    """Goes where the whole frame has most contrast.

    Detections never steer it; they only tell whether the object happens to be there at the end.
    """

    name = "contrast"

    def search(self, task: FocusTask, first: Percept) -> Search:
        """See the class."""
        low, high = search_range(task.lens)
        steps = max(1, round((high - low) / COARSE_V))
        coarse = [low + (high - low) * i / steps for i in range(steps + 1)]
        here = first.lens.commanded_volts
        sharpness: dict[float, float] = {}
        for volts in from_nearest_end(coarse, here):
            sharpness[volts] = (yield volts).sharpness
            here = volts
        peak = max(sharpness, key=sharpness.__getitem__)
        fine = [peak + (i - FINE_LOOKS // 2) * FINE_V for i in range(FINE_LOOKS)]
        fine = [volts for volts in fine if task.lens.volts_min <= volts <= task.lens.volts_max]
        sharpness = {}
        for volts in from_nearest_end(fine, here):
            sharpness[volts] = (yield volts).sharpness
        last = yield peak_volts(tuple(sharpness.items()))
        return bool(last.of(task.labels, task.min_score))
