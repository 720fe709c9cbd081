"""Every policy under every stress, from the same starts, and the table of what each stress costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dasha_ros.benchmark import evaluation
from dasha_ros.benchmark.evaluation import Progress
from dasha_ros.benchmark.methods import ORACLE, MethodError, focus_methods
from dasha_ros.benchmark.rows import Row, share
from dasha_ros.benchmark.study import NONE_LEFT, Part
from dasha_ros.benchmark.table import markdown
from dasha_ros.benchmark.trials.journal import Journal
from dasha_ros.benchmark.trials.summary import NOTE, shown, summed
from dasha_ros.benchmark.trials.titles import own_titles
from dasha_ros.learning.dataset.scenes.views import View
from dasha_ros.learning.evaluation.settings import FocusSetting, focus_setting
from dasha_ros.learning.evaluation.stressed import StressArena
from dasha_ros.perception.pipeline import Perception
from dasha_ros.twin.stress.stress import STRESSES, Stress

PREFIX = "stress_"
"""Begins the name of a row's setting; the stress's name follows."""
_OF_FINDABLE = ("within_2px", "hunting", "moves_settled")
"""Also summed over the episodes alone whose object can be found."""
_FINDABLE_WORDS = """
*Object can be found*: the share of the starts from which the detector found the object at the end of any of
these policies, among them `oracle`, which goes to where the object is sharp at the start.
"""
_COLUMNS = (
    "stress", "policy", "episodes", "within_2px", "within_1px", "false_found", "hunting", "moves_first",
    "moves_settled", "findable", "within_2px_findable", "moves_settled_findable",
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
    """Every policy under every stress, and `ORACLE` beside them; see `evaluation.play`.

    `ORACLE` goes to the focus, as it was at the start: what is detected neither there nor at the end of any
    other policy counts as not findable.

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
        A row for each stress and policy; see `stress_rows`.

    Raises:
        MethodError: There is no plane, or no policy may play.
        DeviceError: A view can't be shown.
        JournalError: A row of the journal can't be one, or can't be written.
    """
    wide = focus_setting("planes_wide")
    titles, known = own_titles(names, "focus"), part.knowledge[0]
    methods = [
        each
        for name in names
        for each in focus_methods(name, knowledge=known, seed=seed, title=titles.get(name))
    ]
    infos = [view.info for view in views]
    if not any(
        wide.shows(infos[number]) for numbers, _ in part.shared_out(infos, methods) for number in numbers
    ):
        raise MethodError(f"nothing to play: there is no plane, or {NONE_LEFT}")
    if ORACLE not in names:
        methods += focus_methods(ORACLE)
    shares = list(part.shared_out(infos, methods))
    rows: list[Row] = []
    for name, stress in stresses.items():
        arena = StressArena(views, perception, stress)
        setting = FocusSetting(PREFIX + name, wide.kind, wide.band_m)
        before = len(journal.played)
        for numbers, group in shares:
            evaluation.play(
                arena, group, setting, numbers, per_view=per_view, seed=seed, split=part.split,
                journal=journal, progress=progress,
            )  # fmt: skip
        for row in stress_rows(journal.played[before:]):
            rows.append(row)
            if keep is not None:
                keep(row)
    return rows


def stress_rows(played: Iterable[Row]) -> list[Row]:
    """Rows of episodes summed up for each stress and policy by `summary.summed`, by photograph.

    And:

    - ``stress``: its name
    - ``findable``: share of the starts from which the detector found the object at the end of any policy,
      `ORACLE` among them
    - ``within_2px_findable``, ``hunting_findable``, ``moves_settled_findable``: the same measures over these
      episodes alone, with intervals
    """
    rows = list(played)
    findable: dict[tuple[Any, ...], bool] = {}
    for row in rows:
        findable[_start(row)] = findable.get(_start(row), False) or bool(row["detected"])
    lines = _summed(rows)
    of_findable = {_who(line): line for line in _summed([row for row in rows if findable[_start(row)]])}
    result: list[Row] = []
    for line in lines:
        name = str(line["setting"])
        mine = [found for start, found in findable.items() if start[0] == name]
        fewer = of_findable.get(_who(line), {})
        extra: Row = {"findable": share(mine)}
        for key in _OF_FINDABLE:
            extra |= {f"{key}_findable{end}": fewer.get(f"{key}{end}") for end in ("", "_low", "_high")}
        result.append({"stress": name.removeprefix(PREFIX), **line, **extra})
    return result


def _summed(rows: Sequence[Row]) -> list[Row]:
    return summed(rows, lambda row: str(row["view"]), lambda row: str(row["photographs"][0]))


def _start(row: Row) -> tuple[Any, ...]:
    """From where an episode began, whoever played it."""
    return row["setting"], row["view"], row["start"], row["object_dioptres"], row["seed"]


def _who(line: Row) -> tuple[Any, ...]:
    return line["setting"], line["policy"], line["policy_seed"], line["sampled"]


def stress_table(rows: Sequence[Row]) -> str:
    """Markdown: a line for each stress and policy, and what the stresses and the columns are."""
    names = list(dict.fromkeys(str(row["stress"]) for row in rows))
    words = "\n".join(f"- `{name}`: {STRESSES[name].words}" for name in names)
    note = NOTE if any(row["reference_based"] for row in rows) else ""
    return f"{markdown([shown(row) for row in rows], _COLUMNS)}{note}{_FINDABLE_WORDS}\n{words}\n"
