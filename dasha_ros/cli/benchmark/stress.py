"""``dasha benchmark stress``: what real lenses and cameras do to pictures, one thing at a time."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dasha_ros.cli.evaluation import shared
from dasha_ros.cli.terminal.console import out
from dasha_ros.cli.terminal.files import Json, refuse_unwritable, write
from dasha_ros.files.writing import json_lines

POLICIES = ["plus", "planner", "greedy", "profile_fit"]
QUICK_STRESSES = ["base", "ring", "motion_6", "scale_2_unknown"]


def stress(
    context: typer.Context,
    *,
    policy: shared.Policies = None,
    stress: Annotated[
        list[str] | None,
        typer.Option(help="Name of a stress, such as motion_6; repeatable. All, if left out."),
    ] = None,
    scenes: shared.Scenes = None,
    cache: shared.Cache = None,
    split: Annotated[
        int, typer.Option(min=0, help="With --cache: the split whose test photographs are shown.")
    ] = 0,
    episodes: shared.Episodes = 1,
    seed: shared.Seed = 0,
    quick: Annotated[
        bool, typer.Option("--quick", help="Only plus and planner, under four stresses.")
    ] = False,
    rows: shared.Rows = None,
    json_file: Json = None,
    markdown_file: shared.Markdown = None,
) -> None:
    """Play focus policies on pictures as other lenses and cameras make them, one change at a time."""
    from dasha_ros.benchmark.methods import focus_methods, perception_for
    from dasha_ros.benchmark.trials.journal import Journal
    from dasha_ros.benchmark.trials.stress import chosen_stresses, play_stresses, stress_table

    refuse_unwritable(json_file, markdown_file, rows)
    if scenes is not None:
        shared.refuse_inapplicable(context, "--scenes", {"split": ("--cache",)})
    shared.refuse_twice("--policy", policy, agent="focus")
    shared.refuse_twice("--stress", stress)
    with shared.errors_explained():
        names = policy or (POLICIES[:2] if quick else POLICIES)
        chosen = chosen_stresses(stress or (QUICK_STRESSES if quick else []))
        for name in names:
            focus_methods(name)
        testbed = shared.testbed_of(
            scenes, cache, agent="focus", names=names, rendered=False, composites=0, splits=split + 1,
            rivals=None, seed=seed, exposure=None,
        )  # fmt: skip
        part = testbed.parts[-1]
        done: list[dict[str, Any]] = []
        with (
            shared.photographs_listed(testbed),
            Journal(rows) as journal,
            shared.progress() as progress,
            shared.until_stopped(
                lambda: f"{shared.stopped(journal, rows)}\nthe table holds only complete rows"
            ) as end,
        ):
            play_stresses(
                testbed.views, perception_for(names, "focus"), names, chosen, part, journal=journal,
                per_view=episodes, seed=seed, progress=progress, keep=done.append,
            )  # fmt: skip
        shared.resumed(journal, rows)
        text = stress_table(done) if done else ""
        out().print(text)
        write(json_file, json_lines(done))
        write(markdown_file, text)
        end()
