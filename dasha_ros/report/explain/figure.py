"""The figure of a decision: the picture with what counted in it, and the belief before and after."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dasha_ros.files.errors import FileError
from dasha_ros.files.pictures import read_picture
from dasha_ros.report.explain.explanation import Explained
from dasha_ros.report.explain.words import NOTICED, headline
from dasha_ros.report.figures import new_figure
from dasha_ros.report.model import Record, ReportError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BEFORE, _AFTER = ("#0072b2", "-", "o"), ("#d55e00", "--", "s")
"""Colour, line and marker before the move, and after it."""


def draw(record: Record, folder: Path, now: Explained, after: Explained | None) -> Figure:
    """One decision.

    Args:
        record: The report.
        folder: Its folder, with the pictures.
        now: The decision.
        after: The decision that followed the next picture of the same agent; ``None`` after the last.

    Raises:
        ReportError: A picture is damaged.
    """
    has_belief = now.decided.belief is not None
    figure = new_figure(11.0 if has_belief else 5.6, 3.6)
    panels = figure.subplots(1, 2 if has_belief else 1, squeeze=False)[0]
    _picture(panels[0], folder, now)
    if has_belief:
        _belief(panels[1], record, now, after)
    return figure


def _picture(axes: Axes, folder: Path, now: Explained) -> None:
    step = now.step
    axes.set_title(headline(now), fontsize="medium")
    axes.set_xticks([])
    axes.set_yticks([])
    width, height = step.percept.width, step.percept.height
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_aspect("equal")
    if step.picture is not None:
        try:
            shown = read_picture(folder / Path(step.picture).name).rgb
        except FileError as error:
            raise ReportError(f"the picture {error}: copy the whole folder of the report") from error
        axes.imshow(shown, extent=(0, width, height, 0), interpolation="none")
    weights = now.weights
    if weights is None:
        axes.set_xlabel("the latent has no cells to cover")
        return
    most = float(weights.max())
    if most <= NOTICED:
        axes.set_xlabel("no single place decided")
        return
    rows, columns = weights.shape
    # Light veils what did not count, so that what counted is seen, also in grey.
    veil = np.ones((rows, columns, 4))
    veil[..., 3] = 0.75 * (1.0 - weights / most)
    axes.imshow(veil, extent=(0, width, height, 0), interpolation="nearest")
    for (row, column), weight in np.ndenumerate(weights):
        if weight > NOTICED:
            axes.text(
                (column + 0.5) * width / columns, (row + 0.5) * height / rows, _share(now, float(weight)),
                ha="center", va="center", fontsize="x-small",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85},
            )  # fmt: skip
    axes.set_xlabel(_meaning(now))


def _share(now: Explained, weight: float) -> str:
    return f"{100 * weight:.0f}" if now.decided.belief is not None else f"{weight:.2g}"


def _meaning(now: Explained) -> str:
    if now.decided.belief is not None:
        return "belief that goes elsewhere when a cell is covered [%]"
    unit = "stops" if now.step.agent == "A^H" else "1/m"
    return f"change of the decision when a cell is covered [{unit}]"


def _belief(axes: Axes, record: Record, now: Explained, after: Explained | None) -> None:
    if now.decided.done:
        named = [(now, _BEFORE, "belief when it stopped", "lens")]
    else:
        named = [(now, _BEFORE, "belief before the move", "lens before")]
        if after is not None:
            named.append((after, _AFTER, "belief after it", "lens after it"))
    low, high = now.decided.dioptres[[0, -1]] if now.decided.dioptres is not None else (0.0, 1.0)
    axes.set_xlim(low, high)
    for which, (colour, line, marker), belief, lens in named:
        if which.decided.belief is not None and which.decided.dioptres is not None:
            chances = 100 * which.decided.belief
            axes.plot(which.decided.dioptres, chances, color=colour, linestyle=line, label=belief)
        here = record.focus_dioptres(which.step)
        if here is not None:
            at = min(max(here, low), high)  # a lens that is focused far off is shown at the edge
            axes.plot([at], [0.0], color=colour, marker=marker, linestyle="", clip_on=False, label=lens)
    axes.set_xlabel("focus [1/m]")
    axes.set_ylabel("belief of each focus position [%]")
    axes.set_ylim(bottom=0.0)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
