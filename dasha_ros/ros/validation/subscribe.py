"""How every node subscribes: invalid messages and messages from the wrong node never reach a callback."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from rclpy._rclpy_pybind11 import InvalidHandle
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

from dasha_ros.ros.transport.cdr import reader
from dasha_ros.ros.transport.qos import KEPT, to_hear
from dasha_ros.ros.validation.message_checks import checks_of, most_bytes
from dasha_ros.ros.validation.publishers import (
    allowed_publishers,
    names_its_sender,
    publishers_of,
    sender_of,
)
from dasha_ros.ros.validation.rejections import rejections_of

M = TypeVar("M")

_MOST_CHARACTERS = 200
"""Longest sender name that is quoted."""
_SEARCH_S = 0.5
"""Least time between two searches for the expected publisher [s]; a flood must not cause more."""
_READ_STRANGERS = 100
"""After this many messages of strangers, unsigned messages are rejected unread: it is a flood."""


class MessageFilter:
    """Filters one topic: takes serialized messages, and passes only valid ones to the callback.

    Some topics have one allowed publisher in the graph (`publishers`). While that node is there,
    messages of other nodes are rejected, even if it has not published yet. While it is not there,
    messages of any node pass, because the graph may use another name for it.
    """

    def __init__(self, node: Node, kind: Any, topic: str, callback: Callable[[Any], None]) -> None:
        """Filter a topic for a node.

        Args:
            node: The subscriber.
            kind: Type of the messages.
            topic: Its name, as the code spells it.
            callback: Called with what `cdr.reader` makes of a message.

        Raises:
            TypeError: The type has a field that `cdr` can't read.
        """
        self.topic, self._callback = topic, callback
        self._read, self._check, self._most = reader(kind), checks_of(kind), most_bytes(kind)
        self._node = node
        self._allowed = allowed_publishers(node, topic)
        self._names = " or ".join(sorted(self._allowed))
        self._publisher_is_there, self._publisher_was_heard, self._searched_s = False, False, -math.inf
        self._signatures = [name.encode() for name in self._allowed if names_its_sender(kind)]
        self._strangers = 0
        self._rejections = rejections_of(node)
        if self._allowed:
            self._rejections.follow(self)

    def hear(self, data: bytes) -> None:
        """Pass a message to the callback, or reject it."""
        message = self._accepted(data)
        if message is not None:
            self._callback(message)

    def _accepted(self, data: bytes) -> Any:
        if len(data) > self._most:
            self._rejections.add(self.topic, f"it has {len(data)} bytes, more than {self._most}")
            return None
        if self._strangers > _READ_STRANGERS and self._publisher_is_there and not self._is_signed(data):
            self._rejections.add(self.topic, f"it does not come from {self._names}")
            return None
        try:
            message = self._read(data)
            self._check(message)
        except Exception as error:  # Bytes from anywhere: rclpy raises errors of its own for some of them.
            self._rejections.add(self.topic, str(error) if isinstance(error, ValueError) else repr(error))
            return None
        if self._allowed and not self._is_allowed(message):
            return None
        return message

    def _is_signed(self, data: bytes) -> bool:
        """Whether an allowed publisher's name occurs in the bytes: a flood leaves no time to parse them."""
        return not self._signatures or any(name in data for name in self._signatures)

    def _is_allowed(self, message: Any) -> bool:
        sender = sender_of(message)
        if sender is None:
            return True
        if sender in self._allowed:
            self._publisher_is_there = self._publisher_was_heard = True
            return True
        if self._publisher_is_there or self._finds_publisher():
            self._strangers += 1
            name = sender[:_MOST_CHARACTERS] or "no node"
            self._rejections.add(self.topic, f"it comes from {name} and not from {self._names}")
            return False
        return True

    def _finds_publisher(self) -> bool:
        """Search for a publisher that was not heard yet: a stranger may speak first and more often."""
        if (now_s := self._rejections.now_s()) - self._searched_s >= _SEARCH_S:
            self._searched_s = now_s
            self._publisher_is_there = not self._allowed.isdisjoint(publishers_of(self._node, self.topic))
        return self._publisher_is_there

    def look(self, node: Node) -> None:
        """Check whether the allowed publisher is there.

        A publisher that was heard once keeps its place while it is gone. It will be restarted, and what
        a stranger said meanwhile would stay valid until then.
        """
        if self._publisher_was_heard:
            return
        if self._publisher_is_there and self._allowed.isdisjoint(publishers_of(node, self.topic)):
            self._publisher_is_there = False


def subscribe(
    node: Node, kind: type[M], topic: str, callback: Callable[[M], None], qos: QoSProfile, **options: Any
) -> Subscription:
    """Subscribe in a node's executor; ``callback`` gets what `MessageFilter` accepts.

    Args:
        node: The subscriber.
        kind: Type of the messages.
        topic: Its name.
        callback: Called with what `cdr.reader` makes of a message, which can't be published.
        qos: Quality of service.
        **options: Of `rclpy.node.Node.create_subscription`, such as ``callback_group``.
    """
    message_filter = MessageFilter(node, kind, topic, callback)

    def hear(data: bytes) -> None:
        message_filter.hear(data)
        # An executor takes one message per round through everything in the node: too few during a flood.
        with suppress(InvalidHandle):
            for _ in range(KEPT - 1):
                taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
                if taken is None:
                    return
                message_filter.hear(taken[0])

    subscription = _subscription(node, kind, topic, hear, to_hear(qos), **options)
    return subscription


def subscribe_timed(
    node: Node, kind: type[M], topic: str, callback: Callable[[M, int], None], qos: QoSProfile
) -> Subscription:
    """Like `subscribe`, for measurements: ``callback`` also gets the time of sending [ns].

    It is called once per message.
    """
    sent_ns = 0
    message_filter = MessageFilter(node, kind, topic, lambda message: callback(message, sent_ns))

    def hear(data: bytes, info: Mapping[str, int]) -> None:
        nonlocal sent_ns
        sent_ns = info["source_timestamp"]
        message_filter.hear(data)

    return _subscription(node, kind, topic, hear, qos)


def _subscription(
    node: Node, kind: Any, topic: str, hear: Callable[..., None], qos: QoSProfile, **options: Any
) -> Subscription:
    return node.create_subscription(kind, topic, hear, qos, raw=True, **options)
