"""What a soak is made of: sequences of random faults, promises to keep, and a tally."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random


class PromiseBroken(Exception):
    """What must never happen happened; the message says how to repeat it."""


@dataclass
class Tally:
    """What a soak did."""

    sequences: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    """Calls of the driver by their outcome."""
    faults: Counter[str] = field(default_factory=Counter)
    """Faults by their kind."""
    recoveries: int = 0
    longest_call_s: float = 0.0

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Note how long a call of the driver took."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self.longest_call_s = max(self.longest_call_s, time.monotonic() - begin)

    def __str__(self) -> str:
        """For people."""
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


def soak(name: str, play: Sequencer, sequences: int, seed: int, first: int = 0) -> Tally:
    """Play ``sequences`` sequences of faults.

    Args:
        name: Of the driver, for messages.
        play: Plays one.
        sequences: How many.
        seed: Of the randomness; each sequence depends on it and on its own number only.
        first: Number of the first sequence.

    Raises:
        PromiseBroken: With the seed and the number of the sequence that repeats it.
    """
    tally = Tally()
    for number in range(first, first + sequences):
        try:
            play(Random(f"{name}:{seed}:{number}"), tally)
        except PromiseBroken as error:
            raise PromiseBroken(f"{name}, --seed {seed} --first {number}: {error}") from error
        tally.sequences += 1
    return tally
