"""The counts of a soak, and the promises that were broken."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Tally:
    """Counts of one soak. Every broken promise also adds a sentence to `broken`."""

    kills: int = 0
    """Signals that were sent to a node during a goal."""
    ended: int = 0
    """Those after which the goal ended in time, with a result or because its server was gone."""
    restored_or_said: int = 0
    """Those after which lens and exposure were restored, or the result said that they were not."""
    next_goal_ok: int = 0
    """Those after which the next goal found its object."""
    goals: int = 0
    """All goals."""
    answered: int = 0
    """Goals that ended in time: with a result, a rejection, or because the server was gone."""
    stale_successes: int = 0
    """Goals that reported an object that the scene no longer showed."""
    processes_lost: int = 0
    """Processes that ended by themselves."""
    middleware_stops: int = 0
    """Processes that ended because Fast DDS waited for itself in them; see `middleware_watch`."""
    played_again: list[str] = field(default_factory=list)
    """The rounds that broke a promise because of that. They count for nothing, and were played again."""
    memory_mb_per_1000_goals: float | None = None
    """Growth of all processes together [MB per 1000 goals]; ``None`` after too few goals."""
    memory_error_mb: float | None = None
    """Standard error of the growth [MB per 1000 goals]."""
    memory_mb_per_1000_cycles: float | None = None
    """Growth of all nodes together when each is cleaned up and brought up again [MB per 1000 cycles]."""
    memory_error_mb_cycles: float | None = None
    """Standard error of that growth [MB per 1000 cycles]."""
    memory_of_each: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)
    """Growth and standard error of each process [MB per 1000], over ``goals`` and over ``cycles``."""
    flood_hz: float | None = None
    """Hostile messages on each topic in the slowest flood [Hz]; ``None`` if there was no flood."""
    rounds: Counter[str] = field(default_factory=Counter)
    """Number of rounds of each kind."""
    skipped: dict[str, str] = field(default_factory=dict)
    """The kinds of rounds that this machine can't play, and why."""
    broken: list[str] = field(default_factory=list)
    """One sentence for each broken promise."""

    def breaks(self, sentence: str) -> None:
        """Add a broken promise."""
        self.broken.append(sentence)

    @property
    def unexplained(self) -> tuple[int, int]:
        """Counts of what no stop of the middleware explains. A round that adds to them counts."""
        return self.stale_successes, self.processes_lost

    def void(self, before: Tally, name: str) -> None:
        """Take back all that was counted since ``before`` in a round that is played again."""
        kept = {"middleware_stops": self.middleware_stops, "played_again": [*self.played_again, name]}
        vars(self).update(vars(deepcopy(before)), **kept)

    def as_dict(self) -> dict[str, Any]:
        """Every count by name, for JSON."""
        return {**vars(self), "rounds": dict(self.rounds)}

    def table(self) -> list[tuple[str, str, str]]:
        """Rows of a table for the user: name, count, and total."""
        rows = [
            ("kills and stops during a goal", str(self.kills), ""),
            ("... whose goal ended in time", str(self.ended), f"of {self.kills}"),
            (
                "... with lens and exposure restored, or reported as not restored",
                str(self.restored_or_said),
                f"of {self.kills}",
            ),
            ("... and the next goal succeeded", str(self.next_goal_ok), f"of {self.kills}"),
            ("goals answered", str(self.answered), f"of {self.goals}"),
            ("successes on an outdated scene", str(self.stale_successes), "must be 0"),
            ("processes that ended by themselves", str(self.processes_lost), "must be 0"),
        ]
        if self.middleware_stops:
            rows.append(("processes that ended because Fast DDS stopped", str(self.middleware_stops), ""))
        if self.played_again:
            rows.append(("... rounds played again for it", str(len(self.played_again)), ""))
        if self.flood_hz is not None:
            rows.append(("hostile messages per second on each topic, at least", f"{self.flood_hz:.0f}", ""))
        for what, growth, error in (
            ("goals", self.memory_mb_per_1000_goals, self.memory_error_mb),
            ("cycles", self.memory_mb_per_1000_cycles, self.memory_error_mb_cycles),
        ):
            if growth is not None:
                noise = f"+- {error:.1f}" if error is not None else ""
                rows.append((f"memory growth, MB per 1000 {what}", f"{growth:.1f}", noise))
                rows += [
                    (f"... of {name}", f"{slope:.2f}", f"+- {own:.2f}")
                    for name, (slope, own) in sorted(self.memory_of_each.get(what, {}).items())
                ]
        return rows
