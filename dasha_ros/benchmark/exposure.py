"""The table of exposure policies: A^H against auto exposure, over the paper's range of light or any other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dasha_ros.benchmark.evaluation import STEP_MS, Progress
from dasha_ros.benchmark.methods import ExposureMethod
from dasha_ros.benchmark.rows import Row, mean, rows_of, share
from dasha_ros.learning.evaluation.arenas import Arena
from dasha_ros.learning.evaluation.evaluate import ExposureTrial, exposure_is_possible, play_exposure
from dasha_ros.learning.evaluation.settings import (
    EXPOSURE_SETTING,
    LIGHT_LX,
    exposure_setting,
    exposure_starts,
)
from dasha_ros.policies.outcome import ErrorCode

SPREAD_KEYS = (
    "success", "well_exposed", "good_peak", "possible", "reached_possible", "steps", "max_steps", "seconds",
    "wall_seconds",
)  # fmt: skip
"""What `rows.summary` sums up."""


def play(
    arena: Arena,
    methods: Sequence[ExposureMethod],
    numbers: Sequence[int],
    *,
    per_view: int,
    seed: int,
    light_lx: tuple[float, float] = LIGHT_LX,
    progress: Progress | None = None,
) -> list[tuple[ExposureMethod, ExposureTrial]]:
    """Every method from the same starts; see `evaluation.play`.

    Args:
        arena: As in `evaluation.play`, like the arguments that are not named here.
        methods: See there.
        numbers: See there.
        per_view: See there.
        seed: See there.
        light_lx: Least and most light [lx].
        progress: See there.

    Raises:
        DeviceError: A view can't be shown.
    """
    starts = exposure_starts(
        arena.views,
        numbers,
        per_view=per_view,
        seed=seed,
        lens=arena.lens,
        table=arena.table,
        light_lx=light_lx,
    )
    total = len(starts) * len(methods)
    done: list[tuple[ExposureMethod, ExposureTrial]] = []
    for start in starts:
        possible = exposure_is_possible(arena, start)
        for method in methods:
            trial = play_exposure(arena, method.make(start), start, encoder=method.encoder, possible=possible)
            done.append((method, trial))
            if progress is not None:
                progress(len(done), total, f"{exposure_setting(light_lx)}: {method.policy}")
    return done


def exposure_rows(
    done: Iterable[tuple[ExposureMethod, ExposureTrial]],
    *,
    split: int | None,
    arena: str,
    setting: str = EXPOSURE_SETTING,
    step_ms: float = STEP_MS,
) -> list[Row]:
    """One row for each method.

    - what `rows.rows_of` says of the method; ``scenes``, ``episodes``
    - ``success``: share that the policy ended itself, content, with a well-exposed picture
    - ``well_exposed``: share that ended with a mean grey in 60..150 and at most 30 % of the
      pixels bright
    - ``good_peak``: share that ended with the fullest bin in 50..150, the paper's Eq. 7; no exposure
      can put it there in some scenes
    - ``possible``: share in which some exposure makes a well-exposed picture; ``reached_possible``: share of
      these that ended with one
    - ``steps``, ``max_steps``: mean and greatest number of exposure commands, in these alone; all three are
      ``None`` where nothing is possible
    - ``seconds``: mean exposure time; ``wall_seconds``: with ``step_ms`` and the policy's own time
    """
    return rows_of(
        done,
        lambda trials: _numbers(trials, step_ms),
        setting=setting,
        split=split,
        arena=arena,
    )


def _numbers(trials: Sequence[ExposureTrial], step_ms: float) -> dict[str, Any]:
    count = len(trials)
    could = [t for t in trials if t.possible]
    return {
        "scenes": len({t.view.name for t in trials}),
        "episodes": count,
        "success": share(t.code is ErrorCode.NONE and t.well_exposed for t in trials),
        "well_exposed": share(t.well_exposed for t in trials),
        "good_peak": share(t.good_peak for t in trials),
        "possible": share(t.possible for t in trials),
        "reached_possible": share(t.well_exposed for t in could) if could else None,
        "steps": mean([t.steps for t in could]),
        "max_steps": max((t.steps for t in could), default=None),
        "seconds": mean([t.seconds for t in trials]),
        "wall_seconds": mean([t.seconds + (t.steps + 1) * (step_ms + t.decide_ms) / 1e3 for t in trials]),
        "decide_ms": mean([t.decide_ms for t in trials]),
    }
