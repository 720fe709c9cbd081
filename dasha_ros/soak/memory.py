"""Measures whether processes grow: the slope of their memory over goals."""

from __future__ import annotations

import numpy as np

LEAST_SAMPLES = 20
"""Fewer samples are not significant."""
WARM_UP = 5
"""The first goals of a process fill its caches and pools."""


class MemorySlope:
    """Collects the memory of processes after goals, and computes how fast they grow together."""

    def __init__(self) -> None:
        self._samples: dict[tuple[str, int], list[tuple[float, float]]] = {}

    def add(self, name: str, pid: int, goals: int, megabytes: float) -> None:
        """Add a sample: a process's memory after a number of goals. Another pid starts a new series."""
        self._samples.setdefault((name, pid), []).append((float(goals), megabytes))

    def per_1000_goals(self) -> tuple[float, float] | None:
        """Growth of all processes together and its standard error [MB in 1000 goals].

        A straight line is fitted to each process (least squares), without the first third of its samples, in
        which caches and pools fill. If a program's process was replaced, its longest-lived process counts.
        ``None`` if there are too few samples.
        """
        longest: dict[str, list[tuple[float, float]]] = {}
        for (name, _), samples in self._samples.items():
            kept = samples[max(WARM_UP, len(samples) // 3) :]
            if len(kept) >= LEAST_SAMPLES and len(kept) > len(longest.get(name, [])):
                longest[name] = kept
        if not longest:
            return None
        fits = [_slope(samples) for samples in longest.values()]
        total = sum(slope for slope, _ in fits)
        return 1000.0 * total, 1000.0 * float(np.hypot.reduce([error for _, error in fits]))


def _slope(samples: list[tuple[float, float]]) -> tuple[float, float]:
    goals, megabytes = np.array(samples).T
    centred = goals - goals.mean()
    spread = float(centred @ centred)
    if spread == 0.0:
        return 0.0, 0.0
    slope = float(centred @ megabytes) / spread
    rest = megabytes - megabytes.mean() - slope * centred
    return slope, float(np.sqrt(rest @ rest / max(1, len(goals) - 2) / spread))
