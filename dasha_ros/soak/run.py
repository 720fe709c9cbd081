"""Runs a whole soak."""

from __future__ import annotations

import tempfile
import time
from functools import partial
from pathlib import Path
from random import Random

from rich.console import Console

from dasha_ros.emulators.wall_clock import WallClock, WallClockError
from dasha_ros.soak.disk import SmallDisk
from dasha_ros.soak.graph import SoakError, SoakGraph
from dasha_ros.soak.plan import Size, plan
from dasha_ros.soak.soak import PROMISED_S, Soak
from dasha_ros.soak.tally import Tally


def run(
    size: Size, seed: int, console: Console, *, within_s: float = PROMISED_S, verbose: bool = False
) -> Tally:
    """Start a graph, play a plan against it, and end it.

    Args:
        size: Size of the plan.
        seed: Determines every choice, but not the timing of the machine.
        console: Shows the progress.
        within_s: See `PROMISED_S`.
        verbose: Also show the output of the nodes.
    """
    tally, random = Tally(), Random(seed)
    rounds = list(plan(size, random))
    began = time.monotonic()

    def say(text: str) -> None:
        number, passed = tally.rounds.total(), time.monotonic() - began
        if number >= len(rounds):
            console.print(f"[{passed:.0f} s] {text}", markup=False)
            return
        left = passed / max(1, number) * (len(rounds) - number)
        console.print(f"[{number}/{len(rounds)}, {passed:.0f} s, {left:.0f} s left] {text}", markup=False)

    def output(node: str, line: str) -> None:
        if verbose:
            console.print(f"  {node}: {line}", style="dim", markup=False)

    with tempfile.TemporaryDirectory(prefix="dasha_soak_") as folder:
        try:
            clock = _wall_clock(Path(folder), tally)
            with (
                SmallDisk(Path(folder, "reports")) as disk,
                SoakGraph(disk.folder, clock.environment if clock else None, output) as graph,
            ):
                soak = Soak(graph, tally, random, say, disk=disk, clock=clock, within_s=within_s)
                soak.begin()
                for name, disturb in rounds:
                    soak.play(name, disturb)
                soak.play("memory over goals", partial(Soak.measure_memory, goals=size.quiet))
                if size.cycles:
                    soak.play("memory over cycles", partial(Soak.measure_cycles, cycles=size.cycles))
        except SoakError as error:
            tally.breaks(f"the soak could not continue after round {tally.rounds.total()}: {error}")
    return tally


def _wall_clock(folder: Path, tally: Tally) -> WallClock | None:
    try:
        return WallClock(folder)
    except WallClockError as error:
        tally.skipped["clock set"] = str(error)
        return None
