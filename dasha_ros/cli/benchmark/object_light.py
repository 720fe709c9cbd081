"""``dasha benchmark object-light``: what it is worth to expose for the object."""

from __future__ import annotations

from typing import Annotated

import typer

from dasha_ros.cli.evaluation import shared
from dasha_ros.cli.terminal.console import err, out
from dasha_ros.cli.terminal.files import Json, refuse_unwritable, write_json


def object_light(
    *,
    ratio: Annotated[
        list[float] | None,
        typer.Option(
            min=1.0,
            max=1000.0,
            help="How many times brighter one of object and background is lit than the other; repeatable; "
            "default: 8 and 30.",
        ),
    ] = None,
    exposure_policy: Annotated[str, typer.Option(help="Policy of A^H.")] = "plus",
    focus_policy: Annotated[
        list[str] | None,
        typer.Option(help="Policy of A^L; oracle knows the focus. Repeatable; default: oracle and plus."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Goals for each scene and light.")] = 4,
    scenes: Annotated[int, typer.Option(min=1, max=5, help="Number of scenes.")] = 5,
    json_file: Json = None,
) -> None:
    """Find objects that are backlit, or lit before the dark, exposed for the picture and for the object."""
    from dasha_ros.benchmark.object_light.play import (
        RATIOS,
        ObjectLightRow,
        as_json,
        benchmark_object_light,
        summary,
    )
    from dasha_ros.benchmark.table import markdown

    refuse_unwritable(json_file)
    shared.refuse_twice("--ratio", [f"{each:g}" for each in ratio or ()])
    shared.refuse_twice("--focus-policy", focus_policy, agent="focus")
    rows: list[ObjectLightRow] = []
    with (
        shared.errors_explained(),
        shared.until_stopped(lambda: f"stopped: the table holds the {len(rows)} goals played so far") as end,
    ):
        for row in benchmark_object_light(
            range(seeds),
            tuple(ratio or RATIOS),
            (exposure_policy, focus_policy or ("oracle", "plus")),
            scenes=scenes,
        ):
            rows.append(row)
            exposed_for = "object" if row.meters else "picture"
            err().print(
                f"{row.scene}, {row.lighting}, {row.focus}, for the {exposed_for}: "
                f"score {row.score:.2f} of {row.best_score:.2f}, {row.exposures} exposures",
            )
    out().print(markdown(summary(rows)))
    write_json(json_file, as_json(rows))
    end()
