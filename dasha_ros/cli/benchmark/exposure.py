"""``dasha benchmark exposure``: exposure policies compared on photographs that they never saw."""

from __future__ import annotations

from dasha_ros.cli.study import (
    Cache,
    Episodes,
    Markdown,
    Policies,
    Rendered,
    Sampled,
    Scenes,
    Seed,
    Splits,
    StepMs,
    default_policies,
    errors_explained,
    json_lines,
    photographs_listed,
    study_progress,
    testbed_of,
)
from dasha_ros.cli.terminal.console import out
from dasha_ros.cli.terminal.files import Json, refuse_unwritable, write


def exposure(
    *,
    policy: Policies = None,
    scenes: Scenes = None,
    cache: Cache = None,
    rendered: Rendered = False,
    splits: Splits = 3,
    episodes: Episodes = 10,
    seed: Seed = 0,
    sampled: Sampled = False,
    step_ms: StepMs = 60.0,
    json_file: Json = None,
    markdown_file: Markdown = None,
) -> None:
    """Play exposure policies and auto exposure at 13 to 300 lx, from any exposure and any defocus."""
    from dasha_ros.benchmark.study import exposure_study, tables

    refuse_unwritable(json_file, markdown_file)
    with errors_explained():
        names = policy or default_policies("exposure")
        testbed = testbed_of(
            scenes, cache, agent="exposure", names=names, rendered=rendered, composites=0, splits=splits,
            rivals=None, seed=seed,
        )  # fmt: skip
        with photographs_listed(testbed), study_progress() as progress:
            rows = exposure_study(
                testbed.arena, names, testbed.parts, per_view=episodes, seed=seed,
                sampled=(False, True) if sampled else (False,), step_ms=step_ms, progress=progress,
            )  # fmt: skip
        text = tables(rows)
        out().print(text, markup=False)
        write(json_file, json_lines(rows))
        write(markdown_file, text)
