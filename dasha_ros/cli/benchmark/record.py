"""``dasha benchmark record``: what `dasha record` costs a step."""

from __future__ import annotations

from typing import Annotated

import typer

from dasha_ros.cli.benchmark.beside import print_numbers
from dasha_ros.cli.terminal.console import Exit, fail
from dasha_ros.cli.terminal.files import Json


def record(
    images: Annotated[str, typer.Option(help="How pictures are recorded: raw, jpeg or none.")] = "raw",
    steps: Annotated[int, typer.Option(min=10, help="Number of steps to time, with and without.")] = 200,
    json_file: Json = None,
) -> None:
    """Time one closed-loop step over the graph, with `dasha record` beside it and without."""
    if images not in ("raw", "jpeg", "none"):
        fail(f"--images {images!r} is none of raw, jpeg and none", Exit.REFUSED)
    from dasha_ros.cli.benchmark.measure.recorded import step_recorded

    print_numbers(lambda: step_recorded(images, steps), json_file)
