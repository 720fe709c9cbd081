"""``dasha benchmark object-light``: what it is worth to expose for the object."""

from __future__ import annotations

from typing import Annotated

import typer

from dasha_ros.cli.terminal.console import Exit, err, fail, out
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
    from dasha_ros.assets.catalogue import AssetMissing
    from dasha_ros.benchmark.object_light.play import RATIOS, as_json, benchmark_object_light, summary
    from dasha_ros.benchmark.table import markdown
    from dasha_ros.perception.errors import ModelError
    from dasha_ros.policies.learned.policy_file import PolicyFileError
    from dasha_ros.policies.registry import UnknownPolicyError

    refuse_unwritable(json_file)
    rows = []
    try:
        for row in benchmark_object_light(
            range(seeds),
            tuple(ratio or RATIOS),
            (exposure_policy, focus_policy or ("oracle", "plus")),
            scenes=scenes,
        ):
            rows.append(row)
            err().print(
                f"{row.scene}, {row.lighting}, {row.focus}, for the {'object' if row.meters else 'picture'}: "
                f"score {row.score:.2f} of {row.best_score:.2f}, {row.exposures} exposures",
            )
    except (AssetMissing, ModelError, PolicyFileError, UnknownPolicyError) as error:
        fail(str(error), Exit.REFUSED)
    out().print(markdown(summary(rows)))
    write_json(json_file, as_json(rows))
