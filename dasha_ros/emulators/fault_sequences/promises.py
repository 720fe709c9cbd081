"""Plays sequences of random faults, counts what happened, and reports broken promises."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random


class PromiseBroken(Exception):
    """A driver did what it must never do; the message says how to repeat it."""


@dataclass
class Tally:
    """Counts of a run."""

    sequences: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    """Calls of the driver by outcome."""
    faults: Counter[str] = field(default_factory=Counter)
    """Faults by kind."""
    recoveries: int = 0
    longest_call_s: float = 0.0

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Measure a call of the driver."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self.longest_call_s = max(self.longest_call_s, time.monotonic() - begin)

    def __str__(self) -> str:
        """A summary of three lines."""
        calls = ", ".join(f"{count} {name}" for name, count in self.calls.most_common())
        faults = ", ".join(f"{count} {name}" for name, count in self.faults.most_common())
        return (
            f"{self.sequences} sequences, {self.recoveries} recoveries,"
            f" longest call {self.longest_call_s:.3f} s\n"
            f"  calls:  {calls}\n  faults: {faults}"
        )


Sequencer = Callable[[Random, Tally], None]
"""Plays one sequence of faults against one driver.

Raises:
    PromiseBroken: The driver broke a promise.
"""


def play_sequences(name: str, play: Sequencer, sequences: int, seed: int, first: int = 0) -> Tally:
    """Play ``sequences`` sequences of faults.

    Args:
        name: Name of the driver, for messages.
        play: Plays one sequence.
        sequences: Number of sequences.
        seed: Seed; each sequence depends only on it and on its own number.
        first: Number of the first sequence.

    Raises:
        PromiseBroken: The driver broke a promise; the message has the seed and number that repeat it.
    """
    tally = Tally()
    for number in range(first, first + sequences):
        try:
            play(Random(f"{name}:{seed}:{number}"), tally)
        except PromiseBroken as error:
            raise PromiseBroken(f"{name}, --seed {seed} --first {number}: {error}") from error
        tally.sequences += 1
    return tally
