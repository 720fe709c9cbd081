"""``dasha soak``: hundreds of faults against a graph of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dasha_ros.cli.terminal.console import Exit, err, fail, interrupted, out
from dasha_ros.cli.terminal.files import Json, refuse_unwritable, write_json

if TYPE_CHECKING:
    from dasha_ros.soak.tally import Tally


def soak(
    *,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all choices.")] = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="Every kind of fault about once: minutes instead of an hour.")
    ] = False,
    kills: Annotated[
        int | None,
        typer.Option(min=1, help="Faults during goals (default: 200), and all else in proportion."),
    ] = None,
    memory: Annotated[
        bool,
        typer.Option(
            "--memory", help="No faults: memory over 2000 goals and 500 lifecycle cycles of all nodes."
        ),
    ] = False,
    within: Annotated[
        float,
        typer.Option(
            min=15.0,
            help="Seconds for a disturbed goal to end; longer only where the computer does much else.",
        ),
    ] = 15.0,
    json_file: Json = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print the logs of all nodes.")] = False,
) -> None:
    """Inject every kind of fault into a graph and count broken promises; exit code 1 if there are any."""
    if sum((quick, memory, kills is not None)) > 1:
        fail("--quick, --kills and --memory each say how long the soak is: give one of them", Exit.REFUSED)
    refuse_unwritable(json_file)
    try:
        from dasha_ros.soak.run import run
    except ImportError as error:
        fail(f"{error}. `dasha soak` needs ROS 2 and the built interfaces: run ./scripts/setup")
    from dasha_ros.soak.plan import FULL, MEMORY, QUICK, Size

    try:
        size = QUICK if quick else MEMORY if memory else FULL if kills is None else Size.of(kills)
        tally = run(size, seed, err(), within_s=within, verbose=verbose)
    except KeyboardInterrupt as reason:
        fail("interrupted: there is no result", interrupted(reason))
    write_json(json_file, {"seed": seed, "quick": quick, "within_s": within, **tally.as_dict()}, indent=2)
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
        console.print(f"not played: {kind}: {why}")
    for sentence in tally.broken:
        console.print(f"broken: {sentence}")
