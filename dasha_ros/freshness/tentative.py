"""What an actuator is set to only while a goal lasts, and what it goes back to when nobody ends the goal."""

from __future__ import annotations

import time
from collections.abc import Callable, Set

LOOK_S = 0.5
"""How often the graph is looked at while a goal's value is in force."""
DISCOVERY_S = 3.0
"""A command may be heard before discovery shows whose goal it is part of."""


_SHORTEST_GID = 24
"""In hexadecimal digits: the id of a sender of commands is no gid."""


def owner_id(node: str, gid: bytes) -> str:
    """How a command names its owner: the node's full name, and the publisher by which it commands."""
    return f"{node}#{gid.hex()}"


def parse_owner(owner: str) -> tuple[str, bytes | None]:
    """The full name of an owner's node and the gid of its publisher, `None` if it names none."""
    name, _, mark = owner.partition("#")
    try:
        return name, bytes.fromhex(mark) if len(mark) >= _SHORTEST_GID else None
    except ValueError:
        return name, None


class Presence:
    """Whether those who were there when the watch began still are."""

    def __init__(
        self, look: Callable[[], Set[bytes]], clock: Callable[[], float], who: bytes | None = None
    ) -> None:
        """Begin to watch.

        Args:
            look: Gives the endpoints that a node has in the graph now; a process that is started again has
                others.
            clock: Time [s].
            who: The endpoint to watch; `None`: all that are there, for nobody knows which one it is.
        """
        self._look, self._clock, self._who = look, clock, who
        self._begun_at, self._looked_at = clock(), clock()
        there = frozenset(look())
        # One of the name that was there before may have been killed, and still be shown.
        self._others = frozenset() if who is None else there - {who}
        self._known = there - self._others

    def has_left(self) -> bool:
        """Whether they are gone. Looks no more often than every `LOOK_S`.

        A node that was killed stays in the graph until its lease runs out. One of its name that comes
        meanwhile was started in its place: two of a name do not live in one graph. Where two of its name
        were there from the beginning and the owner is not told apart, both have to go.
        """
        now = self._clock()
        if now - self._looked_at < LOOK_S:
            return False
        self._looked_at = now
        there = frozenset(self._look()) - self._others
        if not self._known:
            self._known = there if self._who is None else there & {self._who}
            if self._who is not None:
                return not self._known and now - self._begun_at >= DISCOVERY_S
            return not there and now - self._begun_at >= DISCOVERY_S
        return not there & self._known or not there <= self._known


class Tentative:
    """Remembers the last value that was commanded for good while those of a goal are in force.

    A command that names an owner is part of that node's goal. The owner ends its goal with a command for
    good. Where it can't, because it or the driver itself has to go, the driver brings its actuator back.

    Not safe for threads.

    Attributes:
        owner: Whose goal the value in force is part of, as its command names it; empty: it is for good.
        before: The last value for good while there is an owner; ``None``: not known yet.
    """

    def __init__(
        self, look: Callable[[str], Set[bytes]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with a value that is for good.

        Args:
            look: Gives the endpoints in the graph of an owner's node; see `parse_owner`.
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
            # The newest owner counts: that one before it leaves is none of the new goal's business.
            self._presence = Presence(lambda: self._look(owner), self._clock, parse_owner(owner)[1])
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
