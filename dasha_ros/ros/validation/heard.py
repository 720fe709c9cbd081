"""The one door for messages of topics: what can't be, and who does not belong to the graph, is not heard."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakSet

from rclpy._rclpy_pybind11 import InvalidHandle
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

from dasha_ros.ros.node.condition import Condition, warning
from dasha_ros.ros.transport.cdr import reader
from dasha_ros.ros.transport.qos import KEPT, to_hear
from dasha_ros.ros.validation.fitness import checks_of, most_bytes
from dasha_ros.ros.validation.owners import names_its_speaker, owners_of, publishers_of, speaker_of

M = TypeVar("M")

_STANDS_S = 10.0
"""How long after the last bad message the status tells of it."""
_WORDS = 200
_LOOK_S = 0.5
"""Least time between two looks for an owner: in a flood there is none for more."""
_TOLD_APART = 100
"""So many messages of strangers are read to tell who sent them; more are a flood."""


@dataclass
class _Dropped:
    times: int = 0
    reason: str = ""
    at_s: float = 0.0


class Heard:
    """Keeps the account of what a node did not let in. Callable from any thread."""

    def __init__(self, logger: Any, now_s: Callable[[], float] = time.monotonic) -> None:
        self._logger, self.now_s = logger, now_s
        self._lock = threading.Lock()
        self._dropped: dict[str, _Dropped] = {}
        # An ear lives as long as its subscription.
        self._ears: WeakSet[Ear] = WeakSet()

    def dropped(self, topic: str, reason: str) -> None:
        """A message was left out. The log tells of the 1st, 2nd, 4th, ... of a topic."""
        # What a stranger wrote goes to terminals and logs.
        reason = "".join(c if c.isprintable() else "?" for c in reason[:_WORDS])
        with self._lock:
            drops = self._dropped.setdefault(topic, _Dropped())
            drops.times += 1
            drops.reason, drops.at_s = reason, self.now_s()
            times = drops.times
        if times & (times - 1) == 0:
            self._logger.warning(f"a message on {topic} was left out: {reason} ({times} so far)")

    def condition(self) -> Condition | None:
        """What is wrong with what is heard: bad messages came a moment ago."""
        since_s = self.now_s() - _STANDS_S
        told = [
            f"messages on {topic} are left out: {drops.reason} ({drops.times} so far)"
            for topic, drops in list(self._dropped.items())
            if drops.at_s >= since_s
        ]
        return warning("; ".join(sorted(told))) if told else None

    def values(self) -> dict[str, str]:
        """How many messages of each topic were left out, and why the last one was."""
        return {
            f"left out of {topic}": f"{drops.times}: {drops.reason}"
            for topic, drops in list(self._dropped.items())
        }

    def follow(self, ear: Ear) -> None:
        """Let `look` tell an ear whether the owner of its topic is there."""
        with self._lock:
            self._ears.add(ear)

    def look(self, node: Node) -> None:
        """Look which owners are still there; to be called now and then."""
        with self._lock:
            ears = list(self._ears)
        for ear in ears:
            ear.look(node)


def heard_of(node: Node) -> Heard:
    """The account of a node that keeps one; for any other node one that only logs."""
    heard = getattr(node, "heard", None)
    return heard if isinstance(heard, Heard) else Heard(node.get_logger())


class Ear:
    """Hears one topic: bytes in, and to the callback only what is in order.

    Of a topic that one node of the graph speaks on (`owners`), nobody else is heard while that
    node is there, even if it has said nothing yet. While it is not, anybody is: it may go by another name.
    """

    def __init__(self, node: Node, kind: type[M], topic: str, callback: Callable[[M], None]) -> None:
        """Hear a topic of a node.

        Args:
            node: Who hears.
            kind: Type of the messages.
            topic: Its name, as the code calls it.
            callback: Called with what `cdr.reader` makes of a message.

        Raises:
            TypeError: The type has a field that `cdr` can't read.
        """
        self.topic, self._callback = topic, callback
        self._read, self._check, self._most = reader(kind), checks_of(kind), most_bytes(kind)
        self._node = node
        self._owners, self._owner_is_there, self._looked_s = owners_of(node, topic), False, -math.inf
        self._owner_was_heard = False
        self._signatures = [name.encode() for name in self._owners if names_its_speaker(kind)]
        self._strangers = 0
        self._heard = heard_of(node)
        if self._owners:
            self._heard.follow(self)

    def hear(self, data: bytes) -> None:
        """Pass a message on, or leave it out."""
        message = self._let_in(data)
        if message is not None:
            self._callback(message)

    def _let_in(self, data: bytes) -> Any:
        if len(data) > self._most:
            self._heard.dropped(self.topic, f"it has {len(data)} bytes, more than {self._most}")
            return None
        if self._strangers > _TOLD_APART and self._owner_is_there and not self._is_signed(data):
            self._heard.dropped(self.topic, f"it does not come from {' or '.join(sorted(self._owners))}")
            return None
        try:
            message = self._read(data)
            self._check(message)
        except Exception as error:  # Whatever strange bytes lead to: rclpy has errors of its own for them.
            self._heard.dropped(self.topic, str(error) if isinstance(error, ValueError) else repr(error))
            return None
        if self._owners and not self._belongs(message):
            return None
        return message

    def _is_signed(self, data: bytes) -> bool:
        """Whether an owner's name is anywhere in a message: in a flood there is no time to read them all."""
        return not self._signatures or any(name in data for name in self._signatures)

    def _belongs(self, message: Any) -> bool:
        speaker = speaker_of(message)
        if speaker is None:
            return True
        if speaker in self._owners:
            self._owner_is_there = self._owner_was_heard = True
            return True
        if self._owner_is_there or self._finds_owner():
            self._strangers += 1
            says, owner = speaker[:_WORDS] or "no node", " or ".join(sorted(self._owners))
            self._heard.dropped(self.topic, f"it comes from {says} and not from {owner}")
            return False
        return True

    def _finds_owner(self) -> bool:
        """Look for an owner that was not heard yet: a stranger may speak first, and louder."""
        if (now_s := self._heard.now_s()) - self._looked_s >= _LOOK_S:
            self._looked_s = now_s
            self._owner_is_there = not self._owners.isdisjoint(publishers_of(self._node, self.topic))
        return self._owner_is_there

    def look(self, node: Node) -> None:
        """Look whether the topic's owner is there.

        One that was heard once is waited for when it goes: it is started again, and what a stranger
        says meanwhile would stay in force until it speaks.
        """
        if self._owner_was_heard:
            return
        if self._owner_is_there and self._owners.isdisjoint(publishers_of(node, self.topic)):
            self._owner_is_there = False


def subscribe(
    node: Node, kind: type[M], topic: str, callback: Callable[[M], None], qos: QoSProfile, **options: Any
) -> Subscription:
    """Subscribe in a node's executor; ``callback`` gets what `Ear` lets in.

    Args:
        node: Who hears.
        kind: Type of the messages.
        topic: Its name.
        callback: Called with what `cdr.reader` makes of a message: it can't be published.
        qos: Quality of service.
        **options: Of `rclpy.node.Node.create_subscription`, such as ``callback_group``.
    """
    ear = Ear(node, kind, topic, callback)

    def hear(data: bytes) -> None:
        ear.hear(data)
        # An executor takes one message each time it goes through all that a node has: too few in a flood.
        with suppress(InvalidHandle):
            for _ in range(KEPT - 1):
                taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
                if taken is None:
                    return
                ear.hear(taken[0])

    subscription = _subscription(node, kind, topic, hear, to_hear(qos), **options)
    return subscription


def subscribe_timed(
    node: Node, kind: type[M], topic: str, callback: Callable[[M, int], None], qos: QoSProfile
) -> Subscription:
    """Like `subscribe`, for those who measure: ``callback`` also gets when a message was sent [ns].

    It is called for each message, one at a time.
    """
    sent_ns = 0
    ear = Ear(node, kind, topic, lambda message: callback(message, sent_ns))

    def hear(data: bytes, info: Mapping[str, int]) -> None:
        nonlocal sent_ns
        sent_ns = info["source_timestamp"]
        ear.hear(data)

    return _subscription(node, kind, topic, hear, qos)


def _subscription(
    node: Node, kind: Any, topic: str, hear: Callable[..., None], qos: QoSProfile, **options: Any
) -> Subscription:
    return node.create_subscription(kind, topic, hear, qos, raw=True, **options)
