"""From a percept cache to the policy of A^L that ships, with its card and its results.

Every run of a `Series` is trained, plays validation photographs, and one is chosen (`choice`). Only then are
test photographs played, by every run and by the baselines without a network, which decides nothing any more.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dasha_ros.benchmark.curve import draw_curve
from dasha_ros.benchmark.evaluation import Progress
from dasha_ros.benchmark.methods import BELIEVERS
from dasha_ros.benchmark.model_card import CURVES, evaluations, model_card
from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.shipping.choice import SETTINGS, Candidate, candidates
from dasha_ros.benchmark.shipping.series import Series
from dasha_ros.benchmark.study import Part, focus_study, tables
from dasha_ros.benchmark.trials.journal import Journal
from dasha_ros.files.writing import disk_errors, json_lines, write_whole
from dasha_ros.learning.dataset.cache.cells import Rows
from dasha_ros.learning.dataset.scenes.splits import with_copies
from dasha_ros.learning.evaluation.arenas import CacheArena
from dasha_ros.learning.evaluation.settings import FocusSetting, focus_setting
from dasha_ros.learning.training.run_folder import RunFolder, TrainingError
from dasha_ros.learning.training.train import split_of
from dasha_ros.policies.learned.policy_file import PolicyFile

VALIDATION_EPISODES = 12
"""Episodes of each validation view, from which a run is chosen."""
VALIDATION_SEED = 1_000
"""Apart from the test's, so that no start of one is a start of the other."""


@dataclass(frozen=True)
class Places:
    """Where the files of a policy go."""

    policies: Path
    """For ``NAME_focus.npz`` and its card."""
    curves: Path
    results: Path

    @classmethod
    def within(cls, folder: Path) -> Places:
        """All in one folder."""
        return cls(folder, folder, folder)

    @classmethod
    def of_repository(cls, root: Path) -> Places:
        """Where the package keeps what ships."""
        return cls(root / "config" / "policies", root / CURVES, root / "docs" / "results")


def numbers_of(series: Series, split: int, views: Literal["validation", "test"]) -> list[int]:
    """Numbers of the views of a split, and of their copies under disturbances.

    Raises:
        TrainingError: There is no such split.
    """
    plain: Rows = getattr(split_of(series.cache, split), views)
    return with_copies(series.cache.views, plain)


def on_validation(series: Series, progress: Progress | None = None) -> list[Row]:
    """Rows of every run, and of the baselines, on validation photographs.

    Raises:
        JournalError: The disk is full.
    """
    settings = [focus_setting(name) for name in SETTINGS]
    return _played(
        series, "validation", settings, episodes=VALIDATION_EPISODES, seed=VALIDATION_SEED, progress=progress
    )


def on_test(
    series: Series,
    settings: Sequence[FocusSetting],
    *,
    episodes: int = 6,
    sampled: bool = False,
    progress: Progress | None = None,
) -> list[Row]:
    """The same on test photographs.

    Args:
        series: The runs.
        settings: What is played.
        episodes: For each view and run.
        sampled: Also play with sampled actions.
        progress: Told how far it is.

    Raises:
        JournalError: The disk is full.
    """
    return _played(series, "test", settings, episodes=episodes, seed=0, progress=progress, sampled=sampled)


def _played(
    series: Series,
    views: Literal["validation", "test"],
    settings: Sequence[FocusSetting],
    *,
    episodes: int,
    seed: int,
    progress: Progress | None,
    sampled: bool = False,
) -> list[Row]:
    arena = CacheArena(series.cache)
    parts = [Part(numbers_of(series, number, views), number) for number in series.splits]
    learned = [str(run.policy) for run, _ in series.runs()]
    ways = (False, True) if sampled else (False,)
    rows: list[Row] = []
    with Journal(series.folder / f"{views}.rows") as journal:
        for part in parts:
            rows += focus_study(
                arena, [*learned, *sorted(BELIEVERS)], settings, [part], per_view=episodes, seed=seed,
                sampled=ways, journal=journal, progress=progress,
            )  # fmt: skip
    return rows


def ranked(series: Series, validation: Sequence[Row]) -> list[Candidate]:
    """The runs of the split that ships, the best on validation first.

    Raises:
        TrainingError: None of them was played.
    """
    weight = series.preset.focus.merit_hunting
    found = [one for one in candidates(validation, series.policy, weight) if one.split == series.splits[0]]
    if not found:
        raise TrainingError(f"no run of {series.folder} was played on validation photographs")
    return found


def write_policy(
    series: Series,
    order: Sequence[Candidate],
    validation: Sequence[Row],
    test: Sequence[Row],
    places: Places,
    *,
    limits: Sequence[str] = (),
) -> Path:
    """Write the chosen policy, its card, its learning curve, and the rows and tables of all runs.

    Args:
        series: The runs.
        order: As `ranked` gives them, or those that may ship; the first one is written.
        validation: Rows of validation.
        test: Rows of the test.
        places: Where to.
        limits: More sentences about what it can't do, or how it was chosen.

    Returns:
        The file of the policy.

    Raises:
        TrainingError: The disk is full, or a folder can't be written.
        ModelCardError: No row is about the chosen run.
    """
    chosen = order[0]
    run = RunFolder(series.folder / f"split{chosen.split}_seed{chosen.seed}")
    name = series.stem
    policy, curve = places.policies / f"{name}.npz", places.curves / f"{name}.svg"
    link = Path(os.path.relpath(curve.absolute(), places.policies.absolute())).as_posix()
    merits = ", ".join(f"seed {one.seed} {one.merit:.3f}" for one in order)
    chosen_by = (
        f"The command chose among its runs by validation episodes that no run had played before (merit: "
        f"{merits}), and then played the test once."
    )
    card = model_card(run, test, curve=link, limits=[chosen_by, *limits])
    with disk_errors(TrainingError, places.policies):
        for folder in {places.policies, places.curves, places.results}:
            folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(run.policy, policy)
        write_whole(policy.with_suffix(".md"), card)
        draw_curve(evaluations(run), _kept(run), curve)
        for part, rows in (("validation", validation), ("test", test)):
            stem = places.results / f"{name}-{part}"
            write_whole(stem.with_suffix(".json"), json_lines(rows))
            write_whole(stem.with_suffix(".md"), tables(rows))
    return policy


def _kept(run: RunFolder) -> float:
    """The step at which the network of a run was kept."""
    return float(PolicyFile.load(run.policy, "focus").info.made["validation"]["steps"])
