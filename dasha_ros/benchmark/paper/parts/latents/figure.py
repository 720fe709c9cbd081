"""The figures of the latents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.benchmark.paper.drawing import LOOKS, new_figure
from dasha_ros.benchmark.paper.part import Data

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FOUND, _MISSED = (LOOKS[0][0], "s", "found"), (LOOKS[5][0], "x", "missed")
"""Colour, marker and name."""
_DENSE = 500
"""From so many points on they are drawn smaller."""


def draw_plane(data: Data) -> Figure:
    """The plane of the principal components: a row for each detector, off and on."""
    at = np.array(data["plane"])
    low, high = at.min(axis=0), at.max(axis=0)
    margin = 0.15 * np.maximum(high - low, 1e-6)
    figure, panels = _panels(data)
    panels[0][0].set_xlim(low[0] - margin[0], high[0] + margin[0])
    panels[0][0].set_ylim(low[1] - margin[1], high[1] + margin[1])
    for i, (name, found) in enumerate(data["found"].items()):
        lines = data["boundaries"][name]
        for j, when in enumerate(("off", "on")):
            axes: Axes = panels[i][j]
            _dots(axes, at[:, 0], at[:, 1], np.array(found[when]))
            _line(axes, at, lines["off"], "--" if when == "on" else "-")
            if when == "on":
                _line(axes, at, lines["on"], "-")
                _arrow(axes, at, lines)
            axes.set_xlabel(f"component 1 ({100 * data['shares'][0]:.0f} % of the variance)")
            if j == 0:
                axes.set_ylabel(f"component 2 ({100 * data['shares'][1]:.0f} %)")
    return figure


def draw_settings(data: Data) -> Figure:
    """The same over exposure and focus."""
    focus, exposure = np.meshgrid(data["focus_d"], data["exposures_us"], indexing="ij")
    figure, panels = _panels(data)
    for i, found in enumerate(data["found"].values()):
        for j, when in enumerate(("off", "on")):
            axes: Axes = panels[i][j]
            _dots(axes, exposure.ravel() / 1e3, focus.ravel(), np.array(found[when]))
            axes.set_xscale("log")
            axes.set_xlabel("exposure at the start [ms]")
            if j == 0:
                axes.set_ylabel("focus at the start [1/m]")
    return figure


def _panels(data: Data) -> tuple[Figure, Any]:
    names = list(data["found"])
    figure = new_figure(9.5, 0.6 + 3.1 * len(names))
    panels = figure.subplots(len(names), 2, sharex=True, sharey=True, squeeze=False)
    for i, name in enumerate(names):
        for j, when in enumerate(("off", "on")):
            share = 100 * float(np.mean(data["found"][name][when]))
            panels[i][j].set_title(f"{name}, DASHA {when}: {share:.0f} % found", fontsize="medium")
            panels[i][j].tick_params(labelbottom=True)
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linestyle="", color=colour, marker=marker, label=label)
        for colour, marker, label in (_FOUND, _MISSED)
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return figure, panels


def _dots(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], found: NDArray[np.bool_]) -> None:
    size = 5.0 if len(x) > _DENSE else 22.0
    # The rarer ones last, so that they are seen.
    kinds = sorted(((_MISSED, ~found), (_FOUND, found)), key=lambda kind: -int(kind[1].sum()))
    for (colour, marker, _), which in kinds:
        # As pixels: thousands of shapes would make the page slow.
        axes.scatter(
            x[which], y[which], s=size, color=colour, marker=marker, linewidths=0.8, alpha=0.8,
            rasterized=True,
        )  # fmt: skip
    axes.grid(alpha=0.3)


def _line(axes: Axes, at: NDArray[np.float64], line: Data, style: str) -> None:
    """The boundary across the whole panel."""
    across = np.array(line["direction"])
    along = np.array([-across[1], across[0]])
    foot, far = across * line["place"], 4.0 * float(np.abs(at).max())
    ends = np.stack([foot - far * along, foot + far * along])
    axes.plot(
        ends[:, 0], ends[:, 1], color="black", linewidth=1.6, linestyle=style, scalex=False, scaley=False
    )


def _arrow(axes: Axes, at: NDArray[np.float64], lines: Data) -> None:
    """From the boundary of off to that of on, at the height of the middle of the dots."""
    across = np.array(lines["off"]["direction"])
    along = np.array([-across[1], across[0]])
    middle = along * float(np.median(at @ along))
    begin, end = (middle + across * lines[when]["place"] for when in ("off", "on"))
    if np.hypot(*(end - begin)) > 0.0:
        axes.annotate(
            "", xy=tuple(end), xytext=tuple(begin),
            arrowprops={"arrowstyle": "-|>", "color": "black", "linewidth": 1.6},
        )  # fmt: skip
