"""The table of exposure policies: A^H against auto exposure, over the paper's range of light."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dasha_ros.benchmark.evaluation import STEP_MS, Progress
from dasha_ros.benchmark.methods import ExposureMethod
from dasha_ros.benchmark.rows import Row, mean, rows_of, share
from dasha_ros.learning.evaluation.arenas import Arena
from dasha_ros.learning.evaluation.evaluate import ExposureTrial, play_exposure
from dasha_ros.learning.evaluation.settings import EXPOSURE_SETTING, exposure_starts
from dasha_ros.policies.outcome import ErrorCode

SPREAD_KEYS = ("success", "well_exposed", "good_peak", "steps", "max_steps", "seconds", "wall_seconds")
"""What `rows.summary` sums up."""


def play(
    arena: Arena,
    methods: Sequence[ExposureMethod],
    numbers: Sequence[int],
    *,
    per_view: int,
    seed: int,
    progress: Progress | None = None,
) -> list[tuple[ExposureMethod, ExposureTrial]]:
    """Every method from the same starts; see `evaluation.play`.

    Raises:
        DeviceError: A view can't be shown.
    """
    starts = exposure_starts(
        arena.views, numbers, per_view=per_view, seed=seed, lens=arena.lens, table=arena.table
    )
    total = len(starts) * len(methods)
    done: list[tuple[ExposureMethod, ExposureTrial]] = []
    for start in starts:
        for method in methods:
            done.append((method, play_exposure(arena, method.make(start), start, encoder=method.encoder)))
            if progress is not None:
                progress(len(done), total, f"{EXPOSURE_SETTING}: {method.policy}")
    return done


def exposure_rows(
    done: Iterable[tuple[ExposureMethod, ExposureTrial]],
    *,
    split: int | None,
    arena: str,
    step_ms: float = STEP_MS,
) -> list[Row]:
    """One row for each method.

    - what `rows.rows_of` says of the method; ``scenes``, ``episodes``
    - ``success``: share that the policy ended itself, content, with a well-exposed picture
    - ``well_exposed``: share that ended with a mean grey in 60..150 and at most 30 % of the
      pixels bright
    - ``good_peak``: share that ended with the fullest bin in 50..150, the paper's Eq. 7; no exposure
      can put it there in some scenes
    - ``steps``, ``max_steps``: mean and greatest number of exposure commands
    - ``seconds``: mean exposure time; ``wall_seconds``: with ``step_ms`` and the policy's own time
    """
    return rows_of(
        done,
        lambda trials: _numbers(trials, step_ms),
        setting=EXPOSURE_SETTING,
        split=split,
        arena=arena,
    )


def _numbers(trials: Sequence[ExposureTrial], step_ms: float) -> dict[str, Any]:
    count = len(trials)
    return {
        "scenes": len({t.view.name for t in trials}),
        "episodes": count,
        "success": share(t.code is ErrorCode.NONE and t.well_exposed for t in trials),
        "well_exposed": share(t.well_exposed for t in trials),
        "good_peak": share(t.good_peak for t in trials),
        "steps": mean([t.steps for t in trials]),
        "max_steps": max(t.steps for t in trials),
        "seconds": mean([t.seconds for t in trials]),
        "wall_seconds": mean([t.seconds + (t.steps + 1) * (step_ms + t.decide_ms) / 1e3 for t in trials]),
        "decide_ms": mean([t.decide_ms for t in trials]),
    }
