"""The full Tenengrad sweep: the reference that [12] needs before it can reward anything.

[12] X. Yu et al., "A robotic auto-focus system based on deep reinforcement learning", 2018: a
picture at every lens position, its focus measure, and the position with the greatest one.
"""

from __future__ import annotations

from dasha_ros.perception.percept import Percept
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.search import ScriptedFocus, Search, from_nearest_end, search_range

STEP_V = 0.1


class SweepFocus(ScriptedFocus):
    """Looks at every tenth of a volt of the focus range and returns to the sharpest."""

    name = "sweep"

    def __init__(self, step_volts: float = STEP_V) -> None:
        """``step_volts``: between two looks [V]."""
        super().__init__()
        if not step_volts > 0.0:
            raise ValueError(f"a sweep in steps of {step_volts!r} V never ends: give a positive number")
        self._step_volts = step_volts

    def search(self, task: FocusTask, first: Percept) -> Search:
        """See the class."""
        low, high = search_range(task.lens)
        steps = max(1, round((high - low) / self._step_volts))
        stops = [low + (high - low) * i / steps for i in range(steps + 1)]
        best_volts, best = low, -1.0
        for volts in from_nearest_end(stops, first.lens.commanded_volts):
            sharpness = (yield volts).sharpness
            if sharpness > best:
                best_volts, best = volts, sharpness
        last = yield best_volts
        return bool(last.of(task.labels, task.min_score))
