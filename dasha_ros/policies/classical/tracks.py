"""The memory of a focus search: one track for each object, over all lens positions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from dasha_ros.perception.percept import Detection, Percept, iou

SAME_OBJECT_IOU = 0.3
"""Boxes of one label with at least this overlap are the same object: blur only moves a box's edges."""
NEAR_BEST_SCORE = 0.6
"""A look counts for focus when its score reaches this share of the track's best.

The best score is often reached at 1.5 px of blur or more, so it can't choose the focus alone. But a box
with a weak score may be wrong, and sharp at the wrong depth.
"""


@dataclass(frozen=True, slots=True)
class Look:
    """One detection of one object at one lens position."""

    index: int
    """Number of the percept in the search."""
    position: float
    detection: Detection
    brisque: float


@dataclass(slots=True)
class Track:
    """The looks at one object."""

    looks: list[Look] = field(default_factory=list)

    @property
    def score(self) -> float:
        """The best score so far."""
        return max(look.detection.score for look in self.looks)

    def focus_looks(self) -> list[Look]:
        """The looks that count for focus, by position; the newest one at each position."""
        least = NEAR_BEST_SCORE * self.score
        by_position = {look.position: look for look in self.looks if look.detection.score >= least}
        return [by_position[position] for position in sorted(by_position)]

    def sharpest(self) -> Look:
        """The look at which the object's box is sharpest."""
        return max(self.focus_looks(), key=lambda look: look.detection.sharpness)

    def overlap(self, detection: Detection) -> float:
        """IoU with the newest box of the same label, 0 for another label."""
        newest = self.looks[-1].detection
        return iou(newest.box, detection.box) if newest.label == detection.label else 0.0


class Tracker:
    """Joins the detections of a search into tracks."""

    def __init__(self, labels: Iterable[str], min_score: float) -> None:
        """Follow ``labels`` (empty: all) from ``min_score`` up."""
        self._labels = frozenset(labels)
        self._min_score = min_score
        self.tracks: list[Track] = []
        self.visited: list[float] = []
        """The lens position of each percept."""

    def add(self, percept: Percept) -> None:
        """Add the detections of a percept, best score first, each to the track that it overlaps most."""
        self.visited.append(percept.lens.commanded_position)
        taken: set[int] = set()
        for detection in percept.of(self._labels, self._min_score):
            free = [t for t in self.tracks if id(t) not in taken]
            track = max(free, key=lambda t: t.overlap(detection), default=None)
            if track is None or track.overlap(detection) < SAME_OBJECT_IOU:
                track = Track()
                self.tracks.append(track)
            track.looks.append(Look(len(self.visited), self.position, detection, percept.brisque))
            taken.add(id(track))

    @property
    def position(self) -> float:
        """The lens position of the newest percept."""
        return self.visited[-1]

    def newest_look(self, track: Track) -> Look | None:
        """The object in the newest percept; ``None`` when it was not seen there."""
        newest = track.looks[-1]
        return newest if newest.index == len(self.visited) else None

    def ranked(self) -> list[Track]:
        """The tracks, best score first (paper, Fig. 6: the object with the highest score is focused)."""
        return sorted(self.tracks, key=lambda track: -track.score)
