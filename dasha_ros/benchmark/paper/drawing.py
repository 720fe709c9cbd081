"""How figures look and how they are written: readable in grey, and for colour-blind readers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dasha_ros.benchmark.trials.intervals import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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


def new_figure(width_in: float, height_in: float) -> Figure:
    """An empty figure for the page [inch]; no window is opened."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib.figure import Figure

    return Figure(figsize=(width_in, height_in), layout="constrained")


def save(figure: Figure, name: str, folder: Path) -> list[Path]:
    """Write ``NAME.svg`` and ``NAME.png``. The same numbers give the same file, and text stays text.

    Raises:
        OSError: The folder can't be written.
    """
    import matplotlib

    written = [folder / f"{name}.svg", folder / f"{name}.png"]
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        figure.savefig(written[0], metadata={"Date": None})
        figure.savefig(written[1], dpi=130)
    return written


def reach(estimates: Sequence[Estimate], scale: float = 1.0) -> list[list[float]]:
    """Lengths of error bars down and up, times ``scale``; none where there is no interval."""
    down = [scale * (e.mean - (e.mean if e.low is None else e.low)) for e in estimates]
    up = [scale * ((e.mean if e.high is None else e.high) - e.mean) for e in estimates]
    return [[max(0.0, value) for value in down], [max(0.0, value) for value in up]]
