"""Which run of a series ships: the one that plays best on validation photographs, as deployed.

A run keeps its best network by its own evaluations on the same photographs, so one lucky evaluation can make
a run look good. Here every run plays the same, other episodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from dasha_ros.benchmark.rows import Row
from dasha_ros.learning.training.score import merit

SETTINGS = ("planes_wide", "two_depths")
"""What is played to choose; each counts the same."""


@dataclass(frozen=True)
class Candidate:
    """A run and how well it played."""

    seed: int
    split: int
    merit: float
    """See `learning.training.score.merit`; the mean over `SETTINGS`."""


def candidates(rows: Sequence[Row], policy: str, hunting_weight: float) -> list[Candidate]:
    """The runs of a policy, the best first; among equals the least seed.

    Args:
        rows: Rows of validation (`benchmark.evaluation.focus_rows`).
        policy: Whose rows count.
        hunting_weight: Weight of hunting; see `FocusPreset.merit_hunting`.
    """
    merits: dict[tuple[int, int], list[float]] = {}
    for row in rows:
        if row["policy"] == policy and not row["sampled"] and row["setting"] in SETTINGS:
            merits.setdefault((row["policy_seed"], row["split"]), []).append(
                merit(
                    within_2px=row["within_2px"],
                    within_1px=row["within_1px"],
                    moves_settled=row["moves_settled"],
                    hunting=row["hunting"],
                    hunting_weight=hunting_weight,
                )
            )
    found = [Candidate(seed, split, round(fmean(values), 4)) for (seed, split), values in merits.items()]
    return sorted(found, key=lambda one: (-one.merit, one.seed))
