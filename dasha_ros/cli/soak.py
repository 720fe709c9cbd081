"""``dasha soak``: faults by the hundred against a graph of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dasha_ros.cli.terminal.console import Exit, err, fail, out

if TYPE_CHECKING:
    from dasha_ros.soak.tally import Tally


def soak(
    *,
    seed: Annotated[int, typer.Option(min=0, help="Every choice follows from it.")] = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="Every kind of fault once or so: minutes, not an hour.")
    ] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the counts here, too.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show what the nodes say.")] = False,
) -> None:
    """Hurt a graph in every way, and count which promises it keeps; exit code 1 if it broke one."""
    try:
        from dasha_ros.soak.run import run
    except ImportError as error:
        fail(f"{error}. `dasha soak` needs ROS 2 and the built interfaces: run ./scripts/setup")
    from dasha_ros.soak.plan import FULL, QUICK

    try:
        tally = run(QUICK if quick else FULL, seed, err(), verbose=verbose)
    except KeyboardInterrupt:
        fail("interrupted: nothing is said about promises", Exit.INTERRUPTED)
    if json_file is not None:
        text = json.dumps({"seed": seed, "quick": quick, **tally.as_dict()}, indent=2)
        try:
            json_file.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            fail(f"{json_file} can't be written: {error.strerror}")
    _print(tally)
    raise typer.Exit(Exit.FAILED if tally.broken else Exit.OK)


def _print(tally: Tally) -> None:
    from rich.table import Table

    table = Table("promise", "kept", "", box=None, header_style="dim")
    for row in tally.table():
        table.add_row(*row)
    console = out()
    console.print(table)
    for kind, why in tally.skipped.items():
        console.print(f"not played: {kind}: {why}", markup=False)
    for sentence in tally.broken:
        console.print(f"broken: {sentence}", markup=False)
