"""The learning curve of a training run: its evaluations on validation views, as an SVG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dasha_ros.benchmark.table import SHARES, TITLES

COUNTS = ("moves_first", "moves_settled", "commands", "commands_from_bad")
"""What is counted; shares go into a panel of their own."""


def draw_curve(evaluations: Sequence[dict[str, float]], kept: float, path: Path) -> None:
    """Draw shares and counts against steps. The same evaluations make the same file.

    Args:
        evaluations: As `RunFolder.write_evaluations` writes them, one or more.
        kept: Steps of the evaluation whose policy was kept.
        path: The ``.svg``; its folder is made if it is not there.

    Raises:
        OSError: The file can't be written.
    """
    import matplotlib

    matplotlib.use("agg")
    from matplotlib.figure import Figure

    thousands = [evaluation["steps"] / 1e3 for evaluation in evaluations]
    figure = Figure(figsize=(7.0, 2.6), layout="constrained")
    panels = zip(figure.subplots(1, 2), ("share of episodes [%]", "commands an episode"), strict=True)
    for (axes, title), keys, scale in zip(panels, (sorted(SHARES), COUNTS), (100.0, 1.0), strict=True):
        for key in keys:
            if key in evaluations[0]:
                axes.plot(
                    thousands, [scale * evaluation[key] for evaluation in evaluations], label=_title(key)
                )
        axes.axvline(kept / 1e3, color="0.6", linestyle=":", label="kept")
        axes.set_xlabel("thousand steps of training")
        axes.set_ylabel(title)
        axes.grid(alpha=0.3)
        axes.legend(fontsize="x-small")
    path.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context({"svg.hashsalt": path.stem, "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None, "Creator": None})


def _title(key: str) -> str:
    return TITLES.get(key, key.replace("_", " "))
