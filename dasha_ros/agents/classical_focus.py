"""A^L without learning: a coarse-to-fine search that looks where the reward looks.

Whole-frame contrast and BRISQUE choose whatever has the most texture, often the background
(with two depths: always). Eq. 8 asks for the detection first and for quality second, and so
does this search: it follows each detected object through a coarse sweep of the focus range,
takes the one with the best score, and focuses on the sharpness inside that object's box.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

from dasha_ros.agents.policy import FocusTask
from dasha_ros.agents.scan import (
    ScriptedFocus,
    Search,
    focus_stops,
    from_nearest_end,
    peak_volts,
    volts_of_blur,
)
from dasha_ros.agents.tracks import Track, Tracker
from dasha_ros.perception.percept import Percept

COARSE_PX = 2.5
"""Blur between two stops of the sweep: every depth passes within 1.25 px of sharp, where even an
object that is detected only up to 2 px of blur is found."""
FINE_PX = 1.0
"""Blur between two stops around an object that was seen at too few coarse ones."""
MAX_FINE_LOOKS = 5
RESOLUTION_PX = 0.3
"""Corrections smaller than this are not made."""
MAX_CORRECTIONS = 3
"""Looks spent on closing in on a peak."""
MAX_SETTLING_MOVES = 3
"""Places tried again when the object is not seen at the peak, or not in the quality asked for."""
MAX_TRACKS = 3
"""Objects tried after each sweep, best score first."""
HINT_SHARE = 0.5
"""Detections from this share of ``min_score`` up are followed; only ``min_score`` ends the search."""
FALLEN = 0.6
"""An object is past its focus when its box has less than this share of its best sharpness."""
LOOKS_PAST = 2
"""Stops in a row that must be past the focus before the sweep ends early."""
SURE_SCORE = 0.5
"""Least score for an early end: below it, the rest of the range may hold the real object."""


class CoarseToFineFocus(ScriptedFocus):
    """Sweeps the focus range from its nearest end, closes in on the object, looks once more.

    If the first sweep finds nothing, a second one on the way back looks between its stops.
    """

    name = "coarse_to_fine"

    def search(self, task: FocusTask, first: Percept) -> Search:
        """See the class."""
        tracker = Tracker(task.labels, HINT_SHARE * task.min_score)
        tracker.add(first)
        tried: list[Track] = []
        for phase in (0.0, 0.5):
            stops = from_nearest_end(focus_stops(task.lens, COARSE_PX, phase), tracker.volts)
            for i, volts in enumerate(stops):
                tracker.add((yield volts))
                if _passed(tracker, stops[: i + 1], task):
                    break
            fresh = [track for track in tracker.ranked() if not any(track is t for t in tried)]
            for track in fresh[:MAX_TRACKS]:
                tried.append(track)
                yield from _close_in(track, tracker, task)
                if (yield from _settle(track, tracker, task)):
                    return True
        return False


def _passed(tracker: Tracker, stops: Sequence[float], task: FocusTask) -> bool:
    """Whether the sweep has seen the best object come into focus and leave it again."""
    if not task.labels or not tracker.tracks or len(stops) <= LOOKS_PAST:
        return False  # Any object: the one with the best score may still come.
    track = tracker.ranked()[0]
    if track.score < max(task.min_score, SURE_SCORE):
        return False
    sharpest = track.sharpest()
    sharpness = {look.volts: look.detection.sharpness for look in track.looks}

    def is_past(volts: float) -> bool:
        return sharpness.get(volts, 0.0) < FALLEN * sharpest.detection.sharpness

    rose = sharpest.volts != stops[0]
    return rose and all(is_past(volts) for volts in stops[-LOOKS_PAST:])


def _close_in(track: Track, tracker: Tracker, task: FocusTask) -> Generator[float, Percept, None]:
    """Move to the peak of the sharpness inside one object's box."""
    for _ in range(MAX_FINE_LOOKS):
        volts = _unseen_side(track, tracker, task)
        if volts is None:
            break
        tracker.add((yield volts))
    for _ in range(MAX_CORRECTIONS):
        target = peak_volts([(look.volts, look.detection.sharpness) for look in track.focus_looks()])
        if abs(target - tracker.volts) <= volts_of_blur(task.lens, target, RESOLUTION_PX):
            return
        tracker.add((yield _clip(target, task)))


def _unseen_side(track: Track, tracker: Tracker, task: FocusTask) -> float | None:
    """Volts beside the sharpest look where nobody has looked yet; ``None`` when its peak is certain.

    Neighbours at coarse stops are near enough where the object was seen at both of them: a parabola
    finds the peak between. Where it was lost, only a fine stop tells which side is sharper.
    """
    peak = track.sharpest().volts
    coarse, fine = (volts_of_blur(task.lens, peak, px) for px in (COARSE_PX, FINE_PX))
    offsets = [look.volts - peak for look in track.focus_looks()]
    if any(0 < d <= 1.5 * coarse for d in offsets) and any(0 < -d <= 1.5 * coarse for d in offsets):
        return None
    side = 1.0 if tracker.volts >= peak else -1.0
    for step in (side * fine, -side * fine):
        volts = _clip(peak + step, task)
        if volts != peak and not any(0.0 < (v - peak) / step <= 1.5 for v in tracker.visited):
            return volts
    return None


def _settle(track: Track, tracker: Tracker, task: FocusTask) -> Generator[float, Percept, bool]:
    """Rest where the object is seen, in the quality asked for if that is near; whether it is seen."""
    peak = track.sharpest().volts
    reach = volts_of_blur(task.lens, peak, COARSE_PX)
    tried = {tracker.volts}
    while True:
        look = tracker.newest_look(track)
        seen = look is not None and look.detection.score >= task.min_score
        if look is not None and seen and look.brisque <= task.max_brisque:
            return True
        rest = [
            other
            for other in track.focus_looks()
            if other.volts not in tried and other.detection.score >= task.min_score
        ]
        good = [x for x in rest if x.brisque <= task.max_brisque and abs(x.volts - peak) <= reach]
        options = good if seen else good or rest
        if not options or len(tried) > MAX_SETTLING_MOVES:
            return seen
        target = max(options, key=lambda other: other.detection.sharpness).volts
        tried.add(target)
        tracker.add((yield target))


def _clip(volts: float, task: FocusTask) -> float:
    return min(max(volts, task.lens.volts_min), task.lens.volts_max)
