"""An action server that works on one goal at a time: the newest, or one of the background if it is alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from dasha_ros.policies.outcome import ErrorCode, explain
from dasha_ros.ros.goals.owner import OwnerWatch, clients
from dasha_ros.ros.node.guard import guard_of
from dasha_ros.ros.node.retiring import retire_action
from dasha_ros.ros.node.waiter import POLL_S

_RESULT_KEPT_S = 60
"""A client asks for the result when its goal is accepted. rclpy's 900 s keep 7 kB of each goal."""
_WHY = {
    ErrorCode.CANCELED: "the goal was cancelled",
    ErrorCode.PREEMPTED: "a newer goal took over",
    ErrorCode.SHUTDOWN: "the node was stopped",
    ErrorCode.CLIENT_GONE: "the client is gone",
}


class ActiveGoal:
    """One goal being worked on."""

    def __init__(self, handle: ServerGoalHandle, owner: OwnerWatch) -> None:
        self.handle = handle
        self.request = handle.request
        self.background: bool = handle.request.background
        """Yields to any other goal, and preempts none."""
        self.reason: ErrorCode | None = None
        self.over = False
        """Its result is known."""
        self._owner = owner

    def interrupted(self) -> ErrorCode | None:
        """Why the goal must end early, `None` while it need not."""
        if self.reason is None and self._owner.is_gone():
            self.interrupt(ErrorCode.CLIENT_GONE)
        return self.reason

    def interrupt(self, reason: ErrorCode) -> None:
        """End the goal within one step. The first reason counts."""
        self.reason = self.reason or reason

    @property
    def why(self) -> str:
        """The reason as the beginning of a sentence."""
        return _WHY.get(self.reason, "") if self.reason else ""

    def feedback(self, message: Any) -> None:
        """Publish feedback while the goal is alive."""
        if self.handle.is_active:
            self.handle.publish_feedback(message)


class _PunctualServer(ActionServer):
    """Says when a goal's result is on its way to whoever asked for it, not when it is only known."""

    def __init__(self, *args: Any, sent: Callable[[], None], **options: Any) -> None:
        self._sent = sent
        super().__init__(*args, **options)

    async def _execute_goal(self, execute: Any, handle: ServerGoalHandle) -> None:
        try:
            await super()._execute_goal(execute, handle)
        finally:
            # rclpy leaves the answers to tasks of the executor, which a node that ends would never run. This
            # is one more, behind them: the executor finishes what it has begun.
            answers = self._result_futures[bytes(handle.goal_id.uuid)]
            answers.add_done_callback(lambda _: self._sent())
            if not answers.done():
                self._sent()


class SimpleActionServer:
    """Accepts a goal when it is valid; the newest goal preempts; a cancel takes effect within one step.

    A background goal is refused while any goal is open. One that was accepted in the same instant as another
    goal ends at once: a lock decides which came first.

    Needs an executor with at least four threads: a goal occupies one while it runs, a newer goal
    a second one while it waits for the older to end, one that it preempts meanwhile a third for a moment.

    Args:
        node: Owns the server.
        kind: The action's type.
        name: The action's name.
        refuse: Returns why a goal can't be accepted, empty when it can.
        work: Does the job and returns the result, of which ``error_code`` and
            ``error_msg`` are set. Runs in a thread of its own, may block, and must look
            at `ActiveGoal.interrupted` between steps.
        ends_s: How long a goal that is told to end may take; see `freshness.limits`. One that takes longer
            must not keep its node from ending.
    """

    def __init__(
        self,
        node: Node,
        kind: Any,
        name: str,
        refuse: Callable[[Any], str],
        work: Callable[[ActiveGoal], Any],
        *,
        ends_s: float,
    ) -> None:
        self._node, self._kind, self._name = node, kind, name
        self._refuse, self._work = refuse, work
        self._ends_s = ends_s
        self._told_to_end: tuple[ActiveGoal | None, float] = (None, 0.0)
        """The goal that was told to end, and when it must have [s, monotonic]."""
        self._newest: ActiveGoal | None = None
        self._open = 0
        """Goals that were accepted and whose result was not sent yet."""
        self._waiter = threading.Condition()
        self._busy = threading.Lock()
        self._server = _PunctualServer(
            node,
            kind,
            name,
            execute_callback=self._execute,
            goal_callback=self._on_goal,
            handle_accepted_callback=self._on_accepted,
            cancel_callback=self._on_cancel,
            callback_group=ReentrantCallbackGroup(),
            result_timeout=_RESULT_KEPT_S,
            sent=self._on_sent,
        )

    def stop(self) -> None:
        """End the goal in hand and wait for its end. Until it is destroyed, the server answers."""
        with self._waiter:
            if self._newest is not None:
                self._newest.interrupt(ErrorCode.SHUTDOWN)
            # Told again, a goal that does not end has no more time than it was given the first time.
            if self._told_to_end[0] is not self._newest:
                self._told_to_end = self._newest, time.monotonic() + self._ends_s
            self._waiter.wait_for(lambda: not self._open, max(0.0, self._told_to_end[1] - time.monotonic()))

    def destroy(self) -> None:
        """End the goal in hand and close the server. A result that nobody fetched yet is lost.

        A node that will serve goals again keeps its server, and refuses them meanwhile.
        """
        self.stop()
        retire_action(self._node, self._server)

    def _on_goal(self, request: Any) -> GoalResponse:
        try:
            if request.background and self._has_open_goal():
                return GoalResponse.REJECT
            return GoalResponse.REJECT if self._refuse(request) else GoalResponse.ACCEPT
        except Exception as error:  # Whoever asked would wait for ever.
            guard_of(self._node).caught("a request for a goal", error)
            return GoalResponse.REJECT

    def _has_open_goal(self) -> bool:
        with self._waiter:
            return self._newest is not None and not self._newest.over

    def _on_accepted(self, handle: ServerGoalHandle) -> None:
        with self._waiter:
            self._open += 1
            run = self._run_of(handle)
            if not (run.background and self._has_open_goal()):
                if self._newest is not None:
                    self._newest.interrupt(ErrorCode.PREEMPTED)
                self._newest = run
        handle.execute()

    def _run_of(self, handle: ServerGoalHandle) -> ActiveGoal:
        return ActiveGoal(
            handle, OwnerWatch(bytes(handle.goal_id.uuid), lambda: clients(self._node, self._name))
        )

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        with self._waiter:
            if self._newest is not None and self._newest.handle is handle:
                self._newest.interrupt(ErrorCode.CANCELED)
        return CancelResponse.ACCEPT

    def _execute(self, handle: ServerGoalHandle) -> Any:
        with self._waiter:
            newest = self._newest
        run = newest if newest is not None and newest.handle is handle else self._run_of(handle)
        if run is not newest:
            run.interrupt(ErrorCode.PREEMPTED)
        try:
            return self._finish(run, self._await_turn(run))
        finally:
            run.over = True

    def _on_sent(self) -> None:
        with self._waiter:
            self._open -= 1
            self._waiter.notify_all()

    def _await_turn(self, run: ActiveGoal) -> Any:
        # A goal that was preempted while it waited has nothing to wait for: a burst of goals must not
        # take every thread of the executor.
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
        except Exception as error:  # A bug must end the goal with a number, not the node.
            guard_of(self._node).caught("a goal", error)
            return self._failure(ErrorCode.INTERNAL, f"{type(error).__name__}: {error}")

    def _failure(self, code: ErrorCode, what: str) -> Any:
        return self._kind.Result(error_code=int(code), error_msg=explain(code, what))

    def _finish(self, run: ActiveGoal, result: Any) -> Any:
        handle = run.handle
        if not self._node.context.ok():
            return result
        if result.error_code == ErrorCode.NONE:
            handle.succeed()
        elif handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        return result
