"""What an actuator is set to only while a goal lasts, and what it goes back to when nobody ends the goal."""

from __future__ import annotations

import time
from collections.abc import Callable, Set

LOOK_S = 0.5
"""How often the graph is looked at while a goal's value is in force."""
DISCOVERY_S = 3.0
"""A command may be heard before discovery shows whose goal it is part of."""


class Presence:
    """Whether those who were there when the watch began still are."""

    def __init__(self, look: Callable[[], Set[bytes]], clock: Callable[[], float]) -> None:
        """Begin to watch.

        Args:
            look: Gives the endpoints that a node has in the graph now; a process that is started again has
                others.
            clock: Time [s].
        """
        self._look, self._clock = look, clock
        self._begun_at, self._looked_at = clock(), clock()
        self._known = frozenset(look())

    def has_left(self) -> bool:
        """Whether they are gone. Looks no more often than every `LOOK_S`.

        A node that was killed stays in the graph until its lease runs out. One of its name that comes
        meanwhile was started in its place: two of a name do not live in one graph. Where two of its name
        were there from the beginning, both have to go: nobody can tell which one commands.
        """
        now = self._clock()
        if now - self._looked_at < LOOK_S:
            return False
        self._looked_at = now
        there = frozenset(self._look())
        if not self._known:
            self._known = there
            return not there and now - self._begun_at >= DISCOVERY_S
        return not there & self._known or not there <= self._known


class Tentative:
    """Remembers the last value that was commanded for good while those of a goal are in force.

    A command that names an owner is part of that node's goal. The owner ends its goal with a command for
    good. Where it can't, because it or the driver itself has to go, the driver brings its actuator back.

    Not safe for threads.

    Attributes:
        owner: Full name of the node whose goal the value in force is part of, empty: it is for good.
        before: The last value for good while there is an owner; ``None``: not known yet.
    """

    def __init__(
        self, look: Callable[[str], Set[bytes]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with a value that is for good.

        Args:
            look: Gives the endpoints in the graph of the node of that full name.
            clock: Time [s].
        """
        self._look, self._clock = look, clock
        self._presence: Presence | None = None
        self.owner = ""
        self.before: float | None = None

    def commanded(self, owner: str, in_force: float | None) -> None:
        """A command was obeyed.

        Args:
            owner: That it names.
            in_force: The value until then; ``None``: not known yet.
        """
        if not owner:
            self.owner, self._presence, self.before = "", None, None
            return
        if not self.owner:
            self.before = in_force
        if owner != self.owner:
            self._presence = Presence(lambda: self._look(owner), self._clock)
        self.owner = owner

    def found(self, value: float) -> None:
        """The device was opened and is at this value: what was there before counts, if it was not known."""
        if self.owner and self.before is None:
            self.before = value

    def is_abandoned(self) -> bool:
        """Whether the goal's owner has left the graph."""
        return self._presence is not None and self._presence.has_left()

    def end(self) -> float | None:
        """No goal owns the value any more. Returns what to go back to, ``None`` if it is in force."""
        before = self.before if self.owner else None
        self.commanded("", None)
        return before
