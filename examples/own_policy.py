"""A focus policy of your own: look at evenly spaced positions, then go back to where the object was sharpest.

PYTHONPATH=examples dasha up --focus-policy own_policy:BestOfSweep    # then: dasha focus motorcycle
PYTHONPATH=examples python examples/evaluate_policy.py own_policy:BestOfSweep
"""

from __future__ import annotations

from dasha_ros.perception.percept import Percept
from dasha_ros.policies.policy import FocusDecision, FocusTask
from dasha_ros.policies.search import focus_stops

STEP_PX = 4.0
"""Blur radius between two stops [px of a 640-px image]: every depth passes within half of it."""


class BestOfSweep:
    """Implements `FocusPolicy`. One object plays many episodes, one after the other."""

    name = "best_of_sweep"

    def reset(self, task: FocusTask) -> None:
        """Begin an episode: forget the last one, and plan where to look."""
        self._task = task
        self._stops = list(focus_stops(task.lens, STEP_PX))
        self._sharpness: dict[float, float] = {}
        self._returning = False

    def act(self, percept: Percept) -> FocusDecision:
        """Decide from the percept that answers the last command: it is never older than that."""
        here = percept.lens.commanded_position
        seen = percept.of(self._task.labels, self._task.min_score)
        if self._returning:  # whatever we say, the loop checks that the object is detected now
            return FocusDecision(here, done=True, found=bool(seen))
        if seen:
            self._sharpness[here] = seen[0].sharpness  # inside the object's box, not of the whole frame
        if self._stops:
            return FocusDecision(self._stops.pop(0))
        if not self._sharpness:
            return FocusDecision(here, done=True, found=False)
        self._returning = True
        return FocusDecision(max(self._sharpness, key=lambda position: self._sharpness[position]))
