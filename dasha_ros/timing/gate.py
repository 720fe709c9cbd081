"""Which commands a driver obeys."""

from __future__ import annotations

import math

FUTURE_NS = 1_000_000_000
"""A command stamped further ahead than this is refused: it would shut out every later one."""


class CommandGate:
    """Admits commands that are numbers in range and newer than the one in force.

    One gate guards one actuator. Two publishers may command it: the newest stamp
    wins, and what arrives late or out of order is refused and counted.
    """

    def __init__(self, quantity: str, unit: str, low: float, high: float) -> None:
        self.quantity, self.unit, self.low, self.high = quantity, unit, low, high
        self.newest_ns = 0
        """Stamp of the newest admitted command, 0 before the first."""
        self.admitted = 0
        self.refused = 0
        self.last_refusal = ""

    def admit(self, value: float, stamp_ns: int, now_ns: int) -> bool:
        """Whether to obey; a refusal is counted and its reason kept in `last_refusal`."""
        reason = self._reason(value, stamp_ns, now_ns)
        if reason:
            self.refused += 1
            self.last_refusal = reason
            return False
        self.admitted += 1
        self.newest_ns = stamp_ns
        return True

    def _reason(self, value: float, stamp_ns: int, now_ns: int) -> str:
        if not math.isfinite(value) or not self.low <= value <= self.high:
            return (
                f"{self.quantity} {value!r} {self.unit} refused: send a number from "
                f"{self.low:g} to {self.high:g} {self.unit}"
            )
        if stamp_ns <= 0:
            return f"{self.quantity} command without a stamp refused: set header.stamp to the time of sending"
        if stamp_ns > now_ns + FUTURE_NS:
            ahead = (stamp_ns - now_ns) / 1e9
            return (
                f"{self.quantity} command stamped {ahead:.1f} s in the future refused: "
                "check the sender's clock"
            )
        if stamp_ns <= self.newest_ns:
            behind = (self.newest_ns - stamp_ns) / 1e6
            return (
                f"{self.quantity} command {behind:.1f} ms older than the one in force refused: "
                "two nodes may be commanding at once"
            )
        return ""
