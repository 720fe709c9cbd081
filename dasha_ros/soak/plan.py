"""Chooses and orders the rounds of a soak; the same seed gives the same rounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice, product
from random import Random

from dasha_ros.soak import rounds
from dasha_ros.soak.rounds import NODES, SIGNALS, Round

OTHERS: dict[str, Round] = {
    "scene gone": rounds.scene_gone,
    "cancelled": rounds.cancelled,
    "burst": rounds.burst,
    "light changed": rounds.light_changed,
    "transitions": rounds.transitions,
    "disk full": rounds.disk_full,
    "clock set": rounds.clock_set,
    "hostile flood": rounds.hostile_flood,
    "undisturbed": rounds.undisturbed,
}
"""All rounds that send no signal, by name."""


@dataclass(frozen=True)
class Size:
    """Length of a soak."""

    signals: int
    """Rounds that send a node a signal during a goal."""
    others: int
    """Rounds of each other kind."""
    quiet: int
    """Undisturbed goals after all rounds, over which memory is measured."""
    cycles: int = 0
    """Lifecycle cycles of every node after that, over which memory is measured again."""

    @staticmethod
    def of(signals: int) -> Size:
        """A soak with this many signals, and everything else in proportion."""
        share = signals / FULL.signals
        return Size(signals, max(1, round(FULL.others * share)), max(QUICK.quiet, round(FULL.quiet * share)))


FULL = Size(signals=200, others=25, quiet=300)
QUICK = Size(signals=8, others=1, quiet=30)
MEMORY = Size(signals=0, others=0, quiet=2000, cycles=500)
"""No faults at all: only whether the processes grow."""


def plan(size: Size, random: Random) -> Iterator[tuple[str, Round]]:
    """All rounds of a soak with their names, shuffled; every node gets every signal in turn."""
    every = list(product(SIGNALS, NODES))
    random.shuffle(every)
    named: list[tuple[str, Round]] = [
        (f"SIG{how} to {node}", partial(rounds.signal_node, node, how))
        for how, node in islice(cycle(every), size.signals)
    ]
    named += [item for item in OTHERS.items() for _ in range(size.others)]
    random.shuffle(named)
    yield from named
