"""Measures whether processes grow: the slope of their memory over goals or lifecycle cycles."""

from __future__ import annotations

import numpy as np

LEAST_SAMPLES = 20
"""Fewer samples are not significant."""
WARM_UP = 5
"""The first goals of a process fill its caches and pools."""


class MemorySlope:
    """Collects the memory of processes after goals or cycles, and computes how fast they grow."""

    def __init__(self) -> None:
        self._samples: dict[tuple[str, int], list[tuple[float, float]]] = {}

    def add(self, name: str, pid: int, count: int, megabytes: float) -> None:
        """Add a sample: a process's memory after a count of goals. Another pid starts a new series."""
        self._samples.setdefault((name, pid), []).append((float(count), megabytes))

    def per_1000(self) -> tuple[float, float] | None:
        """Growth of all processes together and its standard error [MB in 1000 goals].

        ``None`` if there are too few samples.
        """
        if not (fits := self.of_each()):
            return None
        slopes, errors = np.array(list(fits.values())).T
        return float(slopes.sum()), float(np.hypot.reduce(errors))

    def of_each(self) -> dict[str, tuple[float, float]]:
        """Growth of each process and its standard error [MB in 1000 goals]; those with enough samples.

        A straight line is fitted (least squares), without the first third of the samples, in which caches and
        pools fill. If a program's process was replaced, its longest-lived process counts.
        """
        longest: dict[str, list[tuple[float, float]]] = {}
        for (name, _), samples in self._samples.items():
            kept = samples[max(WARM_UP, len(samples) // 3) :]
            if len(kept) >= LEAST_SAMPLES and len(kept) > len(longest.get(name, [])):
                longest[name] = kept
        return {name: _slope_per_1000(samples) for name, samples in longest.items()}


def _slope_per_1000(samples: list[tuple[float, float]]) -> tuple[float, float]:
    counts, megabytes = np.array(samples).T
    centred = counts - counts.mean()
    spread = float(centred @ centred)
    if spread == 0.0:
        return 0.0, 0.0
    slope = float(centred @ megabytes) / spread
    rest = megabytes - megabytes.mean() - slope * centred
    error = float(np.sqrt(rest @ rest / max(1, len(counts) - 2) / spread))
    return 1000.0 * slope, 1000.0 * error
