"""Figures of an evaluation, drawn from its rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dasha_ros.benchmark.evaluation import SPREAD_KEYS
from dasha_ros.benchmark.rows import Row, summary
from dasha_ros.files.writing import disk_errors
from dasha_ros.learning.evaluation.settings import EXPOSURE_SETTING

_TITLES = {
    "planes_paper": "Planes at 1.4 to 2.0 m",
    "planes_drift": "Planes at 1.4 to 2.0 m, drift of 0.155 D",
    "planes_wide": "Planes at 0.3 to 10 m",
    "two_depths": "Object before a background",
    "planes_disturbed": "Planes at 0.3 to 10 m, disturbed",
    "two_depths_disturbed": "Object before a background, disturbed",
    "joint": "Planes at 0.3 to 10 m, any exposure: both agents",
    "joint_no_handover": "Planes at 0.3 to 10 m, any exposure: the lens alone",
}
_FRAME_TICKS = (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100, 150)


class PlotError(ValueError):
    """Figures can't be written; the message says why."""


def plot(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write two figures for each focus setting.

    - ``SETTING_frames.png``: share within 2 px against frames, with the spread over seeds and splits
    - ``SETTING_reached.png``: share of episodes that had been in focus after so many moves

    Args:
        rows: Rows of `study.focus_study`; those of A^H are left out.
        folder: Made if it is not there.

    Returns:
        The files.

    Raises:
        PlotError: The folder can't be written.
    """
    import matplotlib

    matplotlib.use("agg")
    written: list[Path] = []
    with disk_errors(PlotError, folder):
        folder.mkdir(parents=True, exist_ok=True)
        for setting in dict.fromkeys(row["setting"] for row in rows):
            if setting == EXPOSURE_SETTING:
                continue
            lines = summary([row for row in rows if row["setting"] == setting], SPREAD_KEYS)
            written += [_frames(lines, setting, folder), _reached(lines, setting, folder)]
    return written


def _frames(lines: Sequence[Row], setting: str, folder: Path) -> Path:
    from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

    figure, axes = _figure(setting)
    for i, line in enumerate(lines):
        axes.errorbar(
            line["frames"],
            100 * line["within_2px"],
            xerr=line["frames_sd"] or 0.0,
            yerr=100 * (line["within_2px_sd"] or 0.0),
            fmt="os^Dvx"[i % 6],
            color=f"C{i % 10}",
            capsize=2,
            label=_label(line),
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(_FRAME_TICKS))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("pictures an episode")
    axes.set_ylabel("within 2 px at the end [%]")
    axes.set_ylim(-5, 105)
    return _saved(figure, axes, folder / f"{setting}_frames.png")


def _reached(lines: Sequence[Row], setting: str, folder: Path) -> Path:
    figure, axes = _figure(setting)
    for i, line in enumerate(lines):
        curve = [100 * share for share in line["reached"]]
        axes.step(
            range(len(curve)), curve, where="post", color=f"C{i % 10}",
            linestyle="-" if i < 10 else "--", label=_label(line),
        )  # fmt: skip
    axes.set_xlabel("moves of the lens")
    axes.set_ylabel("has been within 2 px [%]")
    axes.set_ylim(-5, 105)
    return _saved(figure, axes, folder / f"{setting}_reached.png")


def _figure(setting: str) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.set_title(_TITLES.get(setting, setting))
    axes.grid(alpha=0.3)
    return figure, axes


def _saved(figure: Any, axes: Any, path: Path) -> Path:
    axes.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(path, dpi=110)
    return path


def _label(line: Row) -> str:
    star, drawn = "*" if line["reference_based"] else "", " (sampled)" if line["sampled"] else ""
    return f"{line['policy']}{star}{drawn}"
