"""The figure of the recall gained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dasha_ros.benchmark.paper.drawing import LOOKS, new_figure, reach
from dasha_ros.benchmark.paper.parts.recall.measure import Recall

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ON, _OFF, *_ = LOOKS


def draw_recall(found: Sequence[Recall]) -> Figure:
    """Recall against defocus: a row of panels for each detector, a column for each light.

    Args:
        found: See `measure.summed_up`; only single cells are drawn.
    """
    cells = [r for r in found if r.defocus_d is not None]
    detectors = list(dict.fromkeys(r.detector for r in cells))
    lights = sorted({r.illuminance_lx for r in cells if r.illuminance_lx is not None})
    side = 0.015 * max(r.defocus_d or 0.0 for r in cells)  # beside each other, so that both bars can be seen
    figure = new_figure(1.2 + 2.3 * len(lights), 0.9 + 2.0 * len(detectors))
    panels = figure.subplots(len(detectors), len(lights), sharex=True, sharey=True, squeeze=False)
    for i, detector in enumerate(detectors):
        for j, lux in enumerate(lights):
            axes = panels[i][j]
            mine = [r for r in cells if (r.detector, r.illuminance_lx) == (detector, lux)]
            for name, estimates, aside, (colour, marker, line) in (
                ("off", [r.off for r in mine], -side, _OFF),
                ("on", [r.on for r in mine], side, _ON),
            ):
                steps = [(r.defocus_d or 0.0) + aside for r in mine]
                axes.errorbar(
                    steps, [100 * e.mean for e in estimates], yerr=reach(estimates, 100.0), color=colour,
                    marker=marker, linestyle=line, capsize=3, label=f"DASHA {name}",
                )  # fmt: skip
            axes.set_ylim(-5, 105)
            axes.grid(alpha=0.3)
            axes.set_title(f"{detector}, {lux:g} lx", fontsize="medium")
            if i == len(detectors) - 1:
                axes.set_xlabel("defocus at the start [1/m]")
            if j == 0:
                axes.set_ylabel("recall [%]")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure
