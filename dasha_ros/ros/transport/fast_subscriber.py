"""A thread for the topics of the closed loop: a message costs it a tenth of what it costs an executor.

rclpy's executors look through every service, timer and action of a node, and build a wait set of them, before
and after each message. Here one wait set holds the few topics whose delay is a delay of every step.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from rclpy._rclpy_pybind11 import InvalidHandle, WaitSet
from rclpy.callback_groups import CallbackGroup
from rclpy.guard_condition import GuardCondition
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

from dasha_ros.ros.node.guard import guard_of
from dasha_ros.ros.transport.qos import KEPT, to_hear
from dasha_ros.ros.validation.heard import Ear

M = TypeVar("M")

_LOOK_NS = 500_000_000
"""Longest wait before a lane looks whether the context was shut down."""
_AGAIN_S = 0.1
"""Pause before a lane that broke serves its topics again."""


class _Elsewhere(CallbackGroup):
    """Keeps an executor's hands off what a lane serves."""

    def can_execute(self, entity: Any) -> bool:
        return False

    def beginning_execution(self, entity: Any) -> bool:
        return False

    def ending_execution(self, entity: Any) -> None:
        pass


@dataclass(frozen=True)
class _Topic:
    subscription: Subscription
    hear: Callable[[bytes], None]
    most: int
    """Messages to take before the next topic has its turn: a flood must not keep the lane."""


class FastSubscriber:
    """Takes messages of a few topics in a thread of its own, one callback at a time.

    Callbacks run beside the executor's: what both touch needs a lock. What one raises is told to the
    node's guard, and the lane goes on; so is what breaks the lane itself, and it begins anew. While
    nobody needs its topics a lane can `rest`: what comes then stays in the queues of the middleware,
    which keep the newest, and costs no Python.
    """

    def __init__(self, node: Node) -> None:
        """Serve topics of ``node``; the thread starts with the first of them."""
        self._node, self._guard = node, guard_of(node)
        self._group = _Elsewhere()
        self._changed = GuardCondition(None, None, context=node.context)
        self._topics: list[_Topic] = []
        self._lock = threading.Lock()
        self._taking = threading.RLock()
        self._thread: threading.Thread | None = None
        self._rests = self._ends = False

    def listen(self, kind: type[M], topic: str, callback: Callable[[M], None], qos: QoSProfile) -> None:
        """Subscribe until `close`.

        Args:
            kind: Type of the messages.
            topic: Its name.
            callback: Called in the lane's thread, with what `Ear` lets in: an object with the fields of
                ``kind``, that can't be published.
            qos: Quality of service.

        Raises:
            TypeError: The type has a field that `cdr` can't read.
        """
        ear = Ear(self._node, kind, topic, callback)
        subscription = self._node.create_subscription(
            kind, topic, ear.hear, to_hear(qos), callback_group=self._group, raw=True
        )
        # What belongs to the next picture is heard before it.
        most = KEPT if qos.reliability is ReliabilityPolicy.RELIABLE else 1
        with self._lock:
            self._topics.append(_Topic(subscription, ear.hear, most))
        self._tell()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="lane", daemon=True)
            self._thread.start()

    def rest(self) -> None:
        """Let messages wait until `wake`. When it returns no callback runs, unless it was called by one."""
        self._rests = True
        self._tell()
        with self._taking:
            pass

    def wake(self) -> None:
        """Serve the topics again. When it returns, all that came while the lane rested was heard.

        Callbacks of what came before run in the caller's thread.
        """
        with self._lock:
            topics = list(self._topics)
        with self._taking, suppress(InvalidHandle):
            for topic in topics:
                self._take_all(topic)
        self._rests = False
        self._tell()

    def close(self) -> None:
        """Leave the topics. When it returns no callback runs, unless it was called by one."""
        self._ends = True
        self._tell()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        with self._lock:
            topics, self._topics = self._topics, []
        for topic in topics:
            self._node.destroy_subscription(topic.subscription)
        self._changed.destroy()

    def _tell(self) -> None:
        with suppress(InvalidHandle):  # The context was shut down: the thread sees that too.
            self._changed.trigger()

    def _run(self) -> None:
        while not self._ends and self._node.context.ok():
            with self._lock:
                topics = [] if self._rests else list(self._topics)
            try:
                self._serve(topics)
            except Exception as error:
                # With rclpy's own handlers of signals the context ends between any two calls of rclpy.
                if self._node.context.ok() and not self._ends:
                    self._guard.caught("a lane, which begins anew", error)
                    time.sleep(_AGAIN_S)

    def _serve(self, topics: list[_Topic]) -> None:
        """Wait on one wait set until there are other topics, or no more."""
        with ExitStack() as held:
            held.enter_context(self._node.context.handle)
            held.enter_context(self._changed.handle)
            for topic in topics:
                held.enter_context(topic.subscription.handle)
            wait_set = WaitSet(len(topics), 1, 0, 0, 0, 0, self._node.context.handle)
            while not self._ends and self._node.context.ok():
                wait_set.clear_entities()
                for topic in topics:
                    wait_set.add_subscription(topic.subscription.handle)
                wait_set.add_guard_condition(self._changed.handle)
                wait_set.wait(_LOOK_NS)
                ready = wait_set.get_ready_entities("subscription")
                with self._taking:
                    for topic in topics:
                        if topic.subscription.handle.pointer in ready and not self._rests:
                            self._take_all(topic)
                if wait_set.get_ready_entities("guard_condition"):
                    return

    def _take_all(self, topic: _Topic) -> None:
        for _ in range(topic.most):
            if not self._take(topic):
                return

    def _take(self, topic: _Topic) -> bool:
        subscription = topic.subscription
        try:
            taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
            if taken is None:
                return False
            topic.hear(taken[0])
        except InvalidHandle:
            raise
        except (Exception, SystemExit) as error:  # A message must not end what everything waits for.
            self._guard.caught(f"topic {subscription.topic_name}", error)
        return True
