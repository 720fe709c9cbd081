"""When the lens rests, judged by the steady clock of whoever asks."""

from __future__ import annotations

import math

from dasha_ros.freshness.clock import Clock
from dasha_ros.freshness.speaker import Speaker
from dasha_ros.freshness.state import NOWHERE, LensMove, LensState

SETTLING_MAX_S = 10.0
"""Longer than any lens takes to settle."""


class LensRest:
    """Follows what the lens driver says.

    A state tells how long the lens still settles. That time begins when the state is heard,
    which is never before it was said: the lens may rest earlier than it is thought to, never later.

    Attributes:
        state: The newest, `None` before the first.
        rest_ns: When the lens rests, on the steady clock; 0 before the first state.
    """

    def __init__(self, clock: Clock) -> None:
        """Begin with nothing heard; ``clock`` is a steady one."""
        self._clock = clock
        self._speaker = Speaker()
        self.state: LensState | None = None
        self.rest_ns = 0

    def hear(self, state: LensState) -> bool:
        """The driver said something. Returns whether that asks for a new picture."""
        now_ns = self._clock.now_ns()
        if not self._speaker.is_news(state.driver, state.sequence, now_ns):
            return False
        before, self.state = self.state, state
        rest_ns = now_ns + round(_left_s(state) * 1e9)
        if before is None or before.last_move != state.last_move:
            self.rest_ns = rest_ns
            return True
        self.rest_ns = min(self.rest_ns, rest_ns)
        return bool(before.faults) != bool(state.faults)

    def position_at(self, begun_ns: int) -> LensMove:
        """Where the lens rested, on the steady clock, as far as is known now; `NOWHERE` if it did not."""
        state = self.state
        if state is None or state.faults or begun_ns < self.rest_ns:
            return NOWHERE
        return state.last_move


def _left_s(state: LensState) -> float:
    if state.settled:
        return 0.0
    left_s = state.settle_s
    return min(max(0.0, left_s), SETTLING_MAX_S) if math.isfinite(left_s) else SETTLING_MAX_S
