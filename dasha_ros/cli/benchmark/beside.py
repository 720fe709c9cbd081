"""What benchmarks share that time a step with something beside the graph, and without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dasha_ros.cli.terminal.console import fail, out
from dasha_ros.cli.terminal.files import Json, refuse_unwritable, write_json


def print_numbers(measure: Callable[[], Mapping[str, Any]], json_file: Json) -> None:
    """Measure, print the numbers, and write them; ends the command with a sentence if that fails.

    Args:
        measure: Starts a graph of its own, and returns numbers by name.
        json_file: Where they are also written.
    """
    from dasha_ros.assets.catalogue import AssetMissing
    from dasha_ros.bringup.lock import GraphRunsAlreadyError
    from dasha_ros.cli.graph.ready import GraphError
    from dasha_ros.config import ConfigError

    refuse_unwritable(json_file)
    try:
        numbers = measure()
    except (GraphError, GraphRunsAlreadyError, ConfigError, AssetMissing, OSError) as error:
        fail(str(error))
    for key, value in numbers.items():
        out().print(f"{key:28} {value}")
    write_json(json_file, numbers)
