"""``dasha study``: many trainings and comparisons, on this machine or on a cluster."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from dasha_ros.cli.evaluation import shared
from dasha_ros.cli.terminal.console import Exit, err, fail, interrupted, out
from dasha_ros.cli.terminal.progress import progress

if TYPE_CHECKING:
    from dasha_ros.benchmark.studies.driver import Summary
    from dasha_ros.benchmark.studies.plan import Plan
    from dasha_ros.benchmark.studies.pools.pool import Pool
    from dasha_ros.benchmark.studies.results import Results
    from dasha_ros.learning.dataset.scenes.description import SceneSet

app = typer.Typer(help="Many trainings and comparisons, described in one file.", no_args_is_help=True)


@app.callback()
def studies() -> None:
    """Many trainings and comparisons, described in one file."""


@app.command()
def run(
    study: Annotated[str, typer.Argument(help="YAML file of the study, or the name of one that ships.")],
    *,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Folder of the results; default: studies/NAME. What it holds is not done again."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes on this machine; default: one for each processor.")
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(help="Work on a Ray cluster: auto (the one on this machine), or HOST:PORT of its head."),
    ] = None,
) -> None:
    """Do what a study asks for, and print its tables.

    The same command goes on where it was interrupted or killed.
    """
    from dasha_ros.benchmark.studies.driver import drive
    from dasha_ros.benchmark.studies.model import load_study
    from dasha_ros.benchmark.studies.plan import cast_of, plan_of
    from dasha_ros.benchmark.studies.results import Results
    from dasha_ros.learning.dataset.scenes.description import load_scene_set

    if ray is not None and workers is not None:
        fail("--workers does not apply to --ray: the cluster's processors work", Exit.REFUSED)
    place = folder or Path("studies") / Path(study).stem
    with shared.errors_explained(), ExitStack() as stack:
        asked = load_study(study)
        cast_of(asked)
        wanted = {name: load_scene_set(name) for name in asked.scene_sets} if asked.build else {}
        plan = None if wanted else plan_of(asked)
        try:
            pool = stack.enter_context(_pool(workers, ray))
            built = _built(wanted, pool, workers or _processors())
        except KeyboardInterrupt as reason:
            _stopped("the percept cache" if wanted else str(place), reason)
        if not asked.plays:
            return
        plan = plan or plan_of(asked, built)
        for sentence in plan.skipped:
            err().print(f"left out: {sentence}", style="yellow")
        results = stack.enter_context(Results.opened(place / "results", plan.scene_sets))
        try:
            with progress(err()) as report:
                summary = drive(
                    plan.tasks, pool, results, progress=lambda done, total: report("tasks", done, total)
                )
        except KeyboardInterrupt as reason:
            _write(place, plan, results, asked.description)
            _stopped(str(place), reason)
        text = _write(place, plan, results, asked.description)
        out().print(text)
        _tell(summary, "the tables hold the others")


def _stopped(where: str, reason: KeyboardInterrupt) -> NoReturn:
    """Say that the command was interrupted, and how to go on."""
    err().print(
        f"stopped; {where} holds what was computed, and the same command goes on", style="yellow",
    )  # fmt: skip
    raise typer.Exit(interrupted(reason)) from None


def _pool(workers: int | None, ray: str | None) -> AbstractContextManager[Pool]:
    """The workers that were asked for; Ray is imported only if it was."""
    if ray is not None:
        from dasha_ros.benchmark.studies.pools.cluster import RayPool

        return RayPool(ray)
    from dasha_ros.benchmark.studies.pools.local import LocalPool

    return LocalPool(workers or _processors())


def _processors() -> int:
    return len(os.sched_getaffinity(0))


def _built(scene_sets: Mapping[str, SceneSet], pool: Pool, workers: int) -> dict[str, Path]:
    """Compute the percept caches of a study; returns their folders by the names of the scene sets."""
    from dasha_ros.benchmark.studies.caches import build

    with progress(err()) as report:
        built = build(scene_sets, pool, workers=workers, progress=report)
    for folder, summary in built.values():
        _tell(summary, f"the percept cache {folder} is not complete")
        out().print(str(folder))
    return {name: folder for name, (folder, _) in built.items()}


def _write(place: Path, plan: Plan, results: Results, description: str) -> str:
    """Write rows and tables of all finished tasks, in the order of the plan; returns the tables."""
    from dasha_ros.benchmark.studies.task import StudyError
    from dasha_ros.benchmark.study import tables
    from dasha_ros.files.writing import disk_errors, json_lines, write_whole

    rows = [
        {**row, "scene_set": plan.scene_sets[row["cache"]]}
        for task in plan.tasks
        if task.key in results
        for row in results.rows(task.key)
    ]
    parts = [description.strip()] if description else []
    for name in plan.scene_sets.values():
        if mine := [row for row in rows if row["scene_set"] == name]:
            parts.append(f"## {name}\n\n{tables(mine)}")
    text = "\n\n".join(parts)
    with disk_errors(StudyError, place, "; what was computed is kept, and the same command goes on"):
        write_whole(place / "rows.json", json_lines(rows))
        write_whole(place / "tables.md", text + "\n")
    return text


def _tell(summary: Summary, meaning: str) -> None:
    """Say what came from before, and what went wrong; then end, with what it means."""
    if summary.resumed:
        err().print(f"{summary.resumed} tasks had been done before")
    if summary.deaths:
        err().print(f"workers died {summary.deaths} times", style="yellow")
    for title, reason in summary.failed.items():
        err().print(f"failed: {title}: {reason}", style="red")
    if summary.failed:
        fail(f"{len(summary.failed)} tasks have no result; {meaning}", Exit.FAILED)
