"""``dasha evaluate``: focus policies compared on pictures that they never saw."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dasha_ros.cli.evaluation import shared
from dasha_ros.cli.evaluation.stacks import evaluate_stacks
from dasha_ros.cli.terminal.console import Exit, err, fail, out
from dasha_ros.cli.terminal.files import Json, refuse_unwritable, write
from dasha_ros.files.writing import json_lines

SCENES, CACHE, STACKS = "--scenes", "--cache", "--stacks"
APPLIES = {
    "rendered": (CACHE,),
    "splits": (CACHE,),
    "rivals": (CACHE,),
    "composites": (SCENES,),
    "setting": (SCENES, CACHE),
    "episodes": (SCENES, CACHE),
    "exposure_policy": (SCENES, CACHE),
    "step_ms": (SCENES, CACHE),
    "plots": (SCENES, CACHE),
    "tone": (STACKS,),
    "step": (STACKS,),
}
"""Parameters that mean nothing with some kinds of pictures, and the kinds with which they do."""


def evaluate(
    context: typer.Context,
    *,
    policy: shared.Policies = None,
    stacks: Annotated[
        Path | None,
        typer.Option(help="Focal stack, or folder of stacks; every object, from every start frame."),
    ] = None,
    scenes: shared.Scenes = None,
    cache: shared.Cache = None,
    rendered: shared.Rendered = False,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            help="planes_paper, planes_drift, planes_wide, two_depths, joint, joint_no_handover, "
            "planes_disturbed or two_depths_disturbed; repeatable. Default: all but the disturbed ones."
        ),
    ] = None,
    composites: Annotated[
        int, typer.Option(min=0, help="With --scenes: number of two-depth views to compose.")
    ] = 4,
    splits: shared.Splits = 3,
    rivals: shared.Rivals = None,
    episodes: shared.Episodes = 4,
    seed: shared.Seed = 0,
    sampled: shared.Sampled = False,
    exposure_policy: Annotated[str, typer.Option(help="Policy of A^H in the setting joint.")] = "histogram",
    step_ms: shared.StepMs = 60.0,
    json_file: Json = None,
    markdown_file: shared.Markdown = None,
    plots: shared.Plots = None,
    tone: Annotated[
        str, typer.Option(help="With --stacks: response curve of the camera, linear or srgb.")
    ] = "linear",
    step: Annotated[
        float,
        typer.Option(
            min=0.05,
            max=1.0,
            help="With --stacks: smallest move of the lens in frames; below 1, neighbours are blended.",
        ),
    ] = 1.0,
    rows: shared.Rows = None,
    page: Annotated[
        Path | None,
        typer.Option(help="Write a page with the pictures of failed episodes into this folder."),
    ] = None,
) -> None:
    """Play focus policies and their rivals on pictures that they never saw, and print a table."""
    given = {STACKS: stacks, SCENES: scenes, CACHE: cache}
    chosen_places = [name for name, path in given.items() if path is not None]
    if len(chosen_places) != 1:
        fail(
            "give one of --stacks (a focal stack, or a folder of them), --scenes (a folder of photographs) "
            "and --cache (a percept cache)",
            Exit.REFUSED,
        )
    shared.refuse_inapplicable(context, chosen_places[0], APPLIES)
    shared.refuse_twice("--policy", policy, agent="focus")
    shared.refuse_twice("--setting", setting)
    if stacks is not None:
        evaluate_stacks(
            stacks, policy, tone=tone, step=step, sampled=sampled, seed=seed, rows_file=rows, page=page,
            json_file=json_file, markdown_file=markdown_file,
        )  # fmt: skip
        return
    from dasha_ros.benchmark.methods import exposure_methods, focus_methods
    from dasha_ros.benchmark.plots import plot
    from dasha_ros.benchmark.study import focus_study, tables
    from dasha_ros.benchmark.trials.journal import Journal
    from dasha_ros.benchmark.trials.view_page import write_view_page
    from dasha_ros.learning.evaluation.settings import USUAL_SETTINGS, focus_setting, not_played

    for folder in (page, plots):
        refuse_unwritable(json_file, markdown_file, rows, folder=folder)
    with shared.errors_explained():
        chosen = [focus_setting(name) for name in setting] if setting else list(USUAL_SETTINGS)
        if scenes and not setting:
            # In the paper's bands one lens position is right for all photographs, so they show nothing here.
            chosen = [s for s in chosen if s.name in {"planes_wide", "two_depths"}]
        used = {
            "exposure_policy": any(s.hand_over for s in chosen),
            "composites": any(s.kind == "composite" for s in chosen),
        }
        shared.refuse_unused(context, used, [s.name for s in chosen])
        names = policy or shared.default_policies("focus")
        # Photographs take minutes, and a wrong name should not cost them.
        for name in names:
            focus_methods(name)
        exposure_methods(exposure_policy)
        testbed = shared.testbed_of(
            scenes, cache, agent="focus", names=names, rendered=rendered,
            composites=composites if used["composites"] else 0, splits=splits, rivals=rivals, seed=seed,
            exposure=exposure_policy if used["exposure_policy"] else None,
        )  # fmt: skip
        tested = [number for part in testbed.parts for number in part.numbers]
        shared.listed("not played", not_played(chosen, testbed.arena.views, tested))
        summed: list[dict[str, Any]] = []
        with (
            shared.photographs_listed(testbed),
            Journal(rows) as journal,
            shared.progress() as progress,
            shared.until_stopped(
                lambda: f"{shared.stopped(journal, rows)}\nthe tables hold only complete rows"
            ) as end,
        ):
            focus_study(
                testbed.arena, names, chosen, testbed.parts, per_view=episodes, seed=seed,
                sampled=(False, True) if sampled else (False,), step_ms=step_ms, journal=journal,
                progress=progress, exposure_policy=exposure_policy, keep=summed.append,
            )  # fmt: skip
        shared.resumed(journal, rows)
        text = tables(summed)
        out().print(text)
        write(json_file, json_lines(summed))
        write(markdown_file, text)
        if plots is not None and summed:
            for path in plot(summed, plots):
                err().print(f"wrote {path}")
        if page is not None:
            written = write_view_page(page, testbed.views, journal.played, testbed.arena.lens)
            err().print(f"wrote {written}")
        end()
