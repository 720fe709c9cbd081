"""``dasha benchmark exposure``: exposure policies compared on photographs that they never saw."""

from __future__ import annotations

from dasha_ros.cli import study
from dasha_ros.cli.terminal.console import out
from dasha_ros.cli.terminal.files import Json, refuse_unwritable, write


def exposure(
    *,
    policy: study.Policies = None,
    scenes: study.Scenes = None,
    cache: study.Cache = None,
    rendered: study.Rendered = False,
    splits: study.Splits = 3,
    episodes: study.Episodes = 10,
    seed: study.Seed = 0,
    sampled: study.Sampled = False,
    step_ms: study.StepMs = 60.0,
    json_file: Json = None,
    markdown_file: study.Markdown = None,
) -> None:
    """Play exposure policies and auto exposure at 13 to 300 lx, from any exposure and any defocus."""
    from dasha_ros.benchmark.study import exposure_study, tables

    refuse_unwritable(json_file, markdown_file)
    with study.errors_explained():
        names = policy or study.default_policies("exposure")
        testbed = study.testbed_of(
            scenes, cache, agent="exposure", names=names, rendered=rendered, composites=0, splits=splits,
            rivals=None, seed=seed,
        )  # fmt: skip
        with study.photographs_listed(testbed), study.progress() as progress:
            rows = exposure_study(
                testbed.arena, names, testbed.parts, per_view=episodes, seed=seed,
                sampled=(False, True) if sampled else (False,), step_ms=step_ms, progress=progress,
            )  # fmt: skip
        text = tables(rows)
        out().print(text, markup=False)
        write(json_file, study.json_lines(rows))
        write(markdown_file, text)
