"""``dasha benchmark record``: what `dasha record` costs a step."""

from __future__ import annotations

from typing import Annotated

import typer

from dasha_ros.cli.terminal.console import Exit, fail, out
from dasha_ros.cli.terminal.files import Json, refuse_unwritable, write_json


def record(
    images: Annotated[str, typer.Option(help="How pictures are recorded: raw, jpeg or none.")] = "raw",
    steps: Annotated[int, typer.Option(min=10, help="Number of steps to time, with and without.")] = 200,
    json_file: Json = None,
) -> None:
    """Time one closed-loop step over the graph, with `dasha record` beside it and without."""
    if images not in ("raw", "jpeg", "none"):
        fail(f"--images {images!r} is none of raw, jpeg and none", Exit.REFUSED)
    from dasha_ros.assets.catalogue import AssetMissing
    from dasha_ros.bringup.lock import GraphRunsAlreadyError
    from dasha_ros.cli.benchmark.measure.recorded import step_recorded
    from dasha_ros.cli.graph.ready import GraphError
    from dasha_ros.config import ConfigError

    refuse_unwritable(json_file)
    try:
        numbers = step_recorded(images, steps)
    except (GraphError, GraphRunsAlreadyError, ConfigError, AssetMissing, OSError) as error:
        fail(str(error))
    for key, value in numbers.items():
        out().print(f"{key:28} {value}", markup=False, highlight=False)
    write_json(json_file, numbers)
