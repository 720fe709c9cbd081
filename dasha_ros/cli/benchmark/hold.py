"""``dasha benchmark hold``: who keeps an object sharp while it moves, the light steps, or lamps flicker."""

from __future__ import annotations

from typing import Annotated

import typer

from dasha_ros.cli.evaluation import shared
from dasha_ros.cli.terminal.console import Exit, err, fail, out
from dasha_ros.cli.terminal.files import Json, refuse_unwritable, write_json


def hold(
    *,
    player: Annotated[
        list[str] | None,
        typer.Option(
            help="hold, hold_detected, libcamera, libcamera_window, or nobody; repeatable; default: all."
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=1.0, help="Length of each sequence [s].")] = 60.0,
    still: Annotated[
        float, typer.Option(min=0.0, help="Length of the sequence in which nothing happens [s]; 0: none.")
    ] = 600.0,
    scenes: Annotated[int, typer.Option(min=1, max=4, help="Number of scenes.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the sensor's noise.")] = 0,
    json_file: Json = None,
) -> None:
    """Hold an object that moves in depth, in light that steps and flickers, and in a still scene."""
    from dasha_ros.benchmark.hold.play import PLAYERS, HoldRow, as_json, benchmark_hold, summary
    from dasha_ros.benchmark.table import markdown

    refuse_unwritable(json_file)
    shared.refuse_twice("--player", player)
    if wrong := sorted(set(player or ()) - set(PLAYERS)):
        fail(f"no player {wrong[0]!r}; there are {', '.join(PLAYERS)}", Exit.REFUSED)
    rows: list[HoldRow] = []
    with (
        shared.errors_explained(),
        shared.until_stopped(
            lambda: f"stopped: the table holds the {len(rows)} sequences played so far"
        ) as end,
    ):
        for row in benchmark_hold(seconds, still, player or PLAYERS, seed=seed, scenes=scenes):
            rows.append(row)
            err().print(
                f"{row.player} in {row.scene}, {row.speed_m_s:g} m/s, {row.light} light: "
                f"{row.sharp_share:.1%} sharp, {row.moves} moves",
            )
    out().print(markdown(summary(rows)))
    write_json(json_file, as_json(rows))
    end()
