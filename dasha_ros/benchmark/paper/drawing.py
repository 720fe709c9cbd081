"""How figures look: readable in grey, and for colour-blind readers."""

from __future__ import annotations

from collections.abc import Sequence

from dasha_ros.benchmark.trials.intervals import Estimate
from dasha_ros.report.figures import new_figure, save

__all__ = ["LOOKS", "new_figure", "reach", "save"]
LOOKS = (
    ("#0072b2", "s", "-"),
    ("#d55e00", "o", "--"),
    ("#000000", "^", "-."),
    ("#009e73", "D", ":"),
    ("#cc79a7", "v", (0, (5, 1, 1, 1, 1, 1))),
    ("#e69f00", "P", (0, (3, 1))),
    ("#56b4e9", "X", (0, (1, 1))),
)
"""Colour (of Okabe and Ito), marker and line of the first, second, .. series: they differ in all three."""


def reach(estimates: Sequence[Estimate], scale: float = 1.0) -> list[list[float]]:
    """Lengths of error bars down and up, times ``scale``; none where there is no interval."""
    down = [scale * (e.mean - (e.mean if e.low is None else e.low)) for e in estimates]
    up = [scale * ((e.mean if e.high is None else e.high) - e.mean) for e in estimates]
    return [[max(0.0, value) for value in down], [max(0.0, value) for value in up]]
