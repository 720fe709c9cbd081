"""How a learner's goals end: by the rules of its preset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from dasha_ros.learning.training.preset_models import Preset
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.reached import exposure_verdict, focus_verdict

Verdict = Callable[[Percept, FocusTask], tuple[ErrorCode, str]]


def verdict_of(preset: Preset, agent: Literal["exposure", "focus"]) -> Verdict:
    """A function that returns the error code of an episode, and what happened, from its last percept.

    Args:
        preset: Tells the rules.
        agent: Which agent plays.
    """
    if agent == "focus":
        return focus_verdict
    rule = preset.exposure.rule
    return lambda percept, task: exposure_verdict(rule, percept)
