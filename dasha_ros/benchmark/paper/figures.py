"""The figure of the recall gained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dasha_ros.benchmark.paper.recall import Recall
from dasha_ros.benchmark.trials.intervals import Estimate

_LOOKS = {"off": ("#d55e00", "o", "--"), "on": ("#0072b2", "s", "-")}
"""Colour, marker and line; the two differ in all three, for grey paper and colour-blind readers."""


def draw_recall(found: Sequence[Recall], folder: Path) -> list[Path]:
    """Draw recall against defocus: a row of panels for each detector, a column for each light.

    Args:
        found: See `recall.summed_up`; only single cells are drawn.
        folder: Exists.

    Returns:
        ``recall.svg`` and ``recall.png``.

    Raises:
        OSError: The folder can't be written.
    """
    import matplotlib

    matplotlib.use("agg")
    from matplotlib.figure import Figure

    cells = [r for r in found if r.defocus_d is not None]
    detectors = list(dict.fromkeys(r.detector for r in cells))
    lights = sorted({r.illuminance_lx for r in cells if r.illuminance_lx is not None})
    side = 0.015 * max(r.defocus_d or 0.0 for r in cells)  # beside each other, so that both bars can be seen
    figure = Figure(figsize=(1.2 + 2.3 * len(lights), 0.9 + 2.0 * len(detectors)), layout="constrained")
    panels = figure.subplots(len(detectors), len(lights), sharex=True, sharey=True, squeeze=False)
    for i, detector in enumerate(detectors):
        for j, lux in enumerate(lights):
            axes = panels[i][j]
            mine = [r for r in cells if (r.detector, r.illuminance_lx) == (detector, lux)]
            for name, estimates, aside in (
                ("off", [r.off for r in mine], -side),
                ("on", [r.on for r in mine], side),
            ):
                steps = [(r.defocus_d or 0.0) + aside for r in mine]
                colour, marker, line = _LOOKS[name]
                axes.errorbar(
                    steps, [100 * e.mean for e in estimates], yerr=_reach(estimates), color=colour,
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
    written = [folder / "recall.svg", folder / "recall.png"]
    # The same numbers give the same file, and text stays text.
    with matplotlib.rc_context({"svg.hashsalt": "recall", "svg.fonttype": "none"}):
        figure.savefig(written[0], metadata={"Date": None})
        figure.savefig(written[1], dpi=130)
    return written


def _reach(estimates: Sequence[Estimate]) -> list[list[float]]:
    """Lengths of the error bars down and up [%]; none where there is no interval."""
    down = [100 * (e.mean - (e.mean if e.low is None else e.low)) for e in estimates]
    up = [100 * ((e.mean if e.high is None else e.high) - e.mean) for e in estimates]
    return [[max(0.0, value) for value in down], [max(0.0, value) for value in up]]
