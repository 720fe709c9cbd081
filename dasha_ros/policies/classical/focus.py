"""A^L without learning: a coarse-to-fine search that follows detected objects, as the reward does.

Whole-frame contrast and BRISQUE prefer whatever has the most texture, often the background (with two
depths: always). Eq. 8 pays for the detection first and for quality second. This search therefore follows
each detected object through a coarse sweep of the focus range, takes the one with the best score, and
focuses by the sharpness inside its box.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

from dasha_ros.perception.percept import Percept
from dasha_ros.policies.classical.tracks import Track, Tracker
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.search import (
    ScriptedFocus,
    Search,
    focus_stops,
    from_nearest_end,
    peak_position,
    travel_of_blur,
)

STEP_PX = 5.0
"""Blur between two stops of a sweep. Every depth passes within 2.5 px of sharp in the first sweep,
1.25 px in the second and 0.63 px in the third."""
FINE_PX = 1.5
"""Blur between two stops around an object that was seen at too few coarse ones."""
MAX_FINE_LOOKS = 5
RESOLUTION_PX = 0.5
"""Corrections smaller than this are not made."""
MAX_CORRECTIONS = 3
"""Greatest number of moves to close in on a peak."""
MAX_SETTLING_MOVES = 3
"""Greatest number of places that are tried again when the object is not seen well enough at the peak."""
QUALITY_REACH_PX = 2.5
"""Greatest distance of a place of better quality from the object's focus."""
MAX_TRACKS = 3
"""Greatest number of objects that are tried after each sweep, best score first."""
HINT_SHARE = 0.5
"""Detections from this share of ``min_score`` up are followed; only ``min_score`` ends the search."""
SURE_SCORE = 0.5
"""Least score that ends the search before every depth has passed within 1.25 px of sharp: below it,
the object may be a false alarm in the blur and the real one still to come."""
FALLEN = 0.6
"""An object is past its focus when its box has less than this share of its best sharpness."""


class CoarseToFineFocus(ScriptedFocus):
    """Sweeps the focus range in coarse steps and closes in on the wanted object.

    If the first sweep finds nothing certain, a second one, on the way back, looks between its stops, and a
    third one between the stops of both.
    """

    name = "coarse_to_fine"

    def search(self, task: FocusTask, first: Percept) -> Search:
        """See the class."""
        tracker = Tracker(task.labels, HINT_SHARE * task.min_score)
        tracker.add(first)
        closed: list[Track] = []
        for sweep in range(3):
            yield from _sweep(sweep, tracker, task)
            tried: list[Track] = []
            while len(tried) < MAX_TRACKS and (track := _next(tracker.ranked(), tried)):
                tried.append(track)
                if sweep == 0 and track.score < task.min_score:
                    continue  # The next sweep tells hints from noise more cheaply.
                if not _among(track, closed):
                    closed.append(track)
                    yield from _close_in(track, tracker, task)
                trusted = sweep > 0 or track.score >= _sure(task) or _unrivalled(track, tracker, task)
                if trusted and (yield from _settle(track, tracker, task)):
                    return True
        return False


def _sure(task: FocusTask) -> float:
    return max(task.min_score, SURE_SCORE)


def _among(track: Track, tracks: Sequence[Track]) -> bool:
    return any(track is other for other in tracks)


def _next(ranked: Sequence[Track], tried: Sequence[Track]) -> Track | None:
    return next((track for track in ranked if not _among(track, tried)), None)


def _sweep(sweep: int, tracker: Tracker, task: FocusTask) -> Generator[float, Percept, None]:
    """Visit the stops from the nearest end, until a certain object has come into focus and left it again."""
    stops = from_nearest_end(_stops(task, sweep), tracker.position)
    for count, position in enumerate(stops, start=1):
        tracker.add((yield position))
        if task.labels and _passed(tracker, stops[:count], _sure(task)):
            return


def _stops(task: FocusTask, sweep: int) -> tuple[float, ...]:
    """The stops of a sweep: on the grid, halfway between, or at the quarters."""
    if sweep < 2:
        return focus_stops(task.lens, STEP_PX, phase=0.5 * sweep)
    return focus_stops(task.lens, STEP_PX / 2.0, phase=0.5)


def _passed(tracker: Tracker, stops: Sequence[float], sure: float) -> bool:
    """Whether a sweep over ``stops`` has seen the best object come into focus and leave it again."""
    if not tracker.tracks or (track := tracker.ranked()[0]).score < sure:
        return False
    seen = {look.position: look.detection.sharpness for look in track.looks}
    sharpness = [seen.get(position, 0.0) for position in stops]
    best = max(sharpness)
    return sharpness[0] < best and sharpness[-1] < FALLEN * best


def _unrivalled(track: Track, tracker: Tracker, task: FocusTask) -> bool:
    """Whether an object came into focus and left it, and nothing else like it was seen at another depth."""
    looks, peak = track.looks, track.sharpest()
    lost = FALLEN * peak.detection.sharpness
    fallen = [look.position - peak.position for look in looks if look.detection.sharpness < lost]
    step = travel_of_blur(task.lens, peak.position, STEP_PX)
    return min(fallen, default=0.0) < 0.0 < max(fallen, default=0.0) and all(
        abs(other.sharpest().position - peak.position) <= step for other in tracker.tracks
    )


def _close_in(track: Track, tracker: Tracker, task: FocusTask) -> Generator[float, Percept, None]:
    """Move to the peak of the sharpness inside one object's box."""
    for _ in range(MAX_FINE_LOOKS):
        position = _unseen_side(track, tracker, task)
        if position is None:
            break
        tracker.add((yield position))
    for _ in range(MAX_CORRECTIONS):
        target = peak_position([(look.position, look.detection.sharpness) for look in track.focus_looks()])
        if abs(target - tracker.position) <= travel_of_blur(task.lens, target, RESOLUTION_PX):
            return
        tracker.add((yield _clip(target, task)))


def _unseen_side(track: Track, tracker: Tracker, task: FocusTask) -> float | None:
    """An unvisited position beside the sharpest look; ``None`` when the peak is certain.

    Coarse neighbours are near enough if the object was seen at both: `peak_position` interpolates. If it was
    lost at one, only a fine stop tells which side is sharper.
    """
    peak = track.sharpest().position
    coarse, fine = (travel_of_blur(task.lens, peak, px) for px in (STEP_PX, FINE_PX))
    offsets = [look.position - peak for look in track.focus_looks()]
    if any(0 < d <= 1.5 * coarse for d in offsets) and any(0 < -d <= 1.5 * coarse for d in offsets):
        return None
    side = 1.0 if tracker.position >= peak else -1.0
    for step in (side * fine, -side * fine):
        position = _clip(peak + step, task)
        if position != peak and not any(0.0 < (v - peak) / step <= 1.5 for v in tracker.visited):
            return position
    return None


def _settle(track: Track, tracker: Tracker, task: FocusTask) -> Generator[float, Percept, bool]:
    """Rest where the object is seen, in good quality if that is near; return whether it is seen."""
    peak = track.sharpest().position
    reach = travel_of_blur(task.lens, peak, QUALITY_REACH_PX)
    tried = {tracker.position}
    while True:
        look = tracker.newest_look(track)
        seen = look is not None and look.detection.score >= task.min_score
        if look is not None and seen and look.brisque <= task.max_brisque:
            return True
        rest = [
            other
            for other in track.focus_looks()
            if other.position not in tried and other.detection.score >= task.min_score
        ]
        good = [x for x in rest if x.brisque <= task.max_brisque and abs(x.position - peak) <= reach]
        options = good if seen else good or rest
        if not options or len(tried) > MAX_SETTLING_MOVES:
            return seen
        target = max(options, key=lambda other: other.detection.sharpness).position
        tried.add(target)
        tracker.add((yield target))


def _clip(position: float, task: FocusTask) -> float:
    return min(max(position, task.lens.position_min), task.lens.position_max)
