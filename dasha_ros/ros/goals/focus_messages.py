"""The messages of a goal of the focus server: its feedback, and the end of its report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dasha_ros.action import FocusOnObject
from dasha_ros.perception.percept import Detection, Percept
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.ros.transport.conversions import detection_from_msg

_SETTINGS = ("exposure_us", "lens_position", "lens_unit", "focus_distance_m")


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
