"""One goal of ``focus_on_object``, from the client's side."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.action import ActionClient

from dasha_ros.action import FocusOnObject
from dasha_ros.cli.client import Client
from dasha_ros.msg import FocusState
from dasha_ros.ros import qos

RESTORE_S = 30.0
"""How long a cancelled goal may take to bring exposure and lens back."""

LATE_S = 0.2
"""Feedback and result take different ways: the last feedback may come after the result."""

OnFeedback = Callable[[Any], None]


class NoServerError(Exception):
    """Nobody serves the action."""


class RejectedError(Exception):
    """The server did not take the goal; the message is its reason."""


@dataclass(frozen=True)
class Ending:
    """How a goal ended."""

    result: Any
    """``FocusOnObject.Result``."""
    interrupted: bool = False
    """By Ctrl-C here."""
    timed_out: bool = False
    """Cancelled because it took longer than was allowed."""


class FocusClient:
    """Sends goals to ``focus_on_object`` and waits for them; Ctrl-C cancels the goal."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._action = ActionClient(client.node, FocusOnObject, "focus_on_object")
        self._state: FocusState | None = None
        client.node.create_subscription(FocusState, "focus/state", self._on_state, qos.STATE)

    def _on_state(self, state: FocusState) -> None:
        self._state = state

    def run(
        self,
        goal: Any,
        on_feedback: OnFeedback,
        on_cancel: Callable[[], None] = lambda: None,
        timeout_s: float = 0.0,
        wait_s: float = 5.0,
    ) -> Ending:
        """Run one goal to its end.

        Args:
            goal: ``FocusOnObject.Goal``.
            on_feedback: Called with the feedback of every step.
            on_cancel: Called when Ctrl-C or the time-out cancels the goal.
            timeout_s: Cancel the goal after so long; 0: never.
            wait_s: How long to look for the server.

        Raises:
            NoServerError: Nobody serves the action.
            RejectedError: The server refuses the goal.
        """
        if not self._client.until(self._action.server_is_ready, wait_s):
            raise NoServerError(
                f"no focus server answers in the namespace {self._client.namespace}. Start the graph with "
                "`dasha up` (or ros2 launch), in the same ROS_DOMAIN_ID"
            )
        # Wait for the latched state: a newer one after the goal was sent tells why it was refused.
        self._client.until(lambda: self._state, 2.0)
        before = self._state
        sent = self._action.send_goal_async(goal, feedback_callback=lambda m: on_feedback(m.feedback))
        handle = self._client.until(lambda: sent.result() if sent.done() else None, wait_s + 5.0)
        if handle is None:
            raise NoServerError("the focus server does not answer; look at its log")
        if not handle.accepted:
            self._client.until(lambda: self._state is not before, 2.0)
            state = self._state
            if state is None or state is before:
                raise RejectedError("goal rejected; the focus server's log says why")
            raise RejectedError(state.message)
        return self._wait(handle, on_cancel, timeout_s)

    def _wait(self, handle: Any, on_cancel: Callable[[], None], timeout_s: float) -> Ending:
        result = handle.get_result_async()
        end = time.monotonic() + timeout_s if timeout_s else float("inf")
        try:
            if self._client.until(result.done, end - time.monotonic()):
                self._client.until(lambda: False, LATE_S)
                return Ending(result.result().result)
            interrupted = False
        except KeyboardInterrupt:
            interrupted = True
        on_cancel()
        handle.cancel_goal_async()
        if not self._client.until(result.done, RESTORE_S):
            raise NoServerError(
                f"the focus server did not end the goal within {RESTORE_S:g} s of its cancellation; "
                "look at `dasha doctor`"
            )
        return Ending(result.result().result, interrupted, timed_out=not interrupted)
