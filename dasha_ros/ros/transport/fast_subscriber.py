"""A thread for the topics of the control loop: each message costs a tenth of what an executor spends.

For every message rclpy's executors go through all services, timers and actions of a node and build a wait
set of them. Here one wait set holds only the few topics whose delay slows down every step.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
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
from dasha_ros.ros.validation.subscribe import MessageFilter

M = TypeVar("M")

_LOOK_NS = 500_000_000
"""Longest wait before the thread checks whether the context was shut down."""
_AGAIN_S = 0.1
"""Pause after an error before the topics are served again."""


class _NotForExecutors(CallbackGroup):
    """Keeps executors from serving these subscriptions."""

    def can_execute(self, entity: Any) -> bool:
        return False

    def beginning_execution(self, entity: Any) -> bool:
        return False

    def ending_execution(self, entity: Any) -> None:
        pass


@dataclass(frozen=True)
class Topic:
    """A topic that a subscriber serves."""

    subscription: Subscription
    hear: Callable[[tuple[bytes, Mapping[str, int]]], None]
    """Called with a serialized message and rclpy's facts about it."""
    most: int
    """Most messages to take before the next topic's turn: a flood must not block the others."""
    is_reliable: bool


class FastSubscriber:
    """Serves a few topics in a thread of its own, one callback at a time.

    Callbacks run in parallel to the executor's, so shared data needs a lock. Exceptions of callbacks go to
    the node's guard. If the thread's own work fails, the guard is told too, and the thread starts over.
    While its topics are not needed, `rest` lets messages wait in the middleware's queues, which keep the
    newest ones, at no cost in Python.
    """

    def __init__(self, node: Node) -> None:
        """Serve topics of ``node``; the thread starts with the first of them."""
        self._node, self._guard = node, guard_of(node)
        self._group = _NotForExecutors()
        self._changed = GuardCondition(None, None, context=node.context)
        self._topics: list[Topic] = []
        self._lock = threading.Lock()
        self._taking = threading.RLock()
        self._thread: threading.Thread | None = None
        self._rests = self._ends = self._closed = False
        self._longest_wait_ns = _LOOK_NS

    def listen(self, kind: type[M], topic: str, callback: Callable[[M], None], qos: QoSProfile) -> None:
        """Subscribe until `close`. If that fails, all topics are closed.

        Args:
            kind: Type of the messages.
            topic: Its name.
            callback: Called in the subscriber's thread with what `MessageFilter` accepts: an object with
                the fields of ``kind`` that can't be published.
            qos: Quality of service.

        Raises:
            TypeError: The type has a field that `cdr` can't read.
        """
        with self._closed_after_failure():
            hear = MessageFilter(self._node, kind, topic, callback).hear
        self._listen(kind, topic, to_hear(qos), lambda taken: hear(taken[0]))

    def _listen(
        self,
        kind: type,
        topic: str,
        qos: QoSProfile,
        hear: Callable[[tuple[bytes, Mapping[str, int]]], None],
        most: int = 0,
    ) -> None:
        with self._closed_after_failure():
            subscription = self._node.create_subscription(
                kind, topic, hear, qos, callback_group=self._group, raw=True
            )
        # Only one image per turn, so that the messages that describe it come first.
        is_reliable = qos.reliability is ReliabilityPolicy.RELIABLE
        with self._lock:
            self._topics.append(Topic(subscription, hear, most or (KEPT if is_reliable else 1), is_reliable))
        self._notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="fast_subscriber", daemon=True)
            self._thread.start()

    @contextmanager
    def _closed_after_failure(self) -> Iterator[None]:
        """Whoever makes something of these topics can't close what is not made."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    def rest(self) -> None:
        """Let messages wait until `wake`. No callback runs once this returns, unless it was called by one."""
        self._rests = True
        self._notify()
        with self._taking:
            pass

    def wake(self) -> None:
        """Serve the topics again. On return, all messages that arrived during `rest` have been handled.

        Their callbacks run in the caller's thread.
        """
        with self._lock:
            topics = list(self._topics)
        with self._taking, suppress(InvalidHandle):
            for topic in topics:
                self._take_all(topic)
        self._rests = False
        self._notify()

    def close(self) -> None:
        """Unsubscribe. No callback runs once this returns, unless it was called by one."""
        if self._closed:
            return
        self._closed = True
        self._end()
        with self._lock:
            topics, self._topics = self._topics, []
        for topic in topics:
            self._node.destroy_subscription(topic.subscription)
        self._changed.destroy()

    def _end(self) -> None:
        """Wait until the thread has ended."""
        self._ends = True
        self._notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _notify(self) -> None:
        with suppress(InvalidHandle):  # The context was shut down, which the thread notices too.
            self._changed.trigger()

    def _run(self) -> None:
        while not self._ends and self._node.context.ok():
            with self._lock:
                topics = [] if self._rests else list(self._topics)
            try:
                self._serve(topics)
            except Exception as error:
                # With rclpy's own signal handlers the context may end between any two calls of rclpy.
                if self._node.context.ok() and not self._ends:
                    self._guard.caught("the fast subscriber, which starts over", error)
                    time.sleep(_AGAIN_S)

    def _serve(self, topics: list[Topic]) -> None:
        """Serve these topics until they change or the subscriber closes."""
        with ExitStack() as held:
            held.enter_context(self._node.context.handle)
            held.enter_context(self._changed.handle)
            for topic in topics:
                held.enter_context(topic.subscription.handle)
            awaited = self._awaited(topics)
            wait_set = WaitSet(len(awaited), 1, 0, 0, 0, 0, self._node.context.handle)
            while not self._ends and self._node.context.ok():
                wait_set.clear_entities()
                for topic in awaited:
                    wait_set.add_subscription(topic.subscription.handle)
                wait_set.add_guard_condition(self._changed.handle)
                wait_set.wait(self._longest_wait_ns)
                ready = wait_set.get_ready_entities("subscription")
                with self._taking:
                    self._take_turns(topics, ready)
                if wait_set.get_ready_entities("guard_condition"):
                    return

    def _awaited(self, topics: list[Topic]) -> list[Topic]:
        """The topics whose messages end a wait."""
        return topics

    def _take_turns(self, topics: list[Topic], ready: list[int]) -> None:
        """Take messages of these topics after a wait; ``ready`` has the handles of those that ended it."""
        for topic in topics:
            if topic.subscription.handle.pointer in ready and not self._rests:
                self._take_all(topic)

    def _take_all(self, topic: Topic) -> int:
        """Returns how many messages there were."""
        return next((count for count in range(topic.most) if not self._take(topic)), topic.most)

    def _take(self, topic: Topic) -> bool:
        subscription = topic.subscription
        try:
            taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
            if taken is None:
                return False
            topic.hear(taken)
        except InvalidHandle:
            raise
        except (Exception, SystemExit) as error:  # One message must not stop the thread of the control loop.
            self._guard.caught(f"topic {subscription.topic_name}", error)
        return True
