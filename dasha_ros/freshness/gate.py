"""Decides which commands a driver obeys."""

from __future__ import annotations

import math

from dasha_ros.freshness.command import CommandId

SENDERS_KEPT = 256
"""Senders to remember: a flood of invented names must not fill the memory."""


class CommandGate:
    """Admits commands whose value is in range and which are newer than their sender's earlier ones.

    One gate guards one actuator, which several nodes may command. Each of them counts its own commands, so
    that late, duplicate and reordered commands are refused and counted without any clock.
    """

    def __init__(self, quantity: str, unit: str, low: float, high: float) -> None:
        self.quantity, self.unit, self.low, self.high = quantity, unit, low, high
        self.newest: dict[str, int] = {}
        """Greatest sequence of each sender; the most recent sender is last."""
        self.admitted = 0
        self.refused = 0
        self.last_refusal = ""

    def limit(self, unit: str, low: float, high: float) -> None:
        """Set the range of values, from ``low`` to ``high`` [unit]."""
        self.unit, self.low, self.high = unit, low, high

    def admit(self, value: float, command: CommandId) -> bool:
        """Whether to obey a command; a refusal is counted, and `last_refusal` has its reason."""
        reason = self._reason(value, command)
        if reason:
            self.refused += 1
            self.last_refusal = reason
            return False
        self.admitted += 1
        return True

    def _reason(self, value: float, command: CommandId) -> str:
        sender, sequence = command.sender, command.sequence
        if not sender or sequence <= 0:
            return (
                f"{self.quantity} command without an id refused: set id.sender to the name of your node "
                "and count id.sequence from 1"
            )
        last = self.newest.get(sender, 0)
        if sequence <= last:
            return (
                f"{self.quantity} command {sequence} of {sender} refused: command {last} of that sender came "
                "before it; count id.sequence up with each command, and take a new id.sender at each start"
            )
        self._heard(sender, sequence)
        return self.beyond(value)

    def beyond(self, value: float) -> str:
        """Why a value is out of range; empty if it is in range."""
        if math.isfinite(value) and self.low <= value <= self.high:
            return ""
        return (
            f"{self.quantity} {value!r} {self.unit} refused: send a number from "
            f"{self.low:g} to {self.high:g} {self.unit}"
        )

    def withdraw(self, reason: str) -> None:
        """Count an admitted command as refused after all."""
        self.admitted -= 1
        self.refused += 1
        self.last_refusal = reason

    def _heard(self, sender: str, sequence: int) -> None:
        self.newest.pop(sender, None)
        self.newest[sender] = sequence
        while len(self.newest) > SENDERS_KEPT:
            del self.newest[next(iter(self.newest))]
