"""Hill climbing on the whole-frame contrast: uphill in long steps, back in shorter ones.

The rule-based search of consumer cameras (He, Zhou and Hong, "Modified fast climbing search
auto-focus algorithm", 2003, in its simplest form): continue while contrast grows; when it falls, turn round
with a third of the step; end with a fit through the peak.
"""

from __future__ import annotations

from collections.abc import Generator

from dasha_ros.perception.percept import Percept
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.search import ScriptedFocus, Search, peak_position, search_range, travel_of_blur

FIRST_STEP_PX = 9.0
"""Blur of the first step: about the half width of a contrast peak."""
LAST_STEP_PX = 2.5
"""Steps shorter than this are not made: the fit through the peak is better."""
SHRINK = 3.0


class HillClimbFocus(ScriptedFocus):
    """Climbs from the current position."""

    name = "hill_climb"

    def search(self, task: FocusTask, first: Percept) -> Search:
        """See the class."""
        low, high = search_range(task.lens)
        here = min(max(first.lens.commanded_position, low), high)
        sharpness = first.sharpness if here == first.lens.commanded_position else (yield here).sharpness
        seen = {here: sharpness}
        direction = 1.0 if here < (low + high) / 2.0 else -1.0
        step_px, failed = FIRST_STEP_PX, False
        while step_px >= LAST_STEP_PX:
            grew = yield from _climb(here, direction * travel_of_blur(task.lens, here, step_px), task, seen)
            here = max(seen, key=seen.__getitem__)
            direction = -direction
            if grew or failed:
                step_px, failed = step_px / SHRINK, False
            else:
                failed = True  # Downhill at once: try the other side with the same step.
        last = yield peak_position(tuple(seen.items()))
        return bool(last.of(task.labels, task.min_score))


def _climb(
    here: float, step: float, task: FocusTask, seen: dict[float, float]
) -> Generator[float, Percept, bool]:
    """Continue in steps of ``step`` while contrast grows; return whether it grew at all."""
    low, high = search_range(task.lens)
    grew = False
    while (position := round(min(max(here + step, low), high), 6)) not in seen:
        seen[position] = (yield position).sharpness
        if seen[position] <= seen[here]:
            return grew
        here, grew = position, True
    return grew
