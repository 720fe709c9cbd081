"""Plays focus methods in settings and sums the trials up in rows."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence

from dasha_ros.benchmark.methods import FocusMethod, Scene, exposure_methods
from dasha_ros.benchmark.rows import Row, mean, rows_of, share
from dasha_ros.benchmark.trials.intervals import mean_of, share_of
from dasha_ros.benchmark.trials.journal import Journal
from dasha_ros.benchmark.trials.row import EpisodeRow, episode_id, episode_row, trial_of
from dasha_ros.devices.twin.camera import FRAME_LATENCY_S
from dasha_ros.learning.evaluation.arenas import Arena
from dasha_ros.learning.evaluation.evaluate import FocusTrial, play_focus
from dasha_ros.learning.evaluation.settings import FocusSetting, focus_starts
from dasha_ros.perception.encoders.joint import joined
from dasha_ros.policies.moves import HUNTING_REVERSALS
from dasha_ros.policies.outcome import ErrorCode

HAND_OVER_POLICY = "histogram"
"""A^H of settings with a hand-over, unless another is named."""
STEP_MS = 1000.0 * FRAME_LATENCY_S
REACHED_MOVES = 20
"""Up to so many moves a row tells how many episodes had been in focus."""
Progress = Callable[[int, int, str], None]
"""Called with how many episodes are done, of how many, and what is played."""
SPREAD_KEYS = (
    "success", "within_2px", "within_1px", "false_found", "detected", "moves_first", "moves_settled",
    "frames", "hunting", "actuations", "seconds", "wall_seconds", "af_steps", "af_seconds",
)  # fmt: skip
"""What `rows.summary` sums up."""


def play(
    arena: Arena,
    methods: Sequence[FocusMethod],
    setting: FocusSetting,
    numbers: Sequence[int],
    *,
    per_view: int,
    seed: int,
    split: int | None = None,
    exposure: str = HAND_OVER_POLICY,
    journal: Journal | None = None,
    progress: Progress | None = None,
) -> list[tuple[FocusMethod, FocusTrial]]:
    """Every method from the same starts: fixed episodes for each view. Ctrl-C keeps what is done.

    Args:
        arena: Where.
        methods: Who.
        setting: What is drawn.
        numbers: Numbers of the views to use.
        per_view: Episodes of each method for each view.
        seed: Seed of the starts.
        split: The split whose training photographs rivals know.
        exposure: Name of the A^H policy, where the setting has a hand-over.
        journal: Keeps a row for each episode (`trials.row.episode_row`); what it holds is not played again.
        progress: Told how far it is.

    Raises:
        DeviceError: A view can't be shown.
        JournalError: A row of the journal can't be one, or can't be written.
    """
    starts = focus_starts(
        setting, arena.views, numbers, per_view=per_view, seed=seed, lens=arena.lens, table=arena.table
    )
    total = len(starts) * len(methods)
    done: list[tuple[FocusMethod, FocusTrial]] = []
    kept = journal or Journal()
    first = exposure_methods(exposure)[0] if setting.hand_over else None
    # Views outermost: reading photographs costs more than making policies.
    for start in starts:
        for method in methods:
            view = arena.views[start.view]
            what = arena.name, setting.name, split, view, start, first and (exposure, first.digest)
            name = episode_id(method, *what)
            row = kept.take(name, model=EpisodeRow)
            if row is None:
                policy = method.make(Scene(arena, setting, start))
                acts = first.make(start) if first is not None else None
                encoder = joined([method.encoder, *([first.encoder] if first is not None else [])])
                trial = play_focus(arena, policy, start, encoder=encoder, exposure=acts)
                row = kept.add(
                    name, episode_row(method, trial, setting=setting.name, split=split, arena=arena.name)
                )
            # Also of a new one, so that an evaluation that was resumed sums up to the same numbers.
            done.append((method, trial_of(row, view, start)))
            if progress is not None:
                progress(len(done), total, f"{setting.name}: {method.policy}")
    return done


def focus_rows(
    done: Iterable[tuple[FocusMethod, FocusTrial]],
    setting: str,
    *,
    split: int | None,
    arena: str,
    step_ms: float = STEP_MS,
) -> list[Row]:
    """One row for each method.

    Keys of `benchmark.focus` (``policy``, ``scenes``, ``episodes``, ``success``, ``within_2px``,
    ``within_1px``, ``detected``, ``moves_first``, ``moves_settled``, ``hunting``, ``seconds``,
    ``median_blur_px``) mean the same here; ``frames`` counts A^L's pictures with the one at the
    start. And:

    - what `rows.rows_of` says of the method
    - ``false_found``: share that ended "found" although the object was more than 2 px off
    - ``KEY_low``, ``KEY_high`` of ``within_2px``, ``within_1px``, ``false_found``, ``hunting``,
      ``moves_first``, ``moves_settled``: 95 % interval by photograph (`trials.intervals`)
    - ``actuations``: moves that changed what the driver board puts out
    - ``wall_seconds``: exposure, settling, and ``step_ms`` and the policy's own time for each frame
    - ``af_steps``, ``af_seconds``: the paper's metrics: moves and wall time until the end, of the
      episodes that ended focused
    - ``decide_ms``: the policy's time for a decision
    - ``reached``: share that had been within 2 px after 0, 1, .. 20 moves
    """
    return rows_of(done, lambda trials: _numbers(trials, step_ms), setting=setting, split=split, arena=arena)


def _numbers(trials: Sequence[FocusTrial], step_ms: float) -> Row:
    wall = [t.seconds + t.frames * (step_ms + t.decide_ms) / 1e3 for t in trials]
    focused = [i for i, t in enumerate(trials) if t.focused]
    return {
        "scenes": len({t.view.name for t in trials}),
        "episodes": len(trials),
        "success": share(t.code is ErrorCode.NONE and t.detected and t.focused for t in trials),
        "within_2px": share(t.focused for t in trials),
        "within_1px": share(t.blur_px <= 1.0 for t in trials),
        "false_found": share(t.false_found for t in trials),
        "detected": share(t.detected for t in trials),
        "moves_first": mean([t.moves_first for t in trials if t.moves_first is not None]),
        "moves_settled": mean([t.moves_settled for t in trials]),
        "frames": mean([t.frames for t in trials]),
        "hunting": share(t.reversals >= HUNTING_REVERSALS for t in trials),
        "actuations": mean([t.actuations for t in trials]),
        "seconds": mean([t.seconds for t in trials]),
        "wall_seconds": mean(wall),
        "af_steps": mean([trials[i].moves_settled for i in focused]),
        "af_seconds": mean([wall[i] for i in focused]),
        "median_blur_px": round(statistics.median(t.blur_px for t in trials), 3),
        "decide_ms": mean([t.decide_ms for t in trials]),
        "reached": [
            share(t.moves_first is not None and t.moves_first <= moves for t in trials)
            for moves in range(REACHED_MOVES + 1)
        ],
        **_intervals(trials),
    }


def _intervals(trials: Sequence[FocusTrial]) -> Row:
    """Intervals by photograph; a view of two photographs is a cluster of its own."""
    measures: dict[str, Callable[[FocusTrial], float | None]] = {
        "within_2px": lambda t: t.focused,
        "within_1px": lambda t: t.blur_px <= 1.0,
        "false_found": lambda t: t.false_found,
        "hunting": lambda t: t.reversals >= HUNTING_REVERSALS,
        "moves_first": lambda t: t.moves_first,
        "moves_settled": lambda t: t.moves_settled,
    }
    found: Row = {}
    for key, measure in measures.items():
        clusters: dict[str, list[float]] = {}
        for trial in trials:
            if (value := measure(trial)) is not None:
                clusters.setdefault("+".join(trial.view.photographs), []).append(float(value))
        if clusters:
            made = mean_of(clusters) if key.startswith("moves") else share_of(clusters)
            for end, value in (("low", made.low), ("high", made.high)):
                found[f"{key}_{end}"] = None if value is None else round(value, 4)
    return found
