"""Which of the things in a picture a goal is about: those in a part of it, by priority, or the part itself.

Policies, rewards and verdicts see every picture through a `Choice`, so they need not know of any of this.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dasha_ros.estimation.detail_reading import object_detail
from dasha_ros.perception.percept import Box, Detection, Percept

REGION_LABEL = "region"
"""The label of a region that is itself the object."""
KEPT_SCORE = 0.5
"""Once an object was seen with this score, those of lower priority no longer count in the goal. Below it, it
may be a false alarm in the blur."""
LEAST_OVERLAP = 0.25
"""An object is in a region if they share at least so much of the smaller of the two."""
_FINE = slice(1, 3)
"""The sizes of detail that stand in for the sharpness of a region: the finest one is mostly noise."""


class SelectionError(ValueError):
    """A goal asks for something that can't be meant; the message says what, and what to do."""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the picture, as fractions of its width and height."""

    x_min: float
    y_min: float
    x_max: float
    y_max: float

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            SelectionError: They are no part of a picture.
        """
        if not all(0.0 <= edge <= 1.0 for edge in self.edges):  # NaN is outside, too.
            raise SelectionError(
                f"the region {self} leaves the picture: give x_min, y_min, x_max, y_max as fractions of its "
                "width and height, 0..1"
            )
        if not (self.x_min < self.x_max and self.y_min < self.y_max):
            raise SelectionError(
                f"the region {self} is empty: x_min must be less than x_max, and y_min less than y_max"
            )

    def __str__(self) -> str:
        """The four numbers."""
        return ", ".join(f"{edge:.3g}" for edge in self.edges)

    @classmethod
    def of(cls, edges: Sequence[float]) -> Region | None:
        """The region with these edges: x_min, y_min, x_max, y_max; ``None`` if all are zero.

        Raises:
            SelectionError: They are no part of a picture.
        """
        if len(edges) != 4:
            raise SelectionError(f"a region has four numbers (x_min, y_min, x_max, y_max), not {len(edges)}")
        return cls(*map(float, edges)) if any(edges) else None

    @property
    def edges(self) -> Box:
        """x_min, y_min, x_max, y_max."""
        return self.x_min, self.y_min, self.x_max, self.y_max

    def box(self, width: int, height: int) -> Box:
        """The region in pixels of an image of this size."""
        return self.x_min * width, self.y_min * height, self.x_max * width, self.y_max * height

    def holds(self, box: Box, width: int, height: int) -> bool:
        """Whether an object with this box, in pixels of an image of this size, is in the region."""
        return _overlap(box, self.box(width, height))


@dataclass(frozen=True, slots=True)
class Selection:
    """What counts in a picture, besides labels and scores."""

    region: Region | None = None
    """Only objects that overlap it count; ``None``: all of the picture."""
    itself: bool = False
    """Whether the region itself is the object, whatever is there. No detector is needed."""
    priorities: tuple[frozenset[str], ...] = ()
    """Groups of labels; objects of an earlier group come first. Labels in no group come last."""

    def __post_init__(self) -> None:
        """Check that there is a region where it is the object.

        Raises:
            SelectionError: There is none.
        """
        if self.itself and self.region is None:
            raise SelectionError("a region that is itself the object must be given")

    @classmethod
    def of_goal(
        cls,
        labels: Sequence[str],
        region: Region | None = None,
        *,
        any_object: bool = False,
        by_priority: bool = False,
    ) -> tuple[frozenset[str], Selection]:
        """The labels that count (empty: all), and the selection, of a goal with these fields.

        Args:
            labels: Canonical labels.
            region: A part of the picture, or ``None``.
            any_object: Every object that the detector knows counts; those of ``labels`` come first.
            by_priority: An object of an earlier label comes before one of a later label.
        """
        groups: tuple[frozenset[str], ...] = ()
        if by_priority:
            groups = tuple(frozenset({label}) for label in labels)
        elif any_object and labels:
            groups = (frozenset(labels),)
        itself = region is not None and not labels and not any_object
        return frozenset() if any_object else frozenset(labels), cls(region, itself, groups)

    def admits(self, box: Box, width: int, height: int) -> bool:
        """Whether a detection with this box, in pixels of an image of this size, is where it must be."""
        return not self.itself and (self.region is None or self.region.holds(box, width, height))

    def rank(self, label: str) -> int:
        """Place of a label in the order of priority, 0 first."""
        found = (rank for rank, group in enumerate(self.priorities) if label in group)
        return next(found, len(self.priorities))

    def counted(
        self, percept: Percept, labels: Iterable[str] = (), min_score: float = 0.0
    ) -> tuple[Detection, ...]:
        """What counts in a picture, the most wanted first.

        Args:
            percept: The picture.
            labels: Labels that count; empty: all.
            min_score: Least score.
        """
        width, height = percept.width, percept.height
        if self.region is not None and self.itself:
            return (_as_detection(percept, self.region),)
        found = tuple(d for d in percept.of(labels, min_score) if self.admits(d.box, width, height))
        return tuple(sorted(found, key=lambda d: self.rank(d.label))) if self.priorities else found

    def what(self, labels: Iterable[str]) -> str:
        """The object of a goal, for people."""
        if self.itself:
            return f"the region {self.region}"
        names = ", ".join(labels) or "any object"
        return f"{names} in the region {self.region}" if self.region else names


EVERYTHING = Selection()
"""All of the picture, no priorities."""


class Choice:
    """Sees the pictures of one goal: leaves only what counts, the most wanted first."""

    def __init__(self, selection: Selection, labels: frozenset[str], min_score: float) -> None:
        """Nothing seen yet; see `Selection.counted`."""
        self._selection, self._labels, self._min_score = selection, labels, min_score
        self._best = len(selection.priorities)
        """The best priority that was surely seen."""

    def __call__(self, percept: Percept) -> Percept:
        """The picture with only the detections that count.

        With priorities, the best one that is seen in the picture counts alone, or one that was surely seen
        before.
        """
        if self._selection == EVERYTHING:
            return percept
        found = self._selection.counted(percept, self._labels)
        if not self._selection.priorities:
            return replace(percept, detections=found)
        for detection in found:
            if detection.score >= KEPT_SCORE:
                self._best = min(self._best, self._selection.rank(detection.label))
        ranks = [self._selection.rank(d.label) for d in found if d.score >= self._min_score]
        best = min([self._best, *ranks])
        return replace(percept, detections=tuple(d for d in found if self._selection.rank(d.label) <= best))


def _as_detection(percept: Percept, region: Region) -> Detection:
    """A region as the object that a detector would have found there."""
    box = region.box(percept.width, percept.height)
    energies = np.exp(object_detail(percept.detail, np.array(region.edges))[_FINE])
    # Relative to the squared mean, as the sharpness of detections is: exposure drops out.
    sharpness = float(energies.sum()) / max(percept.mean_grey, 1.0) ** 2
    return Detection(REGION_LABEL, 1.0, box, sharpness if math.isfinite(sharpness) else 0.0)


def _overlap(a: Box, b: Box) -> bool:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0.0 or height <= 0.0:
        return False
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return width * height >= LEAST_OVERLAP * smaller
