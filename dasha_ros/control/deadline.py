"""The longest time of a goal, as a reason to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from dasha_ros.control.step import Interrupt
from dasha_ros.policies.outcome import ErrorCode


def within(
    seconds: float, interrupted: Interrupt | None = None, now: Callable[[], float] = time.monotonic
) -> Interrupt:
    """Stop with ``TIME_EXHAUSTED`` once so much time has passed from this call on.

    Args:
        seconds: The longest time [s]; 0: no limit.
        interrupted: Other reasons to stop; they come first.
        now: The clock that counts [s]. On a rig in one process, give its own: it jumps.

    Raises:
        ValueError: ``seconds`` is negative or no number.
    """
    if trouble := seconds_trouble(seconds):
        raise ValueError(trouble)
    ends = now() + seconds

    def stop() -> ErrorCode | None:
        reason = interrupted() if interrupted is not None else None
        return reason or (ErrorCode.TIME_EXHAUSTED if seconds and now() >= ends else None)

    return stop


def seconds_trouble(seconds: float) -> str:
    """Why this is no longest time of a goal; empty if it is one."""
    if math.isfinite(seconds) and seconds >= 0.0:
        return ""
    return f"max_seconds is {seconds:g}: give a number of seconds, or 0 for no limit of your own"
