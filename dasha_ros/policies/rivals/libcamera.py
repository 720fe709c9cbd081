"""The contrast scan of libcamera's Raspberry Pi autofocus, with its default numbers.

Idea and numbers come from the public sources (raspberrypi/libcamera,
``src/ipa/rpi/controller/rpi/af.cpp``).
Scan from infinity towards near in steps of 1 D until the contrast falls below 0.75
of its maximum; a parabola through the peak; from beyond it, back in steps of 0.25 D until the
contrast falls again (three to five looks); a second parabola; settle. It fails unless the final
contrast is at least 0.75 of the fine scan's maximum, and the least contrast at most 0.75 of it.

Left out are phase detection, which needs a sensor with phase pixels, and the frames that libcamera skips
after each step: the stale-frame rule replaces them, so every look takes one frame.
"""

from __future__ import annotations

from collections.abc import Generator

from dasha_ros.perception.percept import Percept
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.search import NEAREST_M, ScriptedFocus, Search

COARSE_D = 1.0
FINE_D = 0.25
CONTRAST_RATIO = 0.75
MAX_FINE_LOOKS = 5
RETRIGGER_RATIO = 0.75
RETRIGGER_FRAMES = 10
FARTHEST_D = 0.0
"""Infinity: where a scan begins."""

Points = list[tuple[float, float]]
"""Pairs of (dioptres, contrast)."""


class LibcameraFocus(ScriptedFocus):
    """Coarse scan, parabola, fine scan from the far side of the peak, parabola."""

    name = "libcamera"

    def search(self, task: FocusTask, first: Percept) -> Search:
        """See the class."""
        scan, percept = contrast_scan(), first
        at = next(scan)
        while True:
            percept = yield task.lens.position(at)
            try:
                at = scan.send(percept.sharpness)
            except StopIteration as end:
                return bool(end.value) and bool(percept.of(task.labels, task.min_score))


class LibcameraContinuous:
    """Its continuous mode without phase detection: a scan, then a new one when the contrast has changed.

    The contrast counts as changed when it differs from that of the last change by `RETRIGGER_RATIO`; the
    scan begins when it has been steady for `RETRIGGER_FRAMES` pictures.
    """

    def __init__(self, task: FocusTask) -> None:
        """Begin focused: no scan yet."""
        self._task = task
        self._scan: Generator[float, float, bool] | None = None
        self._known: float | None = None
        self._since = 0

    def act(self, percept: Percept, contrast: float) -> float:
        """Where the lens shall be.

        Args:
            percept: The newest picture.
            contrast: Its contrast, of the whole or of a window.
        """
        here = percept.lens.commanded_position
        if self._scan is not None:
            try:
                return self._task.lens.position(self._scan.send(contrast))
            except StopIteration:
                self._scan, self._known, self._since = None, contrast, 0
                return here
        if self._known is None:
            self._known = contrast
        if min(contrast, self._known) < RETRIGGER_RATIO * max(contrast, self._known):
            self._known, self._since = contrast, 1
        elif self._since:
            self._since += 1
        if self._since < RETRIGGER_FRAMES:
            return here
        self._scan = contrast_scan()
        return self._task.lens.position(next(self._scan))


def contrast_scan() -> Generator[float, float, bool]:
    """The scan: yields where to focus [1/m], receives the contrast there, returns whether it found a peak.

    The lens stays where the last look was.
    """
    nearest = 1.0 / NEAREST_M
    coarse: Points = []
    at = FARTHEST_D
    while True:
        coarse.append((at, (yield at)))
        if at >= nearest or coarse[-1][1] < CONTRAST_RATIO * _best(coarse):
            break
        at = min(at + COARSE_D, nearest)
    at = min(at, parabola_peak(coarse) + 2.0 * FINE_D)
    fine: Points = []
    while True:
        fine.append((at, (yield at)))
        if at <= FARTHEST_D or len(fine) >= MAX_FINE_LOOKS or fine[-1][1] < CONTRAST_RATIO * _best(fine):
            break
        at = max(at - FINE_D, FARTHEST_D)
    last = yield parabola_peak(fine)
    least = min(contrast for _, contrast in coarse + fine)
    enough = CONTRAST_RATIO * _best(fine)
    return last >= enough >= least


def _best(points: Points) -> float:
    return max(contrast for _, contrast in points)


def parabola_peak(points: Points) -> float:
    """The peak [1/m] of a parabola through the best point and its two neighbours; at an end, that point.

    Args:
        points: (dioptres, contrast), at least one, ordered by dioptres, either way.
    """
    i = max(range(len(points)), key=lambda k: points[k][1])
    if not 0 < i < len(points) - 1:
        return points[i][0]
    (x0, y0), (x1, y1), (x2, y2) = points[i - 1 : i + 2]
    before, after = (y1 - y0) / (x1 - x0), (y2 - y1) / (x2 - x1)
    if before == after:
        return x1
    return (x0 + x1) / 2.0 + before * (x2 - x0) / (2.0 * (before - after))
