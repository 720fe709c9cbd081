"""One episode as a row: who played, from where, along which way, and how it ended."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from dasha_ros import __version__
from dasha_ros.benchmark.methods import FocusMethod
from dasha_ros.benchmark.rows import Row, identity
from dasha_ros.learning.dataset.scenes.views import ViewInfo
from dasha_ros.learning.evaluation.evaluate import FocusTrial
from dasha_ros.learning.evaluation.settings import Start
from dasha_ros.policies.moves import HUNTING_REVERSALS
from dasha_ros.policies.outcome import ErrorCode

FORMAT = 2
"""Raise it when a key is added to a row or comes to mean something else: older rows are then not taken."""


def _known(code: str) -> str:
    if code not in ErrorCode.__members__:
        raise ValueError(f"there are {', '.join(ErrorCode.__members__)}")
    return code


class EpisodeRow(BaseModel):
    """What `episode_row` writes; a row of a file that lacks a part of it is of no use."""

    model_config = ConfigDict(strict=True)

    setting: str
    policy: str
    reference_based: bool
    policy_seed: int | None
    split: int | None
    sampled: bool
    arena: str
    view: str
    object: str
    photographs: list[str]
    start: float
    object_dioptres: float
    drift_dioptres: float
    illuminance_lx: float
    exposure_us: float
    seed: int
    code: Annotated[str, AfterValidator(_known)]
    detected: bool
    box: Annotated[list[float], Field(min_length=4, max_length=4)] | None
    blur_px: float
    within_2px: bool
    within_1px: bool
    false_found: bool
    moves_first: int | None
    moves_settled: int
    frames: int
    reversals: int
    hunting: bool
    actuations: int
    seconds: float
    decide_ms: float
    trajectory: Annotated[list[float], Field(min_length=1)]
    trajectory_px: Annotated[list[float], Field(min_length=1)]


def episode_id(method: FocusMethod, *what: Any) -> str:
    """Names an episode: equal for equal policies, versions of the package, and starts (``what``)."""
    who = FORMAT, __version__, method.policy, method.policy_seed, method.sampled, method.digest
    return hashlib.sha256(repr((*who, *what)).encode()).hexdigest()[:20]


def trial_of(row: Row, view: ViewInfo, start: Start) -> FocusTrial:
    """The trial of a row from `episode_row`; numbers are rounded as there."""
    return FocusTrial(
        view=view,
        code=ErrorCode[row["code"]],
        detected=row["detected"],
        blur_px=row["blur_px"],
        moves_first=row["moves_first"],
        moves_settled=row["moves_settled"],
        frames=row["frames"],
        reversals=row["reversals"],
        actuations=row["actuations"],
        seconds=row["seconds"],
        decide_ms=row["decide_ms"],
        positions=tuple(row["trajectory"]),
        blurs_px=tuple(row["trajectory_px"]),
        start=start,
        box=tuple(row["box"]) if row["box"] else None,
    )


def episode_row(
    method: FocusMethod, trial: FocusTrial, *, setting: str, split: int | None, arena: str
) -> Row:
    """The row of an episode.

    - ``setting``, ``arena``, ``split``, ``policy``, ``policy_seed``, ``sampled``, ``reference_based`` as in
      `rows.rows_of`
    - ``view``, ``object`` (its label), ``photographs``
    - ``start``: position of the lens; ``object_dioptres``, ``drift_dioptres``, ``illuminance_lx``,
      ``exposure_us``, ``seed``: the rest of the start
    - ``code``: how it ended; ``NONE`` means "found". ``detected``, ``blur_px``, ``within_2px``,
      ``within_1px``: the end; ``box``: x0, y0, x1, y1 of the detection there, as shares of the picture;
      ``false_found``: it ended "found" more than 2 px off
    - ``trajectory``, ``trajectory_px``: commanded positions from the start on, and the true blur radius there
    - ``moves_first``, ``moves_settled``, ``frames``, ``reversals``, ``hunting``, ``actuations``, ``seconds``,
      ``decide_ms``: as in `evaluation.focus_rows`
    """
    start = trial.start
    return {
        **identity(method, setting=setting, split=split, arena=arena),
        "view": trial.view.name,
        "object": trial.view.label,
        "photographs": list(trial.view.photographs),
        "start": round(start.position, 4),
        "object_dioptres": round(start.object_dioptres, 5),
        "drift_dioptres": round(start.drift_dioptres, 5),
        "illuminance_lx": round(start.illuminance_lx, 3),
        "exposure_us": start.exposure_us,
        "seed": start.seed,
        "code": ErrorCode(trial.code).name,
        "detected": trial.detected,
        "box": [round(edge, 4) for edge in trial.box] if trial.box else None,
        "blur_px": round(trial.blur_px, 3),
        "within_2px": trial.focused,
        "within_1px": trial.blur_px <= 1.0,
        "false_found": trial.false_found,
        "moves_first": trial.moves_first,
        "moves_settled": trial.moves_settled,
        "frames": trial.frames,
        "reversals": trial.reversals,
        "hunting": trial.reversals >= HUNTING_REVERSALS,
        "actuations": trial.actuations,
        "seconds": round(trial.seconds, 4),
        "decide_ms": round(trial.decide_ms, 3),
        "trajectory": [round(position, 4) for position in trial.positions],
        "trajectory_px": [round(blur, 3) for blur in trial.blurs_px],
    }
