"""Which rounds a soak plays, in which order: the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice, product
from random import Random

from dasha_ros.soak import rounds
from dasha_ros.soak.rounds import BLOWS, VICTIMS, Round

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
"""All rounds without a blow, by name."""


@dataclass(frozen=True)
class Size:
    """How long a soak is."""

    blows: int
    """Rounds in which a node is hurt in the middle of a goal."""
    others: int
    """Rounds of every other kind, each."""
    quiet: int
    """Undisturbed goals after all rounds, over which memory is measured."""

    @staticmethod
    def of(blows: int) -> Size:
        """A soak of so many blows, and of everything else in proportion."""
        share = blows / FULL.blows
        return Size(blows, max(1, round(FULL.others * share)), max(QUICK.quiet, round(FULL.quiet * share)))


FULL = Size(blows=200, others=25, quiet=300)
QUICK = Size(blows=8, others=1, quiet=30)


def plan(size: Size, random: Random) -> Iterator[tuple[str, Round]]:
    """All rounds of a soak with their names, shuffled; every node gets every blow in turn."""
    every = list(product(BLOWS, VICTIMS))
    random.shuffle(every)
    named: list[tuple[str, Round]] = [
        (f"SIG{how} to {victim}", partial(rounds.blow, victim, how))
        for how, victim in islice(cycle(every), size.blows)
    ]
    named += [item for item in OTHERS.items() for _ in range(size.others)]
    random.shuffle(named)
    yield from named
