"""``dasha benchmark paper``: what DASHA does for detectors, as the paper asks, on one page."""

from __future__ import annotations

import contextlib
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dasha_ros.cli import study
from dasha_ros.cli.terminal.console import Exit, err, fail, out

if TYPE_CHECKING:
    from dasha_ros.benchmark.paper.recall import Grid
    from dasha_ros.benchmark.rows import Row

DETECTORS = ("yolov3_tiny", "nanodet", "centernet")
"""Those that need no PyTorch."""


def paper(
    *,
    folder: Annotated[Path, typer.Option("--out", help="Folder of the results; made if it is not there.")],
    quick: Annotated[
        bool, typer.Option("--quick", help="Two lights, two defoci and four objects: minutes.")
    ] = False,
    detector: Annotated[
        list[str] | None, typer.Option(help=f"Repeatable; default: {', '.join(DETECTORS)}.")
    ] = None,
    seed: study.Seed = 0,
) -> None:
    """Measure the recall that three detectors gain by DASHA over light and defocus, and write a report.

    The same command goes on where it was interrupted.
    """
    from dasha_ros.benchmark.paper.recall import Agents, recall_rows
    from dasha_ros.benchmark.paper.report import write_report
    from dasha_ros.benchmark.trials.journal import Journal
    from dasha_ros.perception.errors import ModelError, UnknownModelError

    with study.errors_explained():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            fail(f"{folder} can't be made: {error.strerror}", Exit.REFUSED)
        grid, agents = _grid(quick, seed), Agents()
        rows: list[Row] = []
        missing: dict[str, str] = {}
        was_stopped = False
        with Journal(folder / "recall.jsonl") as journal:
            with contextlib.ExitStack() as stack:
                show = stack.enter_context(study.progress())
                try:
                    for name in dict.fromkeys(detector or DETECTORS):
                        try:
                            perception = agents.perception(name)
                        except UnknownModelError:
                            raise
                        except ModelError as error:
                            missing[name] = str(error)
                            continue
                        rows.extend(recall_rows(name, perception, agents, grid, journal, progress=show))
                except KeyboardInterrupt:
                    was_stopped = True
            if was_stopped:
                err().print(
                    f"stopped after {len(journal.played)} episodes; the same command goes on",
                    style="yellow",
                    markup=False,
                )
                raise typer.Exit(130)
            study.resumed(journal, folder / "recall.jsonl")
        for name, why in missing.items():
            err().print(f"{name} is left out: {why}", style="yellow", markup=False)
        if not rows:
            fail("there is nothing to show: no detector could be loaded", Exit.REFUSED)
        out().print(str(write_report(folder, rows, missing, _made(quick, seed))), markup=False)


def _grid(quick: bool, seed: int) -> Grid:
    from dasha_ros.benchmark.episodes import Goal, goals_of
    from dasha_ros.benchmark.paper.recall import Grid
    from dasha_ros.twin.scene import scene_names

    if quick:
        few = (("cat", "cat"), ("cup", "cup"), ("street", "bus"), ("street", "person"))
        return Grid((37.0, 300.0), (0.0, 2.0), tuple(Goal(*goal) for goal in few), seed)
    return Grid((13.0, 37.0, 100.0, 300.0), (0.0, 0.5, 1.0, 2.0), goals_of(scene_names()), seed)


def _made(quick: bool, seed: int) -> dict[str, str]:
    import numpy
    import onnxruntime

    from dasha_ros import __version__

    return {
        "command": f"dasha benchmark paper --out DIR{' --quick' if quick else ''} --seed {seed}",
        "dasha_ros": __version__,
        "python": sys.version.split()[0],
        "numpy": numpy.__version__,
        "onnxruntime": str(onnxruntime.__version__),
        "machine": f"{platform.system()} {platform.machine()}",
    }
