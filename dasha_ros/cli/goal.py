"""One goal of ``focus_on_object``, from the client's side."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient

from dasha_ros.action import FocusOnObject
from dasha_ros.cli.client import Client
from dasha_ros.config import FocusServerConfig
from dasha_ros.devices.camera import EXPOSURE_LIMITS_US
from dasha_ros.msg import FocusState
from dasha_ros.ros import qos
from dasha_ros.timing import limits

RESTORE_S = limits.client_waits_s(FocusServerConfig().agent_timeout_s, EXPOSURE_LIMITS_US[1])
"""How long a cancelled goal may take to bring exposure and lens back."""

LATE_S = 0.2
"""Feedback and result take different ways: the last feedback may come after the result."""

PROBE_S = 1.0
"""Silence after which the server is asked whether it still knows the goal."""

OnFeedback = Callable[[Any], None]


class NoServerError(Exception):
    """Nobody serves the action, or nobody any more."""


class RejectedError(Exception):
    """The server did not take the goal; the message is its reason."""


@dataclass(frozen=True)
class Ending:
    """How a goal ended."""

    result: Any
    """``FocusOnObject.Result``."""
    interrupted: KeyboardInterrupt | None = None
    """What cancelled it here: Ctrl-C or SIGTERM."""
    timed_out: bool = False
    """Cancelled because it took longer than was allowed."""


class Abandoned(KeyboardInterrupt):
    """A second Ctrl-C or SIGTERM ended the wait for a goal that was cancelled."""

    def __init__(self, reason: KeyboardInterrupt) -> None:
        super().__init__(
            "nobody waited for the goal's end: whether lens and exposure are back where they were is "
            "unknown; `dasha echo focus/state --once` says what became of it"
        )
        self.reason = reason


class FocusClient:
    """Sends goals to ``focus_on_object`` and waits for them; Ctrl-C or SIGTERM cancels the goal."""

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
            NoServerError: Nobody serves the action, or its server died or was started anew meanwhile.
            RejectedError: The server refuses the goal.
            Abandoned: A second Ctrl-C.
        """
        if not self._client.until(self._action.server_is_ready, wait_s):
            raise NoServerError(
                f"no focus server answers in the namespace {self._client.namespace}. Start the graph with "
                "`dasha up` (or ros2 launch), in the same ROS_DOMAIN_ID"
            )
        # Wait for the latched state: a newer one after the goal was sent tells why it was refused.
        self._client.until(lambda: self._state, 2.0)
        before = self._state
        heard = [time.monotonic()]

        def on_message(message: Any) -> None:
            heard[0] = time.monotonic()
            on_feedback(message.feedback)

        sent = self._action.send_goal_async(goal, feedback_callback=on_message)
        handle = self._client.until(lambda: sent.result() if sent.done() else None, wait_s + 5.0)
        if handle is None:
            raise NoServerError("the focus server does not answer; look at its log")
        if not handle.accepted:
            self._client.until(lambda: self._state is not before, 2.0)
            state = self._state
            if state is None or state is before:
                raise RejectedError("goal rejected; the focus server's log says why")
            raise RejectedError(state.message)
        return self._wait(_Pending(self._action, handle, heard), on_cancel, timeout_s)

    def _wait(self, goal: _Pending, on_cancel: Callable[[], None], timeout_s: float) -> Ending:
        end = time.monotonic() + timeout_s if timeout_s else float("inf")
        interrupted = None
        try:
            if self._client.until(goal.is_done, end - time.monotonic()):
                self._client.until(lambda: False, LATE_S)
                return Ending(goal.result())
        except KeyboardInterrupt as reason:
            interrupted = reason
        on_cancel()
        goal.cancel()
        try:
            ended = self._client.until(goal.is_done, RESTORE_S)
        except KeyboardInterrupt as reason:
            raise Abandoned(interrupted or reason) from None
        if not ended:
            raise NoServerError(
                f"the focus server did not end the goal within {RESTORE_S:g} s of its cancellation; "
                "look at `dasha doctor`"
            )
        return Ending(goal.result(), interrupted, timed_out=interrupted is None)


class _Pending:
    """A goal that was accepted and has no result yet; asking it notices a server that is no longer there."""

    def __init__(self, action: ActionClient, handle: Any, heard: list[float]) -> None:
        """Ask for the result; ``heard`` holds when the last feedback came."""
        self._action, self._handle, self._heard = action, handle, heard
        self._results = [handle.get_result_async()]

    def is_done(self) -> bool:
        """Whether the result is there.

        Raises:
            NoServerError: The server died.
        """
        if any(asked.done() for asked in self._results):
            return True
        if not self._action.server_is_ready():
            raise _lost("is gone: it died or was stopped while it worked on the goal")
        if time.monotonic() - self._heard[0] > PROBE_S:
            self._heard[0] = time.monotonic()
            # A server that was started anew answers at once that it knows no such goal; one that still
            # works on it stays silent.
            self._results.append(self._handle.get_result_async())
        return False

    def result(self) -> Any:
        """``FocusOnObject.Result``.

        Raises:
            NoServerError: The server was started anew and forgot the goal.
        """
        answer = next(asked.result() for asked in self._results if asked.done())
        if answer is None or answer.status == GoalStatus.STATUS_UNKNOWN:
            raise _lost("was started anew while it worked on the goal, and knows nothing of it")
        return answer.result

    def cancel(self) -> None:
        """Ask the server to end the goal."""
        self._handle.cancel_goal_async()


def _lost(what: str) -> NoServerError:
    return NoServerError(
        f"the focus server {what}. Lens and exposure may not be back where they were: "
        "look at its log and at `dasha doctor`, then ask again"
    )
