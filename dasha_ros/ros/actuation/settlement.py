"""A permanent command, repeated until its driver obeys; the driver may have to be restarted first."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dasha_ros.freshness.command import CommandId

AGAIN_S = 1.0
"""An unanswered command is repeated after this time [s]: it is lost if its driver was not discovered yet."""


def no_sender(sender: str) -> bool:
    """Whether a sender belongs to the goal: no sender does."""
    return False


@dataclass(frozen=True)
class ActuatorReport:
    """What a driver reports about its actuator."""

    driver: str
    """The driver's instance."""
    command: CommandId
    value: float
    """What to command to have the setting again: the exposure time [us], with what gain stands in for, or the
    position in the lens's unit."""

    @property
    def is_the_drivers_own(self) -> bool:
        """Whether the driver restored its actuator by itself."""
        return bool(self.driver) and self.command.sender == self.driver


@dataclass(frozen=True)
class Sent:
    """A command that was sent."""

    id: CommandId
    at_ns: int
    """Its stamp."""
    before: Mapping[str, int]
    """Sequence number of each sender's last known command at that time."""

    def is_overridden_by(self, active: CommandId) -> bool:
        """Whether the active command is newer than this one."""
        if active.sender == self.id.sender:
            return active.sequence > self.id.sequence
        return active.sequence > self.before.get(active.sender, 0)


class Patience:
    """A waiting time that becomes shorter once the waiting node has to shut down."""

    def __init__(self, seconds: float, seconds_at_end: float, ends: Callable[[], bool]) -> None:
        """Start the waiting time.

        Args:
            seconds: The whole time [s].
            seconds_at_end: Time left from the moment when a shutdown is noticed [s].
            ends: Returns whether the waiting node is shutting down.
        """
        self._at_end, self._ends = seconds_at_end, ends
        self._until, self._is_ending = time.monotonic() + seconds, False

    def lasts(self) -> bool:
        """Whether to keep waiting."""
        if not self._is_ending and self._ends():
            self._is_ending = True
            self._until = min(self._until, time.monotonic() + self._at_end)
        return time.monotonic() < self._until


class Settlement:
    """One value to be made permanent. The caller waits and asks `look` whether it is.

    Only reports that the driver made after the command count, because the last report of a dead driver stays
    latched. If the driver is restarted, the command is sent again.

    Attributes:
        value: The commanded value.
    """

    def __init__(
        self,
        report: Callable[[], ActuatorReport | None],
        send: Callable[[float], Sent],
        value: float,
        *,
        again_s: float = AGAIN_S,
        is_ours: Callable[[str], bool] = no_sender,
        alike: Callable[[float, float], bool] = operator.eq,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Command the value.

        Args:
            report: Returns the driver's newest report, `None` before the first.
            send: Sends a command.
            value: The value to command.
            again_s: Time without an answer after which the command is repeated [s].
            is_ours: Returns whether a sender belongs to the goal that ends; its late commands don't count
                as another node's.
            alike: Whether the driver may report the second value where the first was commanded.
            clock: Returns the time [s].
        """
        self._report, self._send, self._clock, self.value = report, send, clock, value
        self._again_s, self._is_ours, self._alike = again_s, is_ours, alike
        said = report()
        self._driver = said.driver if said else ""
        self._first = send(value)
        self._again_at = clock() + again_s

    def look(self) -> bool:
        """Whether the driver obeyed, perhaps before another node commanded. Repeats the command if needed."""
        said = self._report()
        if said is not None and self._is_taken_up(said):
            return True
        is_new = said is not None and said.driver != self._driver
        if is_new or self._clock() >= self._again_at:
            self._driver = said.driver if said else ""
            self._again_at = self._clock() + self._again_s
            self._send(self.value)
        return False

    def _is_taken_up(self, said: ActuatorReport) -> bool:
        first, command = self._first, said.command
        if command.sender == first.id.sender:
            return command.sequence >= first.id.sequence
        if said.is_the_drivers_own or self._is_ours(command.sender):
            return False
        return first.is_overridden_by(command)

    @property
    def is_active(self) -> bool:
        """Whether the driver reports the value, whoever commanded it: the driver may have restored it at its
        end, or an agent may have restored its own actuator."""
        said = self._report()
        return said is not None and self._alike(self.value, said.value)
