"""Tells when the lens rests, on this process's steady clock."""

from __future__ import annotations

import math

from dasha_ros.freshness.clock import Clock
from dasha_ros.freshness.newest import NewestMessage
from dasha_ros.freshness.state import NOWHERE, LensMove, LensState

SETTLING_MAX_S = 10.0
"""Longer than any lens takes to settle."""


class LensRest:
    """Follows the states of the lens.

    A state says how long the lens will still settle. This time is counted from the state's arrival, which is
    never before it was sent: the lens may rest earlier than computed, but never later.

    Attributes:
        state: The newest state, `None` before the first.
        rest_ns: When the lens rests, on the steady clock; 0 before the first state.
    """

    def __init__(self, clock: Clock) -> None:
        """Start without a state; ``clock`` is a steady clock."""
        self._clock = clock
        self._newest = NewestMessage()
        self.state: LensState | None = None
        self.rest_ns = 0

    def hear(self, state: LensState) -> bool:
        """Note a state; returns whether it requires a new picture."""
        now_ns = self._clock.now_ns()
        if not self._newest.is_newest(state.driver, state.sequence, now_ns):
            return False
        before, self.state = self.state, state
        rest_ns = now_ns + round(_left_s(state) * 1e9)
        if before is None or before.last_move != state.last_move:
            self.rest_ns = rest_ns
            return True
        self.rest_ns = min(self.rest_ns, rest_ns)
        return bool(before.faults) != bool(state.faults)

    def position_at(self, begun_ns: int) -> LensMove:
        """The move after which the lens rested at ``begun_ns``; `NOWHERE` if it did not rest."""
        state = self.state
        if state is None or state.faults or begun_ns < self.rest_ns:
            return NOWHERE
        return state.last_move


def _left_s(state: LensState) -> float:
    if state.settled:
        return 0.0
    left_s = state.settle_s
    return min(max(0.0, left_s), SETTLING_MAX_S) if math.isfinite(left_s) else SETTLING_MAX_S
