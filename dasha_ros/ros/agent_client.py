"""Asking an agent for its part of a goal, and noticing when it is no longer there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.node import Node
from rclpy.task import Future

from dasha_ros.agents.outcome import ErrorCode
from dasha_ros.ros.action_client import PatientActionClient
from dasha_ros.ros.guard import guard_of
from dasha_ros.ros.retiring import retire_action
from dasha_ros.ros.waiting import POLL_S, result_of
from dasha_ros.timing import limits

_AGAIN_S = 1.0
"""A goal without an answer for so long is sent again; the newest goal counts."""
_PROBE_S = 1.0
"""Silence after which an agent is asked whether it still knows the goal."""


class AgentLostError(Exception):
    """The agent does not answer: it is not there, died, or was started anew and forgot the goal."""


class GoalRefusedError(AgentLostError):
    """The agent is there and says no."""


class AgentClient:
    """One agent's action, used from a thread that no executor needs."""

    def __init__(
        self,
        node: Node,
        kind: Any,
        action: str,
        agent: str,
        ends_s: float = limits.AGENT_GOAL_ENDS_S,
    ) -> None:
        """Look for the action's server.

        Args:
            node: Whose goals they are.
            kind: The action's type.
            action: The action's name.
            agent: The server's node.
            ends_s: A node that ends waits no longer for the goal's end, whatever it grants otherwise [s].
        """
        self._ends_s = ends_s
        self._node, self._name = node, agent
        self._client = PatientActionClient(node, kind, action)

    def destroy(self) -> None:
        """Leave the action's topics."""
        retire_action(self._node, self._client)

    def run(
        self,
        goal: Any,
        on_feedback: Callable[[Any], None],
        interrupted: Callable[[], ErrorCode | None],
        timeout_s: float,
    ) -> Any:
        """Send a goal, pass on its feedback, and return its result.

        An interruption is passed on as a cancel; the result then says so.

        Args:
            goal: The action's goal.
            on_feedback: Called for each feedback, from the executor.
            interrupted: Why to stop now, or `None`.
            timeout_s: How long the agent may take to appear, to accept, and to react to a cancel.

        Raises:
            AgentLostError: The agent does not answer.
        """
        heard = [time.monotonic()]

        def on_message(message: Any) -> None:
            heard[0] = time.monotonic()
            try:
                on_feedback(message.feedback)
            except Exception as error:  # Bad feedback must not keep the answers that come with it.
                guard_of(self._node).caught(f"feedback of {self._name}", error)

        self._appear(interrupted, timeout_s)
        handle = self._accepted(goal, on_message, interrupted, timeout_s)
        return self._result(handle, heard, interrupted, timeout_s)

    def _accepted(
        self,
        goal: Any,
        on_message: Callable[[Any], None],
        interrupted: Callable[[], ErrorCode | None],
        timeout_s: float,
    ) -> Any:
        """Send a goal until it is answered: discovery still knows an agent that was killed a moment ago."""
        deadline = time.monotonic() + timeout_s
        while (left_s := deadline - time.monotonic()) > 0:
            accepting = self._client.send_goal_async(goal, on_message)
            handle: Any = result_of(
                accepting, min(left_s, _AGAIN_S), lambda: interrupted() == ErrorCode.SHUTDOWN
            )
            if handle is None:
                # Accepted later, the goal would be worked on for nobody.
                accepting.add_done_callback(_cancel_late)
                if interrupted() == ErrorCode.SHUTDOWN:
                    break
                continue
            if not handle.accepted:
                raise GoalRefusedError(f"{self._name} rejected its part of the goal: see its log")
            return handle
        waited_s = timeout_s - max(0.0, deadline - time.monotonic())
        raise AgentLostError(f"{self._name} did not answer a goal within {waited_s:.1f} s")

    def _appear(self, interrupted: Callable[[], ErrorCode | None], timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not self._client.server_is_ready():
            if time.monotonic() > deadline or interrupted() is not None:
                raise AgentLostError(f"{self._name} is not there")
            time.sleep(POLL_S)

    def _result(
        self,
        handle: Any,
        heard: list[float],
        interrupted: Callable[[], ErrorCode | None],
        timeout_s: float,
    ) -> Any:
        done = threading.Event()
        pending = handle.get_result_async()
        pending.add_done_callback(lambda _: done.set())
        cancelled_at: float | None = None
        while not done.wait(POLL_S):
            now = time.monotonic()
            if cancelled_at is None and interrupted() is not None:
                handle.cancel_goal_async()
                cancelled_at = now
                if interrupted() == ErrorCode.SHUTDOWN:
                    timeout_s = min(timeout_s, self._ends_s)
            if cancelled_at is not None and now - cancelled_at > timeout_s:
                raise AgentLostError(f"{self._name} did not stop within {timeout_s:g} s of a cancel")
            if not self._client.server_is_ready():
                raise AgentLostError(f"{self._name} is gone")
            if now - heard[0] > _PROBE_S:
                heard[0] = now
                # A server that was started anew answers at once, with a status of its own for
                # goals it never heard of; one that still works on the goal stays silent.
                handle.get_result_async().add_done_callback(lambda f: self._probed(f, done))
        answer = pending.result() if pending.done() else None
        if answer is None or answer.status == GoalStatus.STATUS_UNKNOWN:
            raise AgentLostError(f"{self._name} was started anew and forgot the goal")
        return answer.result

    @staticmethod
    def _probed(future: Any, done: threading.Event) -> None:
        answer = None if future.cancelled() or future.exception() else future.result()
        if answer is not None and answer.status == GoalStatus.STATUS_UNKNOWN:
            done.set()


def _cancel_late(accepting: Future) -> None:
    handle: Any = None if accepting.cancelled() or accepting.exception() else accepting.result()
    if handle is not None and handle.accepted:
        handle.cancel_goal_async()
