"""Notices that a goal's client is gone: the goal's id names the DDS participant that sent it.

Every action client subscribes to the action's feedback and status (``rcl_action``), and the graph shows
which DDS participant a subscription belongs to: the first 12 bytes of its gid. A closed client leaves the
graph at once; a killed client leaves when its lease expires.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

from rclpy.node import Node
from unique_identifier_msgs.msg import UUID

from dasha_ros.ros.transport.endpoints import node_of

_PARTICIPANT = 12
_MARK = b"dR"
"""Marks an id that names its sender; other ids are random, so one of 65,536 has it by chance."""
_VENDOR = 2
"""So many first bytes are equal in all participants of one middleware (RTPS, 9.3.1.5), not in random ids."""
_LOOK_S = 0.5
"""How often the graph is checked while a goal runs [s]."""
_DISCOVERY_S = 5.0
"""How long discovery may take to show a client whose goal has arrived [s]."""

_numbers = itertools.count()


def subscribers(node: Node, topic: str) -> dict[bytes, str]:
    """Full names of the nodes that subscribe to a topic, by gid."""
    return {bytes(info.endpoint_gid): node_of(info) for info in node.get_subscriptions_info_by_topic(topic)}


def feedback_topic(action: str) -> str:
    """A topic that every client of an action subscribes to."""
    return f"{action}/_action/feedback"


def clients(node: Node, action: str) -> set[bytes]:
    """The participants that have a client of an action, as far as the graph shows."""
    feedback, status = (
        {gid[:_PARTICIPANT] for gid in subscribers(node, topic)}
        for topic in (feedback_topic(action), f"{action}/_action/status")
    )
    # A recorder or a person may subscribe to one of the two. If gids don't name participants, no
    # participant has both, and then every subscriber may be the client.
    return feedback & status or feedback


def participant_of(node: Node, before: dict[bytes, str], after: dict[bytes, str]) -> bytes | None:
    """The participant of a client created between two calls of `subscribers`; `None`: unknown."""
    name = node.get_fully_qualified_name()
    new = {gid[:_PARTICIPANT] for gid in after.keys() - before.keys() if after[gid] == name}
    return new.pop() if len(new) == 1 else None


def new_goal_id(participant: bytes | None) -> UUID | None:
    """An id that names the sender, or `None` if the sender is unknown."""
    if participant is None:
        return None
    number = next(_numbers) % 2**16
    return UUID(uuid=list(participant + _MARK + number.to_bytes(2, "big")))


class ClientWatch:
    """Whether the client that sent a goal is still there.

    A goal whose id names no client ends only when the action has no clients left.
    """

    def __init__(
        self, goal_id: bytes, look: Callable[[], set[bytes]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Watch the client of one goal.

        Args:
            goal_id: The goal's id, 16 bytes.
            look: Returns the participants that have a client now.
            clock: Returns the time [s].
        """
        named = goal_id[_PARTICIPANT:].startswith(_MARK)
        self._owner = goal_id[:_PARTICIPANT] if named else None
        self._look, self._clock = look, clock
        self._seen_at, self._was_seen = clock(), False
        self._look_at, self._is_gone = clock(), False

    def is_gone(self) -> bool:
        """Whether the client has left the graph."""
        now = self._clock()
        if now >= self._look_at and not self._is_gone:
            self._look_at = now + _LOOK_S
            there = self._look()
            if self._owner in there:
                self._seen_at, self._was_seen = now, True
            elif self._was_seen:
                self._is_gone = True
            elif there and not self._is_named(there):
                self._seen_at = now
            else:
                self._is_gone = now - self._seen_at >= _DISCOVERY_S
        return self._is_gone

    def _is_named(self, there: set[bytes]) -> bool:
        """Whether the goal's id names a client, as far as the participants that are there show."""
        return self._owner is not None and self._owner[:_VENDOR] in {other[:_VENDOR] for other in there}
