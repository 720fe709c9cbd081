"""A command for good, and whether its driver has taken it up: it may have to be started again first."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dasha_ros.freshness.command import CommandId

AGAIN_S = 1.0
"""A command that was sent before a new driver was discovered reached nobody."""


def nobody(sender: str) -> bool:
    """Whether a sender worked for a goal that nobody else worked for."""
    return False


@dataclass(frozen=True)
class InForce:
    """What a driver says of its actuator."""

    driver: str
    """Its instance."""
    command: CommandId
    value: float

    @property
    def is_the_drivers_own(self) -> bool:
        """Whether the driver brought its actuator back by itself."""
        return bool(self.driver) and self.command.sender == self.driver


@dataclass(frozen=True)
class Sent:
    """A command that was sent."""

    id: CommandId
    at_ns: int
    """Its stamp."""
    before: Mapping[str, int]
    """The last command of each sender that was heard of before it."""

    def is_overridden_by(self, in_force: CommandId) -> bool:
        """Whether what is in force was commanded after this: it was not heard of before."""
        if in_force.sender == self.id.sender:
            return in_force.sequence > self.id.sequence
        return in_force.sequence > self.before.get(in_force.sender, 0)


class Patience:
    """How long somebody waits who may be told to end meanwhile, and has less time then."""

    def __init__(self, seconds: float, seconds_at_end: float, ends: Callable[[], bool]) -> None:
        """Begin to wait.

        Args:
            seconds: As long as nobody ends [s].
            seconds_at_end: From the moment on in which the end is noticed [s].
            ends: Whether the waiting node is to end.
        """
        self._at_end, self._ends = seconds_at_end, ends
        self._until, self._is_ending = time.monotonic() + seconds, False

    def lasts(self) -> bool:
        """Whether to wait on."""
        if not self._is_ending and self._ends():
            self._is_ending = True
            self._until = min(self._until, time.monotonic() + self._at_end)
        return time.monotonic() < self._until


class Settlement:
    """One value that shall be in force for good. Callers wait; `look` says whether it is.

    Only the driver's own word counts, and only what it says after the command: the last word of one that
    died stays latched. A driver that is started meanwhile is told anew.

    Attributes:
        value: That was commanded.
    """

    def __init__(
        self,
        in_force: Callable[[], InForce | None],
        send: Callable[[float], Sent],
        value: float,
        *,
        again_s: float = AGAIN_S,
        is_ours: Callable[[str], bool] = nobody,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Command the value.

        Args:
            in_force: What the driver says, `None` before its first word.
            send: Commands.
            value: To command.
            again_s: After so long without an answer it is commanded again [s].
            is_ours: Whether a sender worked for the goal that ends: what it commands late is no other
                node's wish.
            clock: Time [s].
        """
        self._in_force, self._send, self._clock, self.value = in_force, send, clock, value
        self._again_s, self._is_ours = again_s, is_ours
        said = in_force()
        self._driver = said.driver if said else ""
        self._first = send(value)
        self._again_at = clock() + again_s

    def look(self) -> bool:
        """Whether the driver obeys, or did before somebody else commanded."""
        said = self._in_force()
        if said is not None and self._is_taken_up(said):
            return True
        is_new = said is not None and said.driver != self._driver
        if is_new or self._clock() >= self._again_at:
            self._driver = said.driver if said else ""
            self._again_at = self._clock() + self._again_s
            self._send(self.value)
        return False

    def _is_taken_up(self, said: InForce) -> bool:
        first, command = self._first, said.command
        if command.sender == first.id.sender:
            return command.sequence >= first.id.sequence
        if said.is_the_drivers_own or self._is_ours(command.sender):
            return False
        return first.is_overridden_by(command)

    @property
    def is_in_force(self) -> bool:
        """Whether the driver's last word names the value, whoever commanded it: the driver itself, because
        it ends, or an agent that brought its own actuator back."""
        said = self._in_force()
        return said is not None and said.value == self.value
