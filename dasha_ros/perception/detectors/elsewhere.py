"""A detector that runs in another program, which sends what it found."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.labels import canonical
from dasha_ros.perception.percept import Detection


class Elsewhere:
    """Stands in for a detector whose detections come with the picture; see `Perception.perceive`."""

    def __init__(self, name: str, labels: Sequence[str] = ()) -> None:
        """Name it.

        Args:
            name: Where the detections come from.
            labels: What it can find; empty: unknown.
        """
        self.id = name
        self.labels = tuple(dict.fromkeys(canonical(label) for label in labels))

    def detect(
        self, grey: NDArray[np.uint8], min_score: float = 0.1, labels: Collection[str] = ()
    ) -> list[Detection]:
        """Find nothing here."""
        return []
