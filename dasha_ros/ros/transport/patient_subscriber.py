"""A thread that leaves messages in the middleware's queues until the control loop has a moment's rest.

What only looks on must not take the processor just when perception needs it, which is when a picture has
come. No priority prevents that: Linux shares a processor between sessions and containers first, and weighs
priorities only within one. So the subscriber comes when a topic rings that ends a step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import sleep

from rclpy.node import Node
from rclpy.qos import QoSProfile

from dasha_ros.ros.transport.fast_subscriber import FastSubscriber, Topic

LEAST_S, MOST_S = 0.02, 0.25
"""Bounds of the wait for the bell [s]."""
NEXT_COMMAND_S = 0.006
"""How long it waits after the bell [s]: lens and camera get their next commands now, and need the processor,
too."""
_BUSY = 3
"""Messages of a best-effort topic at once that make the next wait short: its queue must not run over."""


def next_patience(patience_s: float, waited: int) -> float:
    """How long to wait for the bell next time.

    The wait doubles as long as hardly a picture waits, and is short as soon as several do. So a queue
    of ten pictures holds what a camera of up to 200 pictures a second sends without a bell, and one of
    twenty what a camera of up to 80 sends when it begins.

    Args:
        patience_s: The last wait [s].
        waited: Most messages that waited in the queue of one best-effort topic.

    Returns:
        The wait, from `LEAST_S` to `MOST_S` [s].
    """
    return LEAST_S if waited >= _BUSY else min(2.0 * patience_s, MOST_S)


class PatientSubscriber(FastSubscriber):
    """Serves topics when one of them, the bell, has a message, or when it did not ring for a while.

    The queue of a topic must hold what comes until then. Everything else is as with `FastSubscriber`, but
    `close` takes what still waits.
    """

    def __init__(self, node: Node, bell: str) -> None:
        """Serve topics of ``node``.

        Args:
            node: Its subscriptions are made here.
            bell: Full name of the topic that is heard when a step ends.
        """
        super().__init__(node)
        self._bell, self._patience_s = bell, LEAST_S
        self._longest_wait_ns = round(LEAST_S * 1e9)

    def listen_raw(
        self,
        kind: type,
        topic: str,
        callback: Callable[[bytes, Mapping[str, int]], None],
        qos: QoSProfile,
    ) -> None:
        """Subscribe to whatever comes, unread and unchecked; for those who only pass it on.

        Args:
            kind: Type of the messages.
            topic: Its name.
            callback: Called with a serialized message and rclpy's facts about it, such as
                ``received_timestamp`` [ns since 1970].
            qos: Quality of service, taken as it is.
        """
        self._listen(kind, topic, qos, lambda taken: callback(*taken), most=qos.depth)

    def close(self) -> None:
        """Take what waits, then unsubscribe. No callback runs once this returns."""
        self._end()
        if self._node.context.ok():
            self.wake()
        super().close()

    def _awaited(self, topics: list[Topic]) -> list[Topic]:
        return [topic for topic in topics if topic.subscription.topic_name == self._bell]

    def _take_turns(self, topics: list[Topic], ready: list[int]) -> None:
        """Take what waits in every queue, and wait longer or shorter for the bell next time."""
        if ready:
            sleep(NEXT_COMMAND_S)
        counts = [] if self._rests else [(self._take_all(topic), topic.is_reliable) for topic in topics]
        waited = max((count for count, is_reliable in counts if not is_reliable), default=0)
        self._patience_s = next_patience(self._patience_s, waited)
        self._longest_wait_ns = round(self._patience_s * 1e9)
