"""An action server that works on one goal at a time: the newest goal preempts the one before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from dasha_ros.control.deadline import within
from dasha_ros.policies.outcome import ErrorCode, explain
from dasha_ros.ros.goals.clients import ClientWatch, clients
from dasha_ros.ros.node.guard import guard_of
from dasha_ros.ros.node.retiring import retire_action
from dasha_ros.ros.node.waiter import POLL_S
from dasha_ros.ros.transport.qos import ACTION_SERVICES
from dasha_ros.system.text import sendable

NO_GOAL = bytes(16)
"""In place of a goal's id: none."""
_SAID_AGAIN_S = 60.0
"""How often the log repeats why background goals are refused [s]: a trainer sends them all the time."""
_RESULT_KEPT_S = 60
"""How long results are kept [s]. Clients ask at once; rclpy's 900 s would keep 7 kB of each goal."""
_WHY = {
    ErrorCode.TIME_EXHAUSTED: "the time of the goal is up",
    ErrorCode.CANCELED: "the goal was cancelled",
    ErrorCode.PREEMPTED: "a newer goal took over",
    ErrorCode.SHUTDOWN: "the node was stopped",
    ErrorCode.CLIENT_GONE: "the client is gone",
}


class ActiveGoal:
    """One goal that the server works on."""

    def __init__(self, handle: ServerGoalHandle, owner: ClientWatch) -> None:
        self.handle = handle
        self.request = handle.request
        self.background: bool = handle.request.background
        """Whether it yields to any other goal and preempts none."""
        self._reason: ErrorCode | None = None
        self.finished = False
        """Whether its result is known."""
        self._owner = owner
        self._late = within(handle.request.max_seconds)

    def limit(self, seconds: float) -> None:
        """End the goal so long after now [s], unless its request names a time of its own; 0: no limit."""
        if not self.request.max_seconds:
            self._late = within(seconds)

    @property
    def reason(self) -> ErrorCode | None:
        """Why the goal must end early, as far as was noticed, or `None`."""
        # The handle is asked, because rclpy may serve a cancel before it tells that the goal was accepted.
        if self._reason is None and self.handle.is_cancel_requested:
            self._reason = ErrorCode.CANCELED
        return self._reason

    def interrupted(self) -> ErrorCode | None:
        """Return why the goal must end early, or `None`."""
        if self.reason is None and self._owner.is_gone():
            self.interrupt(ErrorCode.CLIENT_GONE)
        if self.reason is None and (late := self._late()) is not None:
            self.interrupt(late)
        return self.reason

    def interrupt(self, reason: ErrorCode) -> None:
        """End the goal within one step. The first reason counts."""
        self._reason = self.reason or reason

    @property
    def why(self) -> str:
        """The reason in words."""
        return _WHY.get(reason, "") if (reason := self.reason) else ""

    def feedback(self, message: Any) -> None:
        """Publish feedback while the goal is active."""
        if self.handle.is_active:
            self.handle.publish_feedback(message)


class _ReportingServer(ActionServer):
    """Reports which goal is asked for, and when a goal's result was sent to those who asked for it."""

    def __init__(
        self, *args: Any, asked: Callable[[bytes], None], sent: Callable[[], None], **options: Any
    ) -> None:
        self._asked, self._sent = asked, sent
        super().__init__(*args, **options)

    async def _execute_goal_request(self, request_header_and_message: Any) -> None:
        # rclpy's goal callback does not get the goal's id.
        self._asked(bytes(request_header_and_message[1].goal_id.uuid))
        await super()._execute_goal_request(request_header_and_message)

    async def _execute_goal(self, execute: Any, handle: ServerGoalHandle) -> None:
        try:
            await super()._execute_goal(execute, handle)
        finally:
            # rclpy sends the answers in tasks of the executor, which a node that ends might not run. This
            # callback runs after them.
            answers = self._result_futures[bytes(handle.goal_id.uuid)]
            answers.add_done_callback(lambda _: self._sent())
            if not answers.done():
                self._sent()


class SimpleActionServer:
    """Accepts valid goals; the newest goal preempts; a cancel takes effect within one step.

    A background goal is refused while any goal is open. If it was accepted at the same moment as another
    goal, it ends at once; a lock decides which came first.

    Needs an executor with at least four threads: the current goal uses one, a newer goal a second one
    while it waits for the older to end, and a goal preempted while it waits a third one for a moment.

    Args:
        node: Owns the server.
        kind: The action's type.
        name: The action's name.
        refuse: Returns why a goal can't be accepted, or "".
        work: Works on a goal and returns its result, with ``error_code`` and ``error_msg`` set. It runs in
            a thread of its own, may block, and must check `ActiveGoal.interrupted` between steps.
        settings: Returns the fields of a result that say what is active, for goals that end before their
            turn.
        ends_s: How long an interrupted goal may take to end [s]; see `system.shutdown_limits`. A goal that
            takes longer must not keep its node from ending.
    """

    def __init__(
        self,
        node: Node,
        kind: Any,
        name: str,
        refuse: Callable[[Any], str],
        work: Callable[[ActiveGoal], Any],
        *,
        settings: Callable[[], Mapping[str, Any]] = dict,
        ends_s: float,
    ) -> None:
        self._node, self._kind, self._name = node, kind, name
        self._refuse, self._work = refuse, work
        self._settings, self._ends_s = settings, ends_s
        self._stopping: tuple[ActiveGoal | None, float] = (None, 0.0)
        """The goal that `stop` interrupted, and its deadline [s, monotonic]."""
        self._newest: ActiveGoal | None = None
        self._open = 0
        """Number of accepted goals whose result was not sent yet."""
        self._changed = threading.Condition()
        self._busy = threading.Lock()
        self._asking = threading.local()
        self._server = _ReportingServer(
            node,
            kind,
            name,
            execute_callback=self._execute,
            goal_callback=self._on_goal,
            handle_accepted_callback=self._on_accepted,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
            callback_group=ReentrantCallbackGroup(),
            result_timeout=_RESULT_KEPT_S,
            asked=lambda goal: setattr(self._asking, "goal", goal),
            sent=self._on_sent,
            **ACTION_SERVICES,
        )

    @property
    def asked(self) -> bytes:
        """Id of the goal that ``refuse`` is asked about, in the thread that asks."""
        return getattr(self._asking, "goal", NO_GOAL)

    def stop(self) -> None:
        """Interrupt the current goal and wait for its end. The server keeps answering until `destroy`."""
        with self._changed:
            if self._newest is not None:
                self._newest.interrupt(ErrorCode.SHUTDOWN)
            # A second call gives a goal that does not end no extra time.
            if self._stopping[0] is not self._newest:
                self._stopping = self._newest, time.monotonic() + self._ends_s
            self._changed.wait_for(lambda: not self._open, max(0.0, self._stopping[1] - time.monotonic()))

    def destroy(self) -> None:
        """Interrupt the current goal and destroy the server. Results that were not fetched yet are lost.

        A node that will serve goals again keeps its server and refuses goals until then.
        """
        self.stop()
        retire_action(self._node, self._server)

    def _on_goal(self, request: Any) -> GoalResponse:
        try:
            if request.background and self._has_open_goal():
                self._node.get_logger().info(
                    f"a background goal of {self._name} is refused while another goal runs",
                    throttle_duration_sec=_SAID_AGAIN_S,
                )
                return GoalResponse.REJECT
            return GoalResponse.REJECT if self._refuse(request) else GoalResponse.ACCEPT
        except (Exception, SystemExit) as error:  # Without an answer the client would wait forever.
            guard_of(self._node).caught("a request for a goal", error)
            return GoalResponse.REJECT

    def _has_open_goal(self) -> bool:
        with self._changed:
            return self._newest is not None and not self._newest.finished

    def _on_accepted(self, handle: ServerGoalHandle) -> None:
        with self._changed:
            self._open += 1
            run = self._run_of(handle)
            if not (run.background and self._has_open_goal()):
                if self._newest is not None:
                    self._newest.interrupt(ErrorCode.PREEMPTED)
                self._newest = run
        handle.execute()

    def _run_of(self, handle: ServerGoalHandle) -> ActiveGoal:
        return ActiveGoal(
            handle, ClientWatch(bytes(handle.goal_id.uuid), lambda: clients(self._node, self._name))
        )

    def _execute(self, handle: ServerGoalHandle) -> Any:
        with self._changed:
            newest = self._newest
        run = newest if newest is not None and newest.handle is handle else self._run_of(handle)
        if run is not newest:
            run.interrupt(ErrorCode.PREEMPTED)
        try:
            return self._finish(run, self._await_turn(run))
        finally:
            run.finished = True

    def _on_sent(self) -> None:
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def _await_turn(self, run: ActiveGoal) -> Any:
        # A goal that is preempted while it waits ends at once, so that a burst of goals does not take all
        # threads of the executor.
        while not self._busy.acquire(timeout=POLL_S):
            if (reason := run.interrupted()) is not None:
                return self._failure(reason, run.why)
        try:
            return self._result(run)
        finally:
            self._busy.release()

    def _result(self, run: ActiveGoal) -> Any:
        if run.reason is not None:
            return self._failure(run.reason, run.why)
        try:
            return self._work(run)
        except (Exception, SystemExit) as error:
            # A bug must end the goal with an error code, not the node.
            guard_of(self._node).caught("a goal", error)
            return self._failure(ErrorCode.INTERNAL, f"{type(error).__name__}: {error}")

    def _failure(self, code: ErrorCode, what: str) -> Any:
        return self._kind.Result(error_code=int(code), error_msg=explain(code, what), **self._settings())

    def _finish(self, run: ActiveGoal, result: Any) -> Any:
        handle = run.handle
        _make_sendable(result)
        if not self._node.context.ok():
            return result
        if result.error_code == ErrorCode.NONE:
            handle.succeed()
        elif result.error_code == ErrorCode.CANCELED and handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        return result


def _make_sendable(result: Any) -> None:
    """Let a result hold no text that can't be sent: its client would wait for the answer in vain."""
    for name, kind in result.get_fields_and_field_types().items():
        if kind == "string":
            setattr(result, name, sendable(getattr(result, name)))
