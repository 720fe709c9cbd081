"""Every policy under every stress, from the same starts, and the table of what each stress costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from dasha_ros.benchmark import evaluation
from dasha_ros.benchmark.evaluation import Progress
from dasha_ros.benchmark.methods import MethodError, focus_methods
from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.study import Part
from dasha_ros.benchmark.table import markdown
from dasha_ros.benchmark.trials.journal import Journal
from dasha_ros.benchmark.trials.summary import summed
from dasha_ros.learning.dataset.scenes.views import View
from dasha_ros.learning.evaluation.settings import FocusSetting, focus_setting
from dasha_ros.learning.evaluation.stressed import StressArena
from dasha_ros.perception.pipeline import Perception
from dasha_ros.twin.stress.stress import STRESSES, Stress

PREFIX = "stress_"
"""Begins the name of a row's setting; the stress's name follows."""
_COLUMNS = (
    "stress", "policy", "episodes", "within_2px", "within_1px", "false_found", "hunting", "moves_first",
    "moves_settled",
)  # fmt: skip


def chosen_stresses(names: Sequence[str]) -> dict[str, Stress]:
    """Stresses by name; all, if no name is given.

    Raises:
        MethodError: A name is unknown; the message lists the known ones.
    """
    if unknown := [name for name in names if name not in STRESSES]:
        raise MethodError(f"no stress {unknown[0]!r}; there are: {', '.join(STRESSES)}")
    return {name: STRESSES[name] for name in names or STRESSES}


def play_stresses(
    views: Sequence[View],
    perception: Perception,
    names: Sequence[str],
    stresses: dict[str, Stress],
    part: Part,
    *,
    journal: Journal,
    per_view: int,
    seed: int = 0,
    progress: Progress | None = None,
    keep: Callable[[Row], None] | None = None,
) -> list[Row]:
    """Every policy under every stress; see `evaluation.play`.

    Args:
        views: All views; those of planes are played.
        perception: Reads the frames, with the latents that the policies read.
        names: The policies.
        stresses: By name.
        part: Which views, and what rivals know.
        journal: Keeps a row for each episode; what it holds is not played again.
        per_view: Episodes of each policy for each view.
        seed: Seed of the starts, which are the same under every stress.
        progress: Told how far it is.
        keep: Given the row of a policy under a stress as soon as it is complete.

    Returns:
        A row for each stress and policy: `summary.summed` by photograph, with ``stress``.

    Raises:
        MethodError: There is no plane, or no policy may play.
        DeviceError: A view can't be shown.
    """
    wide = focus_setting("planes_wide")
    methods = [each for name in names for each in focus_methods(name, knowledge=part.knowledge[0], seed=seed)]
    methods = [each for each in methods if each.split is None or part.split in {None, each.split}]
    if not methods or not any(wide.shows(views[number].info) for number in part.numbers):
        raise MethodError("nothing to play: there is no plane, or every policy was learned on another split")
    rows: list[Row] = []
    for name, stress in stresses.items():
        arena = StressArena(views, perception, stress)
        setting = FocusSetting(PREFIX + name, wide.kind, wide.band_m)
        before = len(journal.played)
        evaluation.play(
            arena, methods, setting, part.numbers, per_view=per_view, seed=seed, split=part.split,
            journal=journal, progress=progress,
        )  # fmt: skip
        for row in stress_rows(journal.played[before:]):
            rows.append(row)
            if keep is not None:
                keep(row)
    return rows


def stress_rows(played: Iterable[Row]) -> list[Row]:
    """Rows of episodes summed up for each stress and policy, with intervals by photograph."""
    lines = summed(list(played), lambda row: str(row["view"]), lambda row: str(row["photographs"][0]))
    return [{"stress": str(line["setting"]).removeprefix(PREFIX), **line} for line in lines]


def stress_table(rows: Sequence[Row]) -> str:
    """Markdown: a line for each stress and policy, and what the stresses are."""
    names = list(dict.fromkeys(str(row["stress"]) for row in rows))
    words = "\n".join(f"- `{name}`: {STRESSES[name].words}" for name in names)
    return f"{markdown(list(rows), _COLUMNS)}\n{words}\n"
