"""Floods a graph with hostile messages, and sends goals during and after the flood.

``python -m dasha_ros.soak.flooded --seconds 60 --goals 20`` starts its own graph. Exit code 1: a goal after
the flood failed, or a process ended.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

from rich.console import Console

from dasha_ros.soak.disk import SmallDisk
from dasha_ros.soak.floods import RATE_HZ, Floods
from dasha_ros.soak.graph import SoakGraph
from dasha_ros.soak.soak import ANSWER_S, Soak
from dasha_ros.soak.tally import Tally


def flooded(soak: Soak, seconds: float, goals: int, rate_hz: float, seed: int) -> dict[str, object]:
    """Flood a graph, and send goals during and after the flood.

    Returns:
        For JSON: the rates, how the goals during the flood ended, and how many goals after it succeeded.
    """
    during: Counter[str] = Counter()
    with Floods(seconds, seed, rate_hz) as flood:
        while not flood.is_over():
            ending = soak.end_of(soak.send(soak.shown.label), ANSWER_S, "a goal in the flood")
            during[str(ending and ending.code)] += 1
        rates = flood.rates_hz()
    after = [soak.finds_what_is_shown(f"after the flood, goal {number}") for number in range(1, goals + 1)]
    return {
        "rates_hz": {topic: round(rate) for topic, rate in rates.items()},
        "codes_of_goals_during": dict(during),
        "goals_after": goals,
        "succeeded_after": sum(after),
        "processes_lost": soak.graph.lost,
        "middleware_stops": soak.graph.stopped,
        "broken": soak.tally.broken,
    }


def main(args: Sequence[str] | None = None) -> int:
    """Print the effects of a flood as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the flood")
    parser.add_argument("--rate", type=float, default=RATE_HZ, help="messages on each topic [Hz]")
    parser.add_argument("--goals", type=int, default=20, help="after it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true", help="show the output of the nodes")
    options = parser.parse_args(args)
    console = Console(stderr=True, highlight=False, soft_wrap=True)

    def output(node: str, line: str) -> None:
        if options.verbose:
            console.print(f"  {node}: {line}", style="dim", markup=False)

    with (
        tempfile.TemporaryDirectory(prefix="dasha_flooded_") as folder,
        SmallDisk(Path(folder, "reports")) as disk,
        SoakGraph(disk.folder, output=output) as graph,
    ):
        say = lambda text: console.print(text, markup=False)  # noqa: E731
        soak = Soak(graph, Tally(), Random(options.seed), say, disk=disk, clock=None)
        soak.begin()
        told = flooded(soak, options.seconds, options.goals, options.rate, options.seed)
    print(json.dumps(told, indent=2))
    return 0 if told["succeeded_after"] == options.goals and not told["processes_lost"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
