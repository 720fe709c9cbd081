"""``dasha evaluate``: focus policies compared on photographs that they never saw."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dasha_ros.cli import study
from dasha_ros.cli.terminal.console import err, out
from dasha_ros.cli.terminal.files import Json, refuse_unwritable, write


def evaluate(
    *,
    policy: study.Policies = None,
    scenes: study.Scenes = None,
    cache: study.Cache = None,
    rendered: study.Rendered = False,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            help="planes_paper, planes_drift, planes_wide, two_depths, joint or joint_no_handover; "
            "repeatable."
        ),
    ] = None,
    composites: Annotated[
        int, typer.Option(min=0, help="With --scenes: number of two-depth views to compose.")
    ] = 4,
    splits: study.Splits = 3,
    rivals: study.Rivals = None,
    episodes: study.Episodes = 4,
    seed: study.Seed = 0,
    sampled: study.Sampled = False,
    exposure_policy: Annotated[str, typer.Option(help="Policy of A^H in the setting joint.")] = "histogram",
    step_ms: study.StepMs = 60.0,
    json_file: Json = None,
    markdown_file: study.Markdown = None,
    plots: study.Plots = None,
) -> None:
    """Play focus policies and their rivals on photographs that they never saw, and print a table."""
    from dasha_ros.benchmark.plots import plot
    from dasha_ros.benchmark.study import focus_study, tables
    from dasha_ros.learning.evaluation.settings import FOCUS_SETTINGS, focus_setting

    refuse_unwritable(json_file, markdown_file)
    with study.errors_explained():
        chosen = [focus_setting(name) for name in setting] if setting else list(FOCUS_SETTINGS)
        names = policy or study.default_policies("focus")
        testbed = study.testbed_of(
            scenes, cache, agent="focus", names=names, rendered=rendered, composites=composites,
            splits=splits, rivals=rivals, seed=seed,
        )  # fmt: skip
        if scenes and not setting:
            # In the paper's bands one lens position is right for all photographs, so they show nothing here.
            chosen = [s for s in chosen if s.name in {"planes_wide", "two_depths"}]
        rows: list[dict[str, Any]] = []
        with study.photographs_listed(testbed), study.progress() as progress:
            try:
                focus_study(
                    testbed.arena, names, chosen, testbed.parts, per_view=episodes, seed=seed,
                    sampled=(False, True) if sampled else (False,), step_ms=step_ms, progress=progress,
                    exposure_policy=exposure_policy, keep=rows.append,
                )  # fmt: skip
            except KeyboardInterrupt:
                err().print("[yellow]stopped: the tables hold only complete rows")
        text = tables(rows)
        out().print(text, markup=False)
        write(json_file, study.json_lines(rows))
        write(markdown_file, text)
        if plots is not None and rows:
            for path in plot(rows, plots):
                err().print(f"wrote {path}", markup=False)
