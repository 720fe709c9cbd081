"""How goals end that a learner plays: by the rules of its preset, as in every other place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from dasha_ros.learning.training.presets import Preset
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.reached import exposure_verdict, focus_verdict

Verdict = Callable[[Percept, FocusTask], tuple[ErrorCode, str]]


def verdict_of(preset: Preset, agent: Literal["exposure", "focus"]) -> Verdict:
    """Tells how an episode ends whose last percept is given: the code, and what happened.

    Args:
        preset: Its rules count.
        agent: Whose episodes.
    """
    if agent == "focus":
        return focus_verdict
    rule = preset.exposure.rule
    return lambda percept, task: exposure_verdict(rule, percept)
