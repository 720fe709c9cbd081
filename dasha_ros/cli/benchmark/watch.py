"""``dasha benchmark watch``: what open pages of `dasha watch` cost a step."""

from __future__ import annotations

from typing import Annotated

import typer

from dasha_ros.cli.terminal.console import fail, out
from dasha_ros.cli.terminal.files import Json, refuse_unwritable, write_json


def watch(
    pages: Annotated[int, typer.Option(min=1, max=40, help="Number of open pages.")] = 10,
    steps: Annotated[int, typer.Option(min=10, help="Number of steps to time, with and without.")] = 200,
    json_file: Json = None,
) -> None:
    """Time one closed-loop step over the graph, with open pages of `dasha watch` and without."""
    from dasha_ros.assets.catalogue import AssetMissing
    from dasha_ros.bringup.lock import GraphRunsAlreadyError
    from dasha_ros.cli.benchmark.measure.watched import step_watched
    from dasha_ros.cli.graph.ready import GraphError
    from dasha_ros.config import ConfigError

    refuse_unwritable(json_file)
    try:
        numbers = step_watched(pages, steps)
    except (GraphError, GraphRunsAlreadyError, ConfigError, AssetMissing, OSError) as error:
        fail(str(error))
    for key, value in numbers.items():
        out().print(f"{key:28} {value}", markup=False, highlight=False)
    write_json(json_file, numbers)
