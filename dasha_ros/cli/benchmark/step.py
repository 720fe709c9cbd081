"""``dasha benchmark step``: the time of one step over the graph, and of the same step in one process."""

from __future__ import annotations

from typing import Annotated

import typer

from dasha_ros.cli.terminal.console import fail, out
from dasha_ros.cli.terminal.files import Json, refuse_unwritable, write_json
from dasha_ros.cli.terminal.options import ParamsFile


def step(
    steps: Annotated[int, typer.Option(min=10, help="Number of steps to time.")] = 100,
    params_file: ParamsFile = None,
    json_file: Json = None,
) -> None:
    """Time one closed-loop step over the graph, and the same step in one process."""
    from dasha_ros.assets.catalogue import AssetMissing
    from dasha_ros.bringup.lock import GraphRunsAlreadyError
    from dasha_ros.cli.benchmark.measure.step import step_over_ros
    from dasha_ros.cli.graph.ready import GraphError
    from dasha_ros.config import ConfigError
    from dasha_ros.perception.errors import ModelError

    refuse_unwritable(json_file)
    try:
        numbers = step_over_ros(steps, params_file=str(params_file) if params_file else None)
    except (GraphError, GraphRunsAlreadyError, ConfigError, AssetMissing, ModelError) as error:
        fail(str(error))
    for key, value in numbers.items():
        out().print(f"{key:24} {value}")
    write_json(json_file, numbers)
