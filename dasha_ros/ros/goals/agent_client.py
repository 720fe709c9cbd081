"""Asking an agent for its part of a goal, and noticing when it is no longer there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rclpy.node import Node

from dasha_ros.freshness import limits
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.ros.goals.action_client import PatientActionClient
from dasha_ros.ros.goals.remote import RemoteGoal
from dasha_ros.ros.goals.watch import SILENCE_S, GoalLostError, Loss, Patience
from dasha_ros.ros.node.guard import guard_of
from dasha_ros.ros.node.retiring import retire_action
from dasha_ros.ros.node.waiter import POLL_S


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
        self._closed = threading.Event()

    def destroy(self) -> None:
        """Leave the action's topics."""
        self._closed.set()
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

        def heard(feedback: Any) -> None:
            try:
                on_feedback(feedback)
            except Exception as error:  # Bad feedback must not keep the answers that come with it.
                guard_of(self._node).caught(f"feedback of {self._name}", error)

        remote = RemoteGoal(
            self._client, goal, heard, Patience(timeout_s, timeout_s, SILENCE_S, end_s=timeout_s)
        )
        cancelled = False
        try:
            while not remote.advance():
                if not cancelled and (reason := interrupted()) is not None:
                    cancelled = True
                    remote.cancel(self._ends_s if reason == ErrorCode.SHUTDOWN else None)
                remote.waiter.wait(POLL_S)
        except GoalLostError as error:
            if error.loss is not Loss.FORGOTTEN and remote.owes_a_cancel():
                threading.Thread(target=remote.pay, args=(self._closed,), name="cancel", daemon=True).start()
            kind = GoalRefusedError if error.loss is Loss.REJECTED else AgentLostError
            raise kind(self._sentence(error.loss, timeout_s)) from None
        return remote.result

    def _sentence(self, loss: Loss, timeout_s: float) -> str:
        what = {
            Loss.ABSENT: "is not there",
            Loss.MUTE: f"did not answer a goal within {timeout_s:g} s",
            Loss.REJECTED: "rejected its part of the goal: see its log",
            Loss.WITHDRAWN: "did not take the goal before it was cancelled",
            Loss.GONE: "is gone",
            Loss.FORGOTTEN: "was started anew and forgot the goal",
            Loss.SILENT: f"answered nothing for {SILENCE_S:g} s",
            Loss.STUCK: f"did not stop within {timeout_s:g} s of a cancel",
        }[loss]
        return f"{self._name} {what}"
