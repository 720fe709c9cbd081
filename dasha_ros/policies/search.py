"""The common part of focus searches: stops, peaks, and searches written as generators."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence

from dasha_ros.optics.lens import LensModel
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.policy import FocusDecision, FocusTask

NEAREST_M = 0.25
"""Nearest distance worth searching [m]."""
MARGIN_DIOPTRES = 0.3
"""How far a search goes beyond infinity and `NEAREST_M`: six kelvin of drift at 0.05 D/K."""

Search = Generator[float, Percept, bool]
"""Yields positions, receives the percepts that answer, and returns whether the object was found."""


class ScriptedFocus(ABC):
    """A focus policy written as one generator: each ``yield`` is a move and returns its percept."""

    name: str

    def __init__(self) -> None:
        self._task: FocusTask | None = None
        self._search: Search | None = None

    def reset(self, task: FocusTask) -> None:
        """Begin a new episode."""
        self._task, self._search = task, None

    def act(self, percept: Percept) -> FocusDecision:
        """Decide from the percept that answers the last command.

        Raises:
            RuntimeError: `reset` was not called for this episode.
        """
        if self._task is None:
            raise RuntimeError("act before reset: a policy needs a task for every episode")
        try:
            if self._search is None:
                self._search = self.search(self._task, percept)
                return FocusDecision(next(self._search))
            return FocusDecision(self._search.send(percept))
        except StopIteration as stop:
            self._task = None
            return FocusDecision(percept.lens.commanded_position, done=True, found=bool(stop.value))

    @abstractmethod
    def search(self, task: FocusTask, first: Percept) -> Search:
        """The search; ``first`` is the percept before any move."""


def search_range(lens: LensModel) -> tuple[float, float]:
    """Positions, ascending, between which the lens focuses from infinity to `NEAREST_M`, with a margin."""
    low, high = lens.focus_range(NEAREST_M)
    step = MARGIN_DIOPTRES if lens.dioptres(high) > lens.dioptres(low) else -MARGIN_DIOPTRES
    return lens.position(lens.dioptres(low) - step), lens.position(lens.dioptres(high) + step)


def focus_stops(lens: LensModel, blur_step_px: float, phase: float = 0.0) -> tuple[float, ...]:
    """Positions, ascending, that step through the focus range in equal steps of defocus.

    Steps are equal in dioptres, so an object at any depth comes within half a step of being sharp.

    Args:
        lens: Tells range and blur.
        blur_step_px: Largest change of the blur radius from stop to stop [px of a 640-px image].
        phase: Shifts the stops by this share of a step, 0..1. With 0 both ends are stops.
    """
    low, high = search_range(lens)
    at_low, at_high = lens.dioptres(low), lens.dioptres(high)
    px = abs(lens.blur_px(at_high, at_low))
    steps = max(1, math.ceil(px / blur_step_px))
    stops = [
        lens.position(at_low + (at_high - at_low) * (i + phase) / steps)
        for i in range(steps + 1)
        if i + phase <= steps
    ]
    # Round numbers may lie just beyond an end that is none.
    return tuple(sorted({min(max(round(v, 3), low), high) for v in stops}))


def travel_of_blur(lens: LensModel, at: float, blur_px: float) -> float:
    """How far to move from ``at`` to change the blur radius by ``blur_px`` [px of a 640-px image]."""
    per_dioptre = abs(lens.blur_px(1.0, 0.0))
    there = lens.position(lens.dioptres(at) + blur_px / per_dioptre)
    back = lens.position(lens.dioptres(at) - blur_px / per_dioptre)
    return max(abs(there - at), abs(back - at))


def from_nearest_end(stops: Sequence[float], position: float) -> tuple[float, ...]:
    """``stops`` in the order that begins at the end nearest to ``position``."""
    ordered = tuple(stops)
    return ordered if abs(position - ordered[0]) <= abs(position - ordered[-1]) else ordered[::-1]


def peak_position(points: Sequence[tuple[float, float]]) -> float:
    """Where a sharpness curve has its peak, from the best point and its two neighbours.

    Away from focus, a gradient energy falls with a power of the blur between one and two. Over the lens's
    position, 1/sqrt(sharpness) is therefore a V whose sides have the same slope, that of the steeper pair of
    points (equiangular line fit). A parabola in log sharpness is as good between near points, but up to 0.7
    px off between stops 5 px apart. If the best point is at an end, it is the peak.

    Args:
        points: (position, sharpness), at least one, in any order.
    """
    ordered = sorted(points)
    best = max(range(len(ordered)), key=lambda i: ordered[i][1])
    if not 0 < best < len(ordered) - 1:
        return ordered[best][0]
    (x0, y0), (x1, y1), (x2, y2) = (
        (position, 1.0 / math.sqrt(max(sharpness, 1e-12)))
        for position, sharpness in ordered[best - 1 : best + 2]
    )
    left, right = (y0 - y1) / (x1 - x0), (y2 - y1) / (x2 - x1)
    if max(left, right) <= 0.0:
        return x1
    if left > right:
        return (x1 + x2) / 2.0 - (y2 - y1) / (2.0 * left)
    return (x0 + x1) / 2.0 + (y0 - y1) / (2.0 * right)
