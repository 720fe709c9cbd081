"""What a soak counts, and which of the promises were broken."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Tally:
    """Counts of one soak. Whatever breaks a promise also leaves a sentence in `broken`."""

    kills: int = 0
    """Signals that were sent to a node in the middle of a goal."""
    ended: int = 0
    """Of those: the goal ended, with a code or with word that its server is gone, in time."""
    restored_or_said: int = 0
    """Of those: lens and exposure were back where they were, or the result said that they are not."""
    next_goal_ok: int = 0
    """Of those: the next goal found its object."""
    goals: int = 0
    """All goals that were sent."""
    answered: int = 0
    """Of those: a result, a rejection, or word that the server is gone came in time."""
    stale_successes: int = 0
    """Goals that were said to have found what the scene no longer shows."""
    processes_lost: int = 0
    """Processes that ended although nobody ended them."""
    memory_mb_per_1000_goals: float | None = None
    """Growth of all processes together [MB per 1000 goals]; ``None``: too few goals to tell."""
    memory_error_mb: float | None = None
    """Standard error of that growth [MB per 1000 goals]."""
    flood_hz: float | None = None
    """Hostile messages on each topic in the slowest flood [Hz]; ``None``: there was none."""
    rounds: Counter[str] = field(default_factory=Counter)
    """How often each kind of round was played."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Kinds of rounds that this machine can't play, and why."""
    broken: list[str] = field(default_factory=list)
    """One sentence for each promise that was broken."""

    def breaks(self, sentence: str) -> None:
        """A promise was broken."""
        self.broken.append(sentence)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: every count under its name."""
        return {**vars(self), "rounds": dict(self.rounds)}

    def table(self) -> list[tuple[str, str, str]]:
        """Rows for people: what was counted, the count, and of how many."""
        rows = [
            ("kills and stops in the middle of a goal", str(self.kills), ""),
            ("... whose goal ended in time", str(self.ended), f"of {self.kills}"),
            (
                "... with lens and exposure back, or said not to be",
                str(self.restored_or_said),
                f"of {self.kills}",
            ),
            ("... and the next goal succeeded", str(self.next_goal_ok), f"of {self.kills}"),
            ("goals answered", str(self.answered), f"of {self.goals}"),
            ("successes on a scene that was gone", str(self.stale_successes), "must be 0"),
            ("processes that ended by themselves", str(self.processes_lost), "must be 0"),
        ]
        if self.flood_hz is not None:
            rows.append(("hostile messages a second on each topic, at least", f"{self.flood_hz:.0f}", ""))
        if self.memory_mb_per_1000_goals is not None:
            noise = f"+- {self.memory_error_mb:.1f}" if self.memory_error_mb is not None else ""
            rows.append(("memory, MB in 1000 goals", f"{self.memory_mb_per_1000_goals:.1f}", noise))
        return rows
