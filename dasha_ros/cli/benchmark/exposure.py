"""``dasha benchmark exposure``: exposure policies compared on photographs that they never saw."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dasha_ros.cli.evaluation import shared
from dasha_ros.cli.terminal.console import Exit, fail, out
from dasha_ros.cli.terminal.files import Json, refuse_unwritable, write
from dasha_ros.files.writing import json_lines


def exposure(
    context: typer.Context,
    *,
    policy: shared.Policies = None,
    scenes: shared.Scenes = None,
    cache: shared.Cache = None,
    rendered: shared.Rendered = False,
    splits: shared.Splits = 3,
    episodes: shared.Episodes = 10,
    seed: shared.Seed = 0,
    sampled: shared.Sampled = False,
    light: Annotated[
        list[str] | None,
        typer.Option(
            help="Light in lx, as 1000 or 0.5:100000 (evenly in logarithm); repeatable. Default: 13:300."
        ),
    ] = None,
    step_ms: shared.StepMs = 60.0,
    json_file: Json = None,
    markdown_file: shared.Markdown = None,
) -> None:
    """Play exposure policies and auto exposure in any light, from any exposure and any defocus."""
    from dasha_ros.benchmark.study import exposure_study, tables

    if scenes is not None:
        shared.refuse_inapplicable(context, "--scenes", {"rendered": ("--cache",), "splits": ("--cache",)})
    lights = [_light(text) for text in light or ["13:300"]]
    refuse_unwritable(json_file, markdown_file)
    shared.refuse_twice("--policy", policy, agent="exposure")
    shared.refuse_twice("--light", light)
    with shared.errors_explained():
        names = policy or shared.default_policies("exposure")
        testbed = shared.testbed_of(
            scenes, cache, agent="exposure", names=names, rendered=rendered, composites=0, splits=splits,
            rivals=None, seed=seed, exposure=None,
        )  # fmt: skip
        rows: list[dict[str, Any]] = []
        with (
            shared.photographs_listed(testbed),
            shared.progress() as progress,
            shared.until_stopped(lambda: "stopped: the tables hold only complete rows") as end,
        ):
            exposure_study(
                testbed.arena, names, testbed.parts, per_view=episodes, seed=seed,
                sampled=(False, True) if sampled else (False,), step_ms=step_ms, lights_lx=lights,
                progress=progress, keep=rows.append,
            )  # fmt: skip
        text = tables(rows)
        out().print(text)
        write(json_file, json_lines(rows))
        write(markdown_file, text)
        end()


def _light(text: str) -> tuple[float, float]:
    """Least and most light [lx]."""
    from dasha_ros.twin.world import ILLUMINANCE_MAX_LX, ILLUMINANCE_MIN_LX

    least, colon, most = text.partition(":")
    try:
        low, high = float(least), float(most if colon else least)
    except ValueError:
        low, high = 0.0, 0.0
    if not ILLUMINANCE_MIN_LX <= low <= high <= ILLUMINANCE_MAX_LX:
        fail(
            f"--light {text}: give lx from {ILLUMINANCE_MIN_LX:g} to {ILLUMINANCE_MAX_LX:g}, as 1000 or "
            "0.5:100000 with the least first",
            Exit.REFUSED,
        )
    return low, high
