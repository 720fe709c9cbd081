"""Which runs may ship by real pictures: those that find objects there, and do not call blurred ones found.

Runs that play alike on the twin differ by four times in how often they end "found" on a blurred object of a
real focal stack. So a run ships only if it keeps every one of `REQUIRED`, however well it plays on the twin.
Stacks only set runs aside; among the others, validation chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from dasha_ros.benchmark.methods import perception_for
from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.shipping.choice import Candidate
from dasha_ros.benchmark.shipping.series import Series
from dasha_ros.benchmark.trials.journal import Journal
from dasha_ros.benchmark.trials.stacks import Progress, StackStudy, play_stacks, stack_methods
from dasha_ros.benchmark.trials.summary import ALL, NEAR, stack_rows
from dasha_ros.devices.stack.description import Stack
from dasha_ros.learning.training.run_folder import TrainingError
from dasha_ros.optics.tone import Tone


@dataclass(frozen=True)
class Requirement:
    """What a run must reach on some objects with one response curve."""

    tone: Tone
    objects: str
    """`ALL` or `NEAR`; see `stack_rows`."""
    within_2px: float
    """Least share of episodes that end within 2 px of their object's focus."""
    false_found: float
    """Greatest share of episodes that end "found" farther away."""


REQUIRED = (
    Requirement("linear", ALL, within_2px=0.93, false_found=0.02),
    Requirement("linear", NEAR, within_2px=0.90, false_found=0.04),
    Requirement("srgb", ALL, within_2px=0.90, false_found=0.04),
)


def on_stacks(
    series: Series, stacks: Sequence[Stack], study: StackStudy, progress: Progress | None = None
) -> list[Row]:
    """How the runs of the split that ships play on focal stacks, with either response curve.

    Args:
        series: The runs.
        stacks: What they play; none plays a stack that can't be used.
        study: Told which stacks can't be used, and why.
        progress: Told how far it is.

    Returns:
        Rows as those of `stack_rows`.

    Raises:
        JournalError: The disk is full.
        StackError: No stack can be used.
    """
    files = [str(run.policy) for run, info in series.runs() if info.split == series.splits[0]]
    methods, perception = stack_methods(files), perception_for(files, "focus")
    rows: list[Row] = []
    for tone in get_args(Tone):
        with Journal(series.folder / f"stacks_{tone}.rows") as journal:
            played = play_stacks(
                stacks, methods, perception, journal, tone=tone, progress=progress, study=study
            )
        rows += stack_rows(played)
    return rows


def allowed(order: Sequence[Candidate], rows: Sequence[Row]) -> list[Candidate]:
    """The candidates that may ship, in the same order.

    Args:
        order: The runs, the best on validation first.
        rows: As `on_stacks` returns them.

    Raises:
        TrainingError: None of them may, and what they missed; or a run was not played.
    """
    found = [one for one in order if not _missed(one, rows)]
    if not found:
        missed = "; ".join(f"seed {one.seed}: {', '.join(_missed(one, rows))}" for one in order)
        raise TrainingError(
            f"none of these runs ships, because on real focal stacks none is good enough ({missed}): give "
            "other seeds with --seed, in the same folder; what is trained is kept"
        )
    return found


def said(order: Sequence[Candidate], rows: Sequence[Row]) -> str:
    """What each run reached: the share within 2 px, and of "found" farther away."""
    return "; ".join(
        f"seed {one.seed}: "
        + ", ".join(
            f"{_named(need)} {100.0 * row['within_2px']:.1f} and {100.0 * row['false_found']:.1f} %"
            for need, row in _reached(one, rows)
        )
        for one in order
    )


def _missed(one: Candidate, rows: Sequence[Row]) -> list[str]:
    """What a run did not reach of `REQUIRED`, in words."""
    missed = []
    for need, row in _reached(one, rows):
        if row["within_2px"] < need.within_2px:
            missed.append(
                f"{_named(need)}: {100.0 * row['within_2px']:.1f} % within 2 px, at least "
                f"{100.0 * need.within_2px:g} % are asked for"
            )
        if row["false_found"] > need.false_found:
            missed.append(
                f'{_named(need)}: {100.0 * row["false_found"]:.1f} % "found" on a blurred object, at most '
                f"{100.0 * need.false_found:g} % may be"
            )
    return missed


def _named(need: Requirement) -> str:
    return f"{need.tone}, {need.objects} objects"


def _reached(one: Candidate, rows: Sequence[Row]) -> list[tuple[Requirement, Row]]:
    """A run's row for each requirement. Where stacks hold no near object, nothing is required of them.

    Raises:
        TrainingError: This run was not played.
    """
    mine = {(row["setting"], row["objects"]): row for row in rows if row["policy_seed"] == one.seed}
    found = []
    for need in REQUIRED:
        row = mine.get((f"stacks_{need.tone}", need.objects))
        if row is not None:
            found.append((need, row))
        elif need.objects == ALL:
            raise TrainingError(
                f"the run of seed {one.seed} was not played on the stacks in {need.tone} tone"
            )
    return found
