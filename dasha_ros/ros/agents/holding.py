"""What an agent tells while it holds, and how a goal that held ends."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from dasha_ros import msg
from dasha_ros.action import AdjustExposure, AdjustFocus
from dasha_ros.control.hold import Look
from dasha_ros.control.step import HIGH_LEVEL, LOW_LEVEL, ExposureOutcome, FocusOutcome
from dasha_ros.policies.outcome import ErrorCode, explain
from dasha_ros.ros.goals.simple_action_server import ActiveGoal
from dasha_ros.ros.transport.conversions import percept_to_msg

FEEDBACK_S = 0.2
"""Least time between two messages of feedback in which nothing was commanded [s]."""

Outcome = TypeVar("Outcome", ExposureOutcome, FocusOutcome)


class HoldFeedback:
    """The feedback of one goal that holds."""

    def __init__(self, run: ActiveGoal, now: Callable[[], float] = time.monotonic) -> None:
        """Nothing told yet."""
        self._run, self._now = run, now
        self._told_at, self._steps = -math.inf, 0

    def focus(self, look: Look) -> None:
        """Tell of a picture of A^L."""
        if self._is_due(look):
            self._run.feedback(
                AdjustFocus.Feedback(
                    reward=msg.Reward(agent=LOW_LEVEL, step=look.steps),
                    percept=percept_to_msg(look.percept, ""),
                    holding=True,
                    sharpness=look.sharpness,
                )
            )

    def exposure(self, look: Look) -> None:
        """Tell of a picture of A^H."""
        if self._is_due(look):
            self._run.feedback(
                AdjustExposure.Feedback(
                    reward=msg.Reward(agent=HIGH_LEVEL, step=look.steps),
                    percept=percept_to_msg(look.percept, ""),
                )
            )

    def _is_due(self, look: Look) -> bool:
        now = self._now()
        if look.steps == self._steps and now - self._told_at < FEEDBACK_S:
            return False
        self._told_at, self._steps = now, look.steps
        return True


def after_hold(found: Outcome, held: tuple[ErrorCode, str, int]) -> Outcome:
    """How a goal ended that had reached its object, and then held it.

    Args:
        found: How it reached it.
        held: What `control.hold` returned.
    """
    code, what, steps = held
    if isinstance(found, ExposureOutcome):
        return replace(found, code=code, message=explain(code, what), steps=steps)
    return replace(found, code=code, message=explain(code, what), hold_steps=steps)
