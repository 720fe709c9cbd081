"""Remembers the setting from before a goal, so that a driver can restore it if the goal's owner is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Set

LOOK_S = 0.5
"""How often the graph is checked while a goal's setting is active."""
DISCOVERY_S = 3.0
"""A command may arrive before discovery shows the owner of its goal."""


_SHORTEST_GID = 24
"""Least hexadecimal digits of a gid; the id of a command's sender is shorter."""


def owner_id(node: str, gid: bytes) -> str:
    """How a command names its owner: by the node's full name and the gid of its publisher."""
    return f"{node}#{gid.hex()}"


def parse_owner(owner: str) -> tuple[str, bytes | None]:
    """The full name of an owner's node, and the gid of its publisher or `None`."""
    name, _, mark = owner.partition("#")
    try:
        return name, bytes.fromhex(mark) if len(mark) >= _SHORTEST_GID else None
    except ValueError:
        return name, None


class Presence:
    """Watches whether a node that was in the graph at the beginning still is."""

    def __init__(
        self, look: Callable[[], Set[bytes]], clock: Callable[[], float], who: bytes | None = None
    ) -> None:
        """Start watching.

        Args:
            look: Returns the endpoints that the node has in the graph now; a restarted process has new ones.
            clock: Returns the time [s].
            who: The endpoint to watch; `None` for all present ones, if it is not known which one it is.
        """
        self._look, self._clock, self._who = look, clock, who
        self._begun_at, self._looked_at = clock(), clock()
        there = frozenset(look())
        # An older process of the same name may have been killed but still be in the graph.
        self._others = frozenset() if who is None else there - {who}
        self._known = there - self._others

    def has_left(self) -> bool:
        """Whether the node is gone. The graph is checked at most every `LOOK_S`.

        A killed node stays in the graph until its lease expires. If a node of the same name appears
        meanwhile, it has replaced the killed one, because names are unique. If two nodes of that name were
        there from the beginning, and the owner's endpoint is unknown, both have to go.
        """
        now = self._clock()
        if now - self._looked_at < LOOK_S:
            return False
        self._looked_at = now
        there = frozenset(self._look()) - self._others
        if not self._known:
            self._known = there if self._who is None else there & {self._who}
            return not self._known and now - self._begun_at >= DISCOVERY_S
        return not there & self._known or not there <= self._known


class RestorableValue:
    """Remembers the last permanent value while a goal's values are active.

    A command that names an owner belongs to that node's goal. The owner ends its goal with a permanent
    command. If it can't, because it or the driver itself has to shut down, the driver restores its actuator.

    Not thread-safe.

    Attributes:
        owner: Owner of the goal that set the active value, as its command names it; empty if the value is
            permanent.
        before: The last permanent value while there is an owner; ``None`` while it is unknown.
    """

    def __init__(
        self, look: Callable[[str], Set[bytes]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start with a permanent value.

        Args:
            look: Returns the endpoints in the graph of an owner's node; see `parse_owner`.
            clock: Returns the time [s].
        """
        self._look, self._clock = look, clock
        self._presence: Presence | None = None
        self.owner = ""
        self.before: float | None = None

    def commanded(self, owner: str, in_force: float | None) -> None:
        """Note that a command was applied.

        Args:
            owner: The owner that the command names, empty for a permanent one.
            in_force: The value until then; ``None`` if it is unknown.
        """
        if not owner:
            self.owner, self._presence, self.before = "", None, None
            return
        if not self.owner:
            self.before = in_force
        if owner != self.owner:
            # Only the newest owner counts; an earlier one may leave.
            self._presence = Presence(lambda: self._look(owner), self._clock, parse_owner(owner)[1])
        self.owner = owner

    def found(self, value: float) -> None:
        """Note the value that an opened device has; it is the one to restore if none was known."""
        if self.owner and self.before is None:
            self.before = value

    def is_abandoned(self) -> bool:
        """Whether the goal's owner has left the graph."""
        return self._presence is not None and self._presence.has_left()

    def end(self) -> float | None:
        """End the goal's ownership; returns the value to restore, ``None`` if it is already active."""
        before = self.before if self.owner else None
        self.commanded("", None)
        return before
