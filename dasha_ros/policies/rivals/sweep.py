"""The full Tenengrad sweep: the reference that [12] needs to compute rewards.

[12] X. Yu et al., "A robotic auto-focus system based on deep reinforcement learning", 2018: a
picture at every lens position, its focus measure, and the position with the greatest one.
"""

from __future__ import annotations

from dasha_ros.optics.lens import travel
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.search import ScriptedFocus, Search, from_nearest_end, search_range

STEP_DIOPTRES = 0.031


class SweepFocus(ScriptedFocus):
    """Looks at every 0.28 px of blur of the focus range and returns to the sharpest."""

    name = "sweep"

    def __init__(self, step_dioptres: float = STEP_DIOPTRES) -> None:
        """``step_dioptres``: between two looks [1/m]."""
        super().__init__()
        if not step_dioptres > 0.0:
            raise ValueError(f"a sweep in steps of {step_dioptres!r} D never ends: give a positive number")
        self._step_dioptres = step_dioptres

    def search(self, task: FocusTask, first: Percept) -> Search:
        """See the class."""
        low, high = search_range(task.lens)
        steps = max(1, round((high - low) / travel(task.lens, self._step_dioptres)))
        stops = [low + (high - low) * i / steps for i in range(steps + 1)]
        best_position, best = low, -1.0
        for position in from_nearest_end(stops, first.lens.commanded_position):
            sharpness = (yield position).sharpness
            if sharpness > best:
                best_position, best = position, sharpness
        last = yield best_position
        return bool(last.of(task.labels, task.min_score))
