"""Asks an agent for its part of a goal, and notices when the agent is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rclpy.node import Node

from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.ros.goals.action_client import PatientActionClient
from dasha_ros.ros.goals.goal_watchdog import LOST_AFTER_S, GoalLostError, GoalTimeouts, Loss
from dasha_ros.ros.goals.remote import RemoteGoal
from dasha_ros.ros.node.guard import guard_of
from dasha_ros.ros.node.retiring import retire_action
from dasha_ros.ros.node.waiter import POLL_S
from dasha_ros.system import shutdown_limits


class AgentLostError(Exception):
    """The agent does not answer: it is not running, died, or was restarted and forgot the goal."""


class GoalRefusedError(AgentLostError):
    """The agent rejected the goal."""


class AgentClient:
    """Client of one agent's action. Call it from a thread that no executor needs."""

    def __init__(
        self,
        node: Node,
        kind: Any,
        action: str,
        agent: str,
        ends_s: float = shutdown_limits.AGENT_GOAL_ENDS_S,
    ) -> None:
        """Create the client.

        Args:
            node: The node that sends the goals.
            kind: The action's type.
            action: The action's name.
            agent: Name of the server's node.
            ends_s: Longest wait for the goal's end while this node shuts down [s].
        """
        self._ends_s = ends_s
        self._node, self._name = node, agent
        self._client = PatientActionClient(node, kind, action)
        self._closed = threading.Event()

    def destroy(self) -> None:
        """Destroy the client."""
        self._closed.set()
        retire_action(self._node, self._client)

    def run(
        self,
        goal: Any,
        on_feedback: Callable[[Any], None],
        interrupted: Callable[[], ErrorCode | None],
        timeout_s: float,
    ) -> Any:
        """Send a goal, pass on its feedback and return its result.

        An interruption cancels the goal, and the result says so.

        Args:
            goal: The action's goal.
            on_feedback: Called for each feedback, from the executor.
            interrupted: Returns why to stop now, or `None`.
            timeout_s: How long the agent may take to appear, to accept, and to react to a cancel.

        Raises:
            AgentLostError: The agent does not answer.
        """

        def heard(feedback: Any) -> None:
            try:
                on_feedback(feedback)
            except Exception as error:  # Bad feedback must not keep the following answers from being handled.
                guard_of(self._node).caught(f"feedback of {self._name}", error)

        remote = RemoteGoal(
            self._client, goal, heard, GoalTimeouts(timeout_s, timeout_s, LOST_AFTER_S, end_s=timeout_s)
        )
        cancelled = False
        try:
            while not remote.advance():
                if not cancelled and (reason := interrupted()) is not None:
                    cancelled = True
                    remote.cancel(self._ends_s if reason == ErrorCode.SHUTDOWN else None)
                remote.changed.wait(POLL_S)
        except GoalLostError as error:
            if error.loss is not Loss.FORGOTTEN and remote.cancel_is_owed():
                threading.Thread(
                    target=remote.deliver_cancel, args=(self._closed,), name="cancel", daemon=True
                ).start()
            kind = GoalRefusedError if error.loss is Loss.REJECTED else AgentLostError
            raise kind(self._sentence(error.loss, timeout_s)) from None
        return remote.result

    def _sentence(self, loss: Loss, timeout_s: float) -> str:
        what = {
            Loss.ABSENT: "is not running",
            Loss.MUTE: f"did not answer a goal within {timeout_s:g} s",
            Loss.REJECTED: "rejected its part of the goal: it is not active, or its log says why",
            Loss.WITHDRAWN: "did not accept the goal before it was cancelled",
            Loss.GONE: "is gone",
            Loss.FORGOTTEN: "was restarted and forgot the goal",
            Loss.SILENT: f"gave no answer for {LOST_AFTER_S:g} s",
            Loss.STUCK: f"did not stop within {timeout_s:g} s of a cancel",
        }[loss]
        return f"{self._name} {what}"
