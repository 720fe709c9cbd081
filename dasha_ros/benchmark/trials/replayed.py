"""Whether a replayed goal ends as the recorded one did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from dasha_ros.benchmark.episodes import Goal
from dasha_ros.optics.lens import LensModel
from dasha_ros.policies.outcome import ErrorCode

SAME_PX = 1.0
"""Two lens positions are the same end if they differ by at most this blur [px at 640]: half of what counts as
in focus."""


@dataclass(frozen=True, slots=True)
class End:
    """How one goal ended."""

    code: ErrorCode
    label: str
    """Of the object found; empty: none."""
    lens_position: float
    """In the lens's unit."""
    exposure_us: float
    steps: int
    """Commands of both agents."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A goal as it was recorded, and the same goal in its replay."""

    goal: Goal
    seed: int
    recorded: End
    replayed: End
    apart_px: float
    """Blur between both lens positions [px at 640]."""

    @classmethod
    def of(cls, goal: Goal, seed: int, recorded: End, replayed: End, lens: LensModel) -> Replayed:
        """Compare two ends; ``lens`` is the one that both were played with."""
        there, here = (lens.dioptres(end.lens_position) for end in (recorded, replayed))
        return cls(goal, seed, recorded, replayed, abs(lens.blur_px(here, there)))

    @property
    def is_same(self) -> bool:
        """Whether code, label and focus are the same."""
        return (
            self.recorded.code is self.replayed.code
            and self.recorded.label == self.replayed.label
            and self.apart_px <= SAME_PX
        )


def row(pair: Replayed) -> dict[str, Any]:
    """One pair, for a table or a file."""
    ends = {
        f"{name}_{key}": value.name if isinstance(value, ErrorCode) else value
        for name, end in (("recorded", pair.recorded), ("replayed", pair.replayed))
        for key, value in asdict(end).items()
    }
    place = {"scene": pair.goal.scene, "label": pair.goal.label, "seed": pair.seed}
    return {**place, **ends, "apart_px": round(pair.apart_px, 3), "same": pair.is_same}


def summary(pairs: Iterable[Replayed]) -> str:
    """One sentence about all of them."""
    all_of_them = list(pairs)
    same = sum(pair.is_same for pair in all_of_them)
    found = sum(pair.recorded.code is ErrorCode.NONE for pair in all_of_them)
    return (
        f"{same} of {len(all_of_them)} replayed goals ended as the recorded ones, of which {found} had "
        "found their object"
    )
