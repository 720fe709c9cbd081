"""``dasha benchmark watch``: what open pages of `dasha watch` cost a step."""

from __future__ import annotations

from typing import Annotated

import typer

from dasha_ros.cli.benchmark.beside import print_numbers
from dasha_ros.cli.terminal.files import Json


def watch(
    pages: Annotated[int, typer.Option(min=1, max=40, help="Number of open pages.")] = 10,
    steps: Annotated[int, typer.Option(min=10, help="Number of steps to time, with and without.")] = 200,
    json_file: Json = None,
) -> None:
    """Time one closed-loop step over the graph, with open pages of `dasha watch` and without."""
    from dasha_ros.cli.benchmark.measure.watched import step_watched

    print_numbers(lambda: step_watched(pages, steps), json_file)
