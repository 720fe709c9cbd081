"""A whole comparison, methods x settings x splits, as rows; and the tables made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dasha_ros.benchmark import evaluation, exposure
from dasha_ros.benchmark.evaluation import HAND_OVER_POLICY, STEP_MS, Progress
from dasha_ros.benchmark.methods import (
    FocusMethod,
    Knowledge,
    Method,
    MethodError,
    exposure_methods,
    focus_methods,
)
from dasha_ros.benchmark.rows import Row, summary
from dasha_ros.benchmark.table import markdown
from dasha_ros.benchmark.trials.journal import Journal
from dasha_ros.benchmark.trials.summary import shown
from dasha_ros.benchmark.trials.titles import own_titles
from dasha_ros.learning.dataset.scenes.views import ViewInfo
from dasha_ros.learning.evaluation.arenas import Arena
from dasha_ros.learning.evaluation.settings import (
    EXPOSURE_SETTING,
    LIGHT_LX,
    FocusSetting,
    exposure_setting,
)

FOCUS_COLUMNS = (
    "policy", "runs", "episodes", "within_2px", "within_1px", "false_found", "detected", "moves_first",
    "moves_settled", "frames", "hunting", "actuations", "wall_seconds", "af_steps", "af_seconds",
)  # fmt: skip
EXPOSURE_COLUMNS = (
    "policy", "runs", "episodes", "success", "well_exposed", "possible", "reached_possible", "good_peak",
    "steps", "max_steps", "seconds",
)  # fmt: skip


AnyMethod = TypeVar("AnyMethod", bound=Method[Any, Any])


NONE_LEFT = (
    "every policy was learned on another split, or from all of these photographs: give other "
    "photographs, or other policies"
)
"""Why nobody plays."""


@dataclass(frozen=True)
class Part:
    """The views of one test: those of a split, or all of a folder."""

    numbers: Sequence[int]
    split: int | None = None
    knowledge: Sequence[Knowledge] = (Knowledge(),)
    """What the rivals learned on the split's training photographs; several: several training seeds."""
    pictures: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of the views' photographs by name, so that nobody plays on one that he knows."""

    def numbers_for(self, views: Sequence[ViewInfo], *players: Method[Any, Any]) -> tuple[int, ...]:
        """The views that methods that play together may play: none of them learned from one."""
        return tuple(
            number
            for number in self.numbers
            if all(player.may_play(self.split, self._shown(views[number])) for player in players)
        )

    def shared_out(
        self, views: Sequence[ViewInfo], methods: Sequence[AnyMethod], *before: Method[Any, Any]
    ) -> Iterator[tuple[tuple[int, ...], list[AnyMethod]]]:
        """The methods by the views that they may play, after those that play ``before`` all of them.

        Methods with the same views stay together, because reading photographs costs more than playing.
        """
        groups: dict[tuple[int, ...], list[AnyMethod]] = {}
        for method in methods:
            if numbers := self.numbers_for(views, method, *before):
                groups.setdefault(numbers, []).append(method)
        yield from groups.items()

    def known_to(self, views: Sequence[ViewInfo], method: Method[Any, Any]) -> list[str]:
        """Names of the photographs that a method learned from."""
        known = method.learned_from or frozenset()
        names = (name for number in self.numbers for name in views[number].photographs)
        return [name for name in dict.fromkeys(names) if self.pictures.get(name) in known]

    def _shown(self, view: ViewInfo) -> list[str]:
        return [self.pictures[name] for name in view.photographs if name in self.pictures]


def focus_study(
    arena: Arena,
    names: Sequence[str],
    settings: Sequence[FocusSetting],
    parts: Sequence[Part],
    *,
    per_view: int,
    sampled: Sequence[bool] = (False,),
    seed: int = 0,
    exposure_policy: str = HAND_OVER_POLICY,
    step_ms: float = STEP_MS,
    journal: Journal | None = None,
    progress: Progress | None = None,
    keep: Callable[[Row], None] | None = None,
) -> list[Row]:
    """Every policy in every setting on every part.

    What learned plays only on the split it learned from: it has seen the test views of the others. And no
    policy plays on a photograph from which it, or the A^H before it, learned.

    Args:
        arena: Where.
        names: Policies by name; see `methods.focus_methods`.
        settings: What is drawn.
        parts: Which views.
        per_view: Episodes for each view and method.
        sampled: Ways of acting of learned policies.
        seed: Seed of the starts.
        exposure_policy: A^H, where a setting has a hand-over.
        step_ms: Transport and reading of a frame [ms].
        journal: Keeps a row for each episode; what it holds is not played again.
        progress: Told how far each setting is.
        keep: Given every row as soon as it is complete, so that an interrupted study keeps them.

    Returns:
        One row for each policy, seed, split, way of acting and setting; see `evaluation.focus_rows`.

    Raises:
        MethodError: A name is unknown, no policy may play on any part, or A^H may not play on all of them.
        PolicyFileError: A learned policy can't be read.
        DeviceError: A view can't be shown.
        JournalError: A row of the journal can't be one, or can't be written.
    """
    if any(setting.hand_over for setting in settings):
        _refuse_seen(exposure_policy, parts)
    views = arena.views
    rows: list[Row] = []
    own = own_titles(names, "focus")
    titled = [(name, own.get(name)) for name in names]
    for setting in settings:
        for part in parts:
            methods = _focus_methods(titled, part, sampled, seed)
            before = exposure_methods(exposure_policy)[:1] if setting.hand_over else []
            for numbers, group in part.shared_out(views, methods, *before):
                if not any(setting.shows(views[number]) for number in numbers):
                    continue
                done = evaluation.play(
                    arena, group, setting, numbers, per_view=per_view, seed=seed,
                    split=part.split, exposure=exposure_policy, journal=journal, progress=progress,
                )  # fmt: skip
                new = evaluation.focus_rows(
                    done, setting.name, split=part.split, arena=arena.name, step_ms=step_ms
                )
                rows += new
                for row in new:
                    if keep is not None:
                        keep(row)
    if not rows:
        raise MethodError(f"nothing to play: no view is one of the settings', or {NONE_LEFT}")
    return rows


def exposure_study(
    arena: Arena,
    names: Sequence[str],
    parts: Sequence[Part],
    *,
    per_view: int,
    sampled: Sequence[bool] = (False,),
    seed: int = 0,
    step_ms: float = STEP_MS,
    lights_lx: Sequence[tuple[float, float]] = (LIGHT_LX,),
    progress: Progress | None = None,
    keep: Callable[[Row], None] | None = None,
) -> list[Row]:
    """The same for A^H; see `focus_study`. ``lights_lx``: least and most light of each setting [lx].

    Raises:
        MethodError: No policy may play on any part.
        PolicyFileError: A learned policy can't be read.
        UnknownPolicyError: A name is unknown.
        DeviceError: A view can't be shown.
    """
    rows: list[Row] = []
    titles = own_titles(names, "exposure")
    for part in parts:
        methods = [
            method
            for name in names
            for method in exposure_methods(name, sampled=sampled, seed=seed, title=titles.get(name))
        ]
        shares = list(part.shared_out(arena.views, methods))
        for light_lx in lights_lx:
            for numbers, group in shares:
                done = exposure.play(
                    arena, group, numbers, per_view=per_view, seed=seed, light_lx=light_lx, progress=progress
                )
                new = exposure.exposure_rows(
                    done, split=part.split, arena=arena.name, setting=exposure_setting(light_lx),
                    step_ms=step_ms,
                )  # fmt: skip
                rows += new
                for row in new:
                    if keep is not None:
                        keep(row)
    if not rows:
        raise MethodError(f"nothing to play: {NONE_LEFT}")
    return rows


def _refuse_seen(exposure_policy: str, parts: Sequence[Part]) -> None:
    """Refuse an A^H that has seen test views, because a table does not tell who handed over.

    Raises:
        MethodError: It has.
    """
    for method in exposure_methods(exposure_policy):
        if seen := [part.split for part in parts if not method.may_play(part.split)]:
            raise MethodError(
                f"A^H {exposure_policy} learned from split {method.split}'s photographs, and may have "
                f"seen the test views of split {', '.join(map(str, seen))}: let it hand over on split "
                f"{method.split} alone (--splits 1 is split 0 alone), or take another A^H"
            )


def _focus_methods(
    titled: Sequence[tuple[str, str | None]], part: Part, sampled: Sequence[bool], seed: int
) -> list[FocusMethod]:
    """The methods of names, each with its title."""
    methods: list[FocusMethod] = []
    for name, title in titled:
        several = part.knowledge if name == "ten_dqn" else part.knowledge[:1]
        for known in several:
            methods += focus_methods(name, sampled=sampled, knowledge=known, seed=seed, title=title)
    return methods


def tables(rows: Sequence[Row]) -> str:
    """Markdown: one table for each setting, mean over seeds and splits; the spread in the JSON alone."""
    text = []
    for setting in dict.fromkeys(row["setting"] for row in rows):
        mine = [row for row in rows if row["setting"] == setting]
        is_exposure = setting.startswith(EXPOSURE_SETTING)
        keys = exposure.SPREAD_KEYS if is_exposure else evaluation.SPREAD_KEYS
        columns = EXPOSURE_COLUMNS if is_exposure else FOCUS_COLUMNS
        lines = [shown(row) for row in summary(mine, keys)]
        text.append(f"### {setting}\n\n{markdown(lines, columns)}")
    notes = (
        "\n\\* reference-based: it sees the twin's truth.\n"
        if any(r["reference_based"] for r in rows)
        else ""
    )
    return "\n".join(text) + notes
