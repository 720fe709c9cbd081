"""The figure of the learning curves: four panels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from dasha_ros.benchmark.paper.drawing import LOOKS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BINS_A_DECADE = 12
"""Points of a loss between two powers of ten of steps."""
_TICKS = tuple(step * 10**power for power in (-1, 0, 1, 2, 3) for step in (1, 2, 5))


def draw_curves(methods: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> Figure:
    """Success, scaled return, A^H's success, and scaled loss against steps.

    Args:
        methods: Summed up over seeds; points are steps, mean, least, most.
        titles: Titles of the methods, by name.
    """
    figure = new_figure(10.0, 6.4)
    (success, returns), (exposed, losses) = figure.subplots(2, 2)
    for row, look in zip(methods, LOOKS, strict=False):
        label = titles[row["method"]]
        _curve(success, row["focus"]["within_2px"], look, 100.0, label)
        _curve(returns, _ranged(row["focus"]["reward"]), look)
        _curve(exposed, row["exposure"]["well_exposed"], look, 100.0)
        _curve(losses, _binned(row["loss"]), look)
    success.set_ylabel("A^L or rival: within 2 px [%]")
    returns.set_ylabel("return, of its own range (0 to 1)")
    exposed.set_ylabel("A^H: well exposed [%]")
    losses.set_ylabel("loss, of its greatest (0 to 1)")
    losses.set_title("inset of the losses", fontsize="medium")
    for axes in (success, exposed):
        axes.set_ylim(-5, 105)
    for axes in (success, returns, exposed, losses):
        _steps_axis(axes)
        axes.grid(alpha=0.3)
    figure.legend(*success.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def _binned(points: Sequence[Sequence[float]]) -> list[list[float]]:
    """Means of neighbouring points, evenly along a logarithmic axis: updates alone hide how a loss goes."""
    bins: dict[int, list[Sequence[float]]] = {}
    for point in points:
        if point[0] > 0:
            bins.setdefault(math.floor(BINS_A_DECADE * math.log10(point[0])), []).append(point)
    return [[fmean(values) for values in zip(*held, strict=True)] for _, held in sorted(bins.items())]


def _steps_axis(axes: Any) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xlabel("thousand steps of training")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(_TICKS))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _curve(
    axes: Any,
    points: Sequence[Sequence[float]],
    look: tuple[str, str, Any],
    scale: float = 1.0,
    label: str = "",
) -> None:
    # Before the first step there is nothing that a logarithm shows.
    held = [point for point in points if point[0] > 0]
    if not held:
        return
    steps = [point[0] / 1e3 for point in held]
    mean, least, most = ([scale * point[i] for point in held] for i in (1, 2, 3))
    colour, marker, line = look
    axes.plot(
        steps, mean, color=colour, marker=marker, markersize=4, markevery=max(1, len(held) // 8),
        linestyle=line, label=label,
    )  # fmt: skip
    axes.fill_between(steps, least, most, color=colour, alpha=0.12, linewidth=0)


def _ranged(points: Sequence[Sequence[float]]) -> list[list[float]]:
    """Points scaled so that the least of all seeds is 0 and the greatest is 1."""
    if not points:
        return []
    low, high = min(point[2] for point in points), max(point[3] for point in points)
    span = (high - low) or 1.0
    return [[steps, *((value - low) / span for value in values)] for steps, *values in points]
