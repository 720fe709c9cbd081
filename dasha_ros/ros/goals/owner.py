"""Whose goal it is: a goal's id names the participant that sent it, so that its server notices who left.

Every action client listens to the action's feedback and status, wanted or not (``rcl_action``), and the
graph tells of each listener which participant of DDS it belongs to: the first 12 bytes of its gid. A
client that is closed leaves the graph at once, one that is killed when its lease runs out.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

from rclpy.node import Node
from unique_identifier_msgs.msg import UUID

_PARTICIPANT = 12
_MARK = b"dR"
"""Tells an id that names its sender from one that was drawn at random."""
_LOOK_S = 0.5
"""How often the graph is looked at while a goal runs."""
_DISCOVERY_S = 5.0
"""A client may be heard before discovery shows it."""

_numbers = itertools.count()


def listeners(node: Node, topic: str) -> dict[bytes, str]:
    """Who listens to a topic: full name of the node, by gid."""
    return {
        bytes(info.endpoint_gid): f"{info.node_namespace.rstrip('/')}/{info.node_name}"
        for info in node.get_subscriptions_info_by_topic(topic)
    }


def feedback_topic(action: str) -> str:
    """The topic that every client of an action listens to."""
    return f"{action}/_action/feedback"


def clients(node: Node, action: str) -> set[bytes]:
    """The participants that have a client of an action, as far as the graph tells."""
    feedback, status = (
        {gid[:_PARTICIPANT] for gid in listeners(node, topic)}
        for topic in (feedback_topic(action), f"{action}/_action/status")
    )
    # A recorder or a curious person listens to one of them. Where gids tell nothing of participants
    # nobody listens to both, and then everybody may be the client.
    return feedback & status or feedback


def participant_of(node: Node, before: dict[bytes, str], after: dict[bytes, str]) -> bytes | None:
    """The participant of a client that was made between two looks at `listeners`; `None`: not known."""
    name = node.get_fully_qualified_name()
    new = {gid[:_PARTICIPANT] for gid in after.keys() - before.keys() if after[gid] == name}
    return new.pop() if len(new) == 1 else None


def new_goal_id(participant: bytes | None) -> UUID | None:
    """An id that names the sender; `None`, for a random one, where it is not known."""
    if participant is None:
        return None
    number = next(_numbers) % 2**16
    return UUID(uuid=list(participant + _MARK + number.to_bytes(2, "big")))


class OwnerWatch:
    """Whether the client that sent a goal is still there.

    A goal whose id names nobody ends only when no client of the action is left at all.
    """

    def __init__(
        self, goal_id: bytes, look: Callable[[], set[bytes]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Watch over the client of one goal.

        Args:
            goal_id: Of the goal, 16 bytes.
            look: Gives the participants that have a client now.
            clock: Time [s].
        """
        named = goal_id[_PARTICIPANT:].startswith(_MARK)
        self._owner = goal_id[:_PARTICIPANT] if named else None
        self._look, self._clock = look, clock
        self._seen_at, self._was_seen = clock(), False
        self._look_at, self._is_gone = clock(), False

    def is_gone(self) -> bool:
        """Whether nobody waits for the goal any more."""
        now = self._clock()
        if now >= self._look_at and not self._is_gone:
            self._look_at = now + _LOOK_S
            there = self._look()
            if bool(there) if self._owner is None else self._owner in there:
                self._seen_at, self._was_seen = now, True
            elif self._owner is not None and self._was_seen:
                self._is_gone = True
            else:
                self._is_gone = now - self._seen_at >= _DISCOVERY_S
        return self._is_gone
