"""The messages of a goal of the focus server: requests to the agents, its feedback, the end of its report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dasha_ros import msg
from dasha_ros.action import AdjustExposure, AdjustFocus, FocusOnObject
from dasha_ros.config import FocusServerConfig
from dasha_ros.perception.percept import Box, Detection, Percept
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.ros.goals.requests import labels_of, selection_of
from dasha_ros.ros.transport.conversions import box_to_msg, detection_from_msg

_WANTED = ("labels", "any_object", "by_priority", "min_score")
_SETTINGS = ("exposure_us", "lens_position", "lens_unit", "focus_distance_m")


@dataclass(frozen=True)
class WantedGoal:
    """A goal's request, with defaults filled in."""

    labels: tuple[str, ...]
    any_object: bool
    by_priority: bool
    region: Box | None
    min_distance_m: float
    max_distance_m: float
    min_score: float
    max_brisque: float
    max_steps: int
    max_seconds: float
    keep_exposure: bool
    hold: bool


def wanted_goal(request: Any, config: FocusServerConfig) -> WantedGoal:
    """The goal of a request.

    Raises:
        SelectionError: Its region is none.
    """
    region = selection_of(request)[1].region
    return WantedGoal(
        labels=labels_of(request),
        any_object=request.any_object,
        by_priority=request.by_priority,
        region=None if region is None else region.edges,
        min_distance_m=request.min_distance_m,
        max_distance_m=request.max_distance_m,
        min_score=request.min_score or config.min_score,
        max_brisque=request.max_brisque or config.max_brisque,
        max_steps=request.max_steps or config.max_steps,
        max_seconds=request.max_seconds or config.max_seconds,
        keep_exposure=request.keep_exposure,
        hold=request.hold,
    )


def exposure_request(goal: WantedGoal, **more: Any) -> AdjustExposure.Goal:
    """What A^H is asked: the goal's object, and ``more`` fields."""
    return AdjustExposure.Goal(**_wanted(goal), **more)


def focus_request(goal: WantedGoal, **more: Any) -> AdjustFocus.Goal:
    """What A^L is asked: the goal's object, where to look for it, and ``more`` fields."""
    return AdjustFocus.Goal(
        **_wanted(goal),
        min_distance_m=goal.min_distance_m,
        max_distance_m=goal.max_distance_m,
        max_brisque=goal.max_brisque,
        **more,
    )


def _wanted(goal: WantedGoal) -> dict[str, Any]:
    fields = {name: getattr(goal, name) for name in _WANTED}
    return {**fields, "labels": list(goal.labels), "region": box_to_msg(goal.region)}


def progress(
    phase: int,
    step: int,
    percept: Percept,
    seen: Sequence[Detection],
    *,
    reward: float = 0.0,
    sharpness: float = math.nan,
) -> FocusOnObject.Feedback:
    """The feedback of one step.

    Args:
        phase: The goal's phase.
        step: Number of steps of both agents together.
        percept: The percept that the step was rewarded for.
        seen: What counts in it, the most wanted first.
        reward: The step's reward.
        sharpness: Of a held object; NaN: not known, or not held.
    """
    return FocusOnObject.Feedback(
        phase=phase,
        step=step,
        exposure_us=float(percept.capture.exposure_us),
        lens_position=float(percept.lens.commanded_position),
        lens_unit=percept.lens.unit,
        focus_distance_m=float(percept.lens.focus_distance_m),
        best_score=float(seen[0].score) if seen else 0.0,
        brisque=float(percept.brisque),
        reward=reward,
        sharpness=float(sharpness),
    )


def returning(step: int, settings: Mapping[str, Any]) -> FocusOnObject.Feedback:
    """The feedback when camera and lens begin to go back to where they were.

    Args:
        step: Number of steps of both agents together.
        settings: Those in force, under the names of the message.
    """
    return FocusOnObject.Feedback(
        phase=msg.FocusState.RESTORING, step=step, brisque=math.nan, sharpness=math.nan, **settings
    )


def report_end(result: FocusOnObject.Result) -> tuple[dict[str, Any], dict[str, Any]]:
    """Outcome and final settings for the report of a goal."""
    outcome = {
        "error_code": result.error_code,
        "error_name": ErrorCode(result.error_code).name,
        "error_msg": result.error_msg,
        "detection": detection_from_msg(result.detection) if result.detection.label else None,
        "brisque": result.brisque,
        "exposure_steps": result.exposure_steps,
        "focus_steps": result.focus_steps,
        "hold_steps": result.hold_steps,
        "seconds": result.seconds,
    }
    return outcome, {name: getattr(result, name) for name in _SETTINGS}
