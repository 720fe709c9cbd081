"""Sends goals of ``focus_on_object`` from a node and a thread of its own."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import rclpy
from rclpy.exceptions import InvalidHandle
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from dasha_ros.action import FocusOnObject
from dasha_ros.msg import FocusState
from dasha_ros.ros.goals.action_client import PatientActionClient
from dasha_ros.ros.goals.goal_watchdog import GoalLostError, GoalTimeouts, Loss
from dasha_ros.ros.goals.remote import RemoteGoal
from dasha_ros.ros.node.waiter import POLL_S
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.joining import joining
from dasha_ros.ros.validation.subscribe import subscribe
from dasha_ros.system.callbacks import call_user
from dasha_ros.system.enclave import enclave_arguments
from dasha_ros.system.folders import NO_LOG_FILES

_IDLE_S = 1.0
"""Longest wait [s]. An order wakes the thread at once, but a wake-up may come a moment too early."""
_STATE_S = 2.0
"""How long to wait for ``focus/state``, which says why a goal was rejected [s]: before and after the goal."""
_LATE_S = 0.2
"""How long to wait for the last feedback, which may arrive after the result [s]."""
_REJOINS = 2
"""How many more signals may interrupt the client while it joins again."""
_REJECTED = "goal rejected"
_UNEXPLAINED = (
    f"{_REJECTED} without a reason: the focus server is not configured, or is just ending. `dasha doctor` "
    "tells its state, and its log says more"
)
"""Only a configured server can say why; without ``focus/state`` nothing is heard of it."""
_KEPT = 100
"""How many rejections are kept."""

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Ending:
    """How a goal ended."""

    result: Any = None
    """``FocusOnObject.Result``, or `None`."""
    loss: Loss | None = None
    """Why there is no result; `None`: it was not awaited."""
    reason: str = ""
    """Why the goal was rejected."""
    timed_out: bool = False
    """Whether the goal was cancelled because its time was up."""


@dataclass
class Order:
    """A goal to send, and the callbacks for its progress."""

    goal: Any
    """``FocusOnObject.Goal``."""
    timeout_s: float | None
    on_feedback: Callable[[Any], None] | None
    """Called with each ``FocusOnObject.Feedback``."""
    on_cancel: Callable[[], None]
    """Called when a cancel begins, whatever the reason."""
    on_end: Callable[[Ending], None]
    """Called once. It must not raise."""
    cancelled: bool = False
    abandoned: bool = False
    """Whether nobody waits for the end any more."""


class _Graph:
    """A context, a node, and its connection to the focus server."""

    def __init__(self, namespace: str, domain_id: int | None) -> None:
        self.context = rclpy.Context()
        # If the user's program lets rclpy handle signals, a signal shuts down this context too.
        # The first context of a process decides about log files. In a program without a node it is this one,
        # which has nothing to write, and must work where nothing can be written.
        arguments = ["--ros-args", NO_LOG_FILES, *enclave_arguments(f"{namespace}/client")]
        with joining():
            rclpy.init(args=arguments, context=self.context, domain_id=domain_id)
            self.node = rclpy.create_node(
                f"dasha_client_{os.getpid()}_{next(_numbers)}",
                namespace=namespace,
                context=self.context,
                start_parameter_services=False,
                enable_rosout=False,
            )
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.client = PatientActionClient(self.node, FocusOnObject, "focus_on_object")
        self.state: FocusState | None = None
        self.rejections: dict[bytes, str] = {}
        """Why goals were rejected, of this client or others, by their ids; the newest last."""
        subscribe(self.node, FocusState, "focus/state", self._on_state, qos.STATE)

    def _on_state(self, state: FocusState) -> None:
        self.state = state
        if state.message.startswith(_REJECTED):
            self.rejections[bytes(state.goal)] = state.message
            if len(self.rejections) > _KEPT:
                del self.rejections[next(iter(self.rejections))]

    def close(self) -> None:
        """Leave the graph, even if a signal has shut the context down."""
        self.executor.shutdown()
        with suppress(InvalidHandle):
            self.client.destroy()
        self.node.destroy_node()
        self.context.try_shutdown()


def _joined(namespace: str, domain_id: int | None) -> _Graph:
    """Join again. Another signal may shut down the new context before its node is made."""
    for _ in range(_REJOINS):
        with suppress(Exception):
            return _Graph(namespace, domain_id)
    return _Graph(namespace, domain_id)


class _Run:
    """One goal in progress. Used only by the thread of `FocusGoals`."""

    def __init__(self, order: Order, graph: _Graph, timeouts: GoalTimeouts) -> None:
        self.order, self._graph = order, graph
        self._remote = RemoteGoal(graph.client, order.goal, self._on_feedback, timeouts)
        self._began = time.monotonic()
        self._ready_at: float | None = None
        self._ended_at: float | None = None
        self._loss: Loss | None = None
        self._cancelling = self._timed_out = False

    def move_to(self, graph: _Graph) -> None:
        """Continue with another context after a signal shut down the first one."""
        self._graph = graph
        self._remote.move_to(graph.client)

    def advance(self) -> Ending | None:
        """Do the next step; return how the goal ended, or `None`."""
        now, timeout_s = time.monotonic(), self.order.timeout_s
        if timeout_s is not None and now - self._began >= timeout_s and not self.order.cancelled:
            self._timed_out = self.order.cancelled = True
        if self.order.cancelled and not self._cancelling:
            self._cancelling = True
            self._remote.cancel()
            self._call(self.order.on_cancel, "cancel")
        if self._ended_at is None:
            if not self._cancelling and self._waits_for_state(now):
                return None
            try:
                if not self._remote.advance():
                    return None
            except GoalLostError as error:
                if not self._graph.context.ok():
                    raise  # No server is seen because a signal has shut the context down.
                self._loss = error.loss
            self._ended_at = now
        if self._loss is Loss.REJECTED:
            why = [text for goal in self._remote.ids if (text := self._graph.rejections.get(goal))]
            if not why and now - self._ended_at < _STATE_S:
                return None
            reason = why[-1] if why else _UNEXPLAINED
            return Ending(loss=self._loss, reason=reason)
        if self._loss is None and self.order.on_feedback is not None and now - self._ended_at < _LATE_S:
            return None
        return Ending(self._remote.result, self._loss, timed_out=self._timed_out)

    def deliver_cancel(self, ended: threading.Event) -> None:
        """See `RemoteGoal.deliver_cancel`."""
        if self._loss is not Loss.FORGOTTEN and self._remote.cancel_is_owed():
            threading.Thread(
                target=self._remote.deliver_cancel, args=(ended,), name="cancel", daemon=True
            ).start()

    def _waits_for_state(self, now: float) -> bool:
        if self._graph.state is not None or not self._graph.client.server_is_ready():
            return False
        self._ready_at = self._ready_at or now
        return now - self._ready_at < _STATE_S

    def _on_feedback(self, feedback: Any) -> None:
        if self.order.on_feedback is not None:
            self._call(self.order.on_feedback, "feedback", feedback)

    def _call(self, callback: Callable[..., None], what: str, *arguments: Any) -> None:
        call_user(self._graph.node.get_logger().error, f"the {what} callback", callback, *arguments)


class FocusGoals:
    """Sends goals and follows them in a thread of its own.

    If something shuts its context down, as rclpy's signal handlers do with every context of a process, it
    makes a new one, cancels all goals there and waits for their ends.
    """

    def __init__(self, namespace: str, domain_id: int | None, timeouts: GoalTimeouts) -> None:
        """Join the graph.

        Args:
            namespace: Namespace of the graph.
            domain_id: `None`: the one in ``ROS_DOMAIN_ID``.
            timeouts: Limits of all waits.
        """
        self._where, self._timeouts = (namespace, domain_id), timeouts
        self._graph = _Graph(*self._where)
        self._former: list[_Graph] = []
        """Kept until the end, because a server ends a goal whose client has left the graph."""
        self._orders: SimpleQueue[Order] = SimpleQueue()
        self._runs: list[_Run] = []
        self._closing, self._over, self._lock = threading.Event(), threading.Event(), threading.Lock()
        self._takes_orders = True
        self._thread = threading.Thread(target=self._serve, name="dasha_client", daemon=True)
        self._thread.start()

    def start(self, order: Order) -> None:
        """Send a goal.

        Raises:
            RuntimeError: The client is closed.
        """
        with self._lock:
            # Later ones would wait for a thread that looks no more.
            if self._closing.is_set() or not self._takes_orders:
                raise RuntimeError("the client is closed: make a new one")
            self._orders.put(order)
        self.wake()

    def check_may_wait(self) -> None:
        """Refuse a wait that could never end.

        Raises:
            RuntimeError: One of the client's callbacks asks: its thread can't wait for itself.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError(
                "a callback of the client can't wait for the client, in whose thread it runs: start goals "
                "with `start`, which does not wait, or wait in a thread of your own"
            )

    def wake(self) -> None:
        """Make the thread look at its orders: there is a new one, or one was cancelled."""
        with self._lock:
            if not self._over.is_set():
                # A task ends the executor's wait; `wake` alone does not.
                self._graph.executor.create_task(lambda: None)

    def close(self) -> None:
        """Cancel all goals, wait for their ends, and leave the graph.

        Raises:
            RuntimeError: One of the client's callbacks asks.
        """
        self.check_may_wait()
        self._closing.set()
        self.wake()
        self._thread.join()

    def _serve(self) -> None:
        try:
            while not self._closing.is_set() or self._runs or not self._orders.empty():
                try:
                    self._turn()
                except Exception:
                    # When a signal shuts a context down, rclpy raises what its current line happens to raise.
                    if self._graph.context.ok():
                        raise
                    self._rejoin()
        finally:
            # Whatever ended the thread, no caller may be left waiting.
            with self._lock:
                self._takes_orders = False
            self._take_orders()
            for run in self._runs:
                run.order.on_end(Ending())
            with self._lock:
                self._over.set()
            for graph in (*self._former, self._graph):
                graph.close()

    def _turn(self) -> None:
        if not self._graph.context.ok():
            raise ExternalShutdownException
        self._graph.executor.spin_once(timeout_sec=POLL_S if self._runs else _IDLE_S)
        self._take_orders()
        for run in list(self._runs):
            run.order.cancelled |= self._closing.is_set()
            self._advance(run)

    def _take_orders(self) -> None:
        with suppress(Empty):
            while True:
                self._runs.append(_Run(self._orders.get_nowait(), self._graph, self._timeouts))

    def _advance(self, run: _Run) -> None:
        try:
            ending = run.advance()
            if ending is None and run.order.abandoned:
                ending = Ending()
        except Exception as error:
            if not self._graph.context.ok():
                raise
            self._graph.node.get_logger().error(f"internal error: {error!r}")
            ending = Ending()
        if ending is not None:
            self._runs.remove(run)
            run.deliver_cancel(self._over)
            run.order.on_end(ending)

    def _rejoin(self) -> None:
        self._former.append(self._graph)
        self._graph = _joined(*self._where)
        for run in self._runs:
            run.order.cancelled = True
            run.move_to(self._graph)
