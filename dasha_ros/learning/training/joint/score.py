"""Scores both agents together, as deployed: A^L moves only after A^H has handed over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dasha_ros.learning.dataset.scenes.views import Kind
from dasha_ros.learning.evaluation.arenas import Arena
from dasha_ros.learning.evaluation.evaluate import play_focus
from dasha_ros.learning.evaluation.settings import FocusSetting, Start, focus_starts
from dasha_ros.learning.training.preset_models import Preset
from dasha_ros.perception.encoders.joint import joined
from dasha_ros.policies.learned.exposure import LearnedExposure
from dasha_ros.policies.learned.focus import LearnedFocus
from dasha_ros.policies.outcome import ErrorCode

EPISODES = 200
_MOST_MOVES = 60
"""The default of a goal over the graph."""


@dataclass(frozen=True)
class JointScore:
    """Shares and means over all episodes, from any exposure and any place of the lens."""

    episodes: int
    handed_over: float
    """Share of episodes in which A^H handed over."""
    succeeded: float
    """Share of goals that ended without error, with the object detected and within 2 px."""
    within_2px: float
    within_1px: float
    cut_off: float
    """Share of episodes in which A^L never came to rest."""
    commands: float
    """Mean number of exposure commands."""
    moves: float
    """Mean number of lens commands."""
    frames: float


def score_joint(
    arena: Arena,
    preset: Preset,
    views: Sequence[int],
    exposure: LearnedExposure,
    focus: LearnedFocus,
    *,
    episodes: int = EPISODES,
    seed: int = 0,
) -> JointScore:
    """Play goals of both agents.

    Args:
        arena: Where the goals take place.
        preset: Tells distances and drift.
        views: Numbers of the views; each gets equally many episodes.
        exposure: Policy of A^H.
        focus: Policy of A^L.
        episodes: Least number of episodes.
        seed: Seed of starts and noise.
    """
    starts = _starts(arena, preset, views, episodes, seed)
    encoder = joined([exposure.file.info.encoder, focus.file.info.encoder])
    trials, commands = [], 0
    for start in starts:
        trials.append(
            play_focus(arena, focus, start, encoder=encoder, exposure=exposure, max_moves=_MOST_MOVES)
        )
        commands += arena.usage.exposures
    count = len(trials)
    return JointScore(
        episodes=count,
        handed_over=sum(t.code is not ErrorCode.EXPOSURE_NOT_REACHED for t in trials) / count,
        succeeded=sum(t.code is ErrorCode.NONE and t.detected and t.focused for t in trials) / count,
        within_2px=sum(t.focused for t in trials) / count,
        within_1px=sum(t.blur_px <= 1.0 for t in trials) / count,
        cut_off=sum(t.code is ErrorCode.STEPS_EXHAUSTED for t in trials) / count,
        commands=commands / count,
        moves=sum(t.moves_settled for t in trials) / count,
        frames=sum(t.frames for t in trials) / count,
    )


def _starts(arena: Arena, preset: Preset, views: Sequence[int], episodes: int, seed: int) -> list[Start]:
    world = preset.focus.world
    present = {arena.views[number].kind for number in views}
    kinds: set[Kind] = present if world.composite_share or "plane" not in present else {"plane"}
    shown = [number for number in views if arena.views[number].kind in kinds]
    return [
        start
        for kind in sorted(kinds)
        for start in focus_starts(
            FocusSetting("joint", kind, world.distance_m, world.drift_dioptres, any_exposure=True),
            arena.views,
            shown,
            per_view=-(-episodes // len(shown)),
            seed=seed,
            lens=arena.lens,
            table=arena.table,
        )
    ]
