"""A goal that is not the trainer's pauses the trainer: it changes neither world nor actuators meanwhile.

The focus server holds the trainer before it begins with such a goal, and waits until the trainer's hands are
off the rig: world and start of an episode are set outside of any goal, so preemption does not end that.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.node import Node
from std_srvs.srv import SetBool

from dasha_ros import msg
from dasha_ros.freshness import limits
from dasha_ros.ros.goals.simple_action_server import ActiveGoal
from dasha_ros.ros.node.waiter import POLL_S, Waiter
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.retrying_call import RetryingCall
from dasha_ros.ros.validation.subscribe import subscribe

_SERVICE = "trainer/hold"
_STATE = "focus/state"
_AT_WORK = (msg.FocusState.EXPOSING, msg.FocusState.FOCUSING, msg.FocusState.RESTORING)


class TrainerHold:
    """The focus server's side."""

    def __init__(self, node: Node) -> None:
        self._node, self._waiter = node, Waiter()
        self._client = node.create_client(SetBool, _SERVICE, callback_group=ReentrantCallbackGroup())

    def close(self) -> None:
        """Leave the service."""
        self._node.destroy_client(self._client)

    @contextmanager
    def during(self, run: ActiveGoal) -> Iterator[bool]:
        """Hold the trainer while a goal is served that is not its own; yields whether there is one to hold.

        Waits until the trainer has let go, for `limits.TRAINER_YIELDS_S` at most: one that was killed a
        moment ago looks as if it were there.
        """
        if run.background or not self._client.service_is_ready():
            yield False
            return
        self._ask_to_hold(run)
        try:
            yield True
        finally:
            release = self._client.call_async(SetBool.Request(data=False))
            release.add_done_callback(lambda _: None)

    def _ask_to_hold(self, run: ActiveGoal) -> None:
        question = RetryingCall(self._client, SetBool.Request(data=True))
        try:
            self._waiter.within(
                limits.TRAINER_YIELDS_S, lambda: run.reason is not None or question.answer() is not None
            )
        finally:
            question.close()


class Turns:
    """The trainer's side: when it may have an episode.

    Attributes:
        reason: Why it has to wait, empty when it has not.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._waiter = threading.Condition()
        self._held = self._has_turn = False
        self._state = msg.FocusState()
        self._service = node.create_service(
            SetBool, _SERVICE, self._on_hold, callback_group=MutuallyExclusiveCallbackGroup()
        )
        self._topic = subscribe(
            node, msg.FocusState, _STATE, self._on_state, qos.STATE, callback_group=ReentrantCallbackGroup()
        )

    def close(self) -> None:
        """Leave service and topic."""
        self._node.destroy_service(self._service)
        self._node.destroy_subscription(self._topic)

    @property
    def reason(self) -> str:
        """Why the trainer has to wait, empty when it has not."""
        state = self._state
        if not (self._held or (state.state in _AT_WORK and not state.background)):
            return ""
        if not self._node.count_publishers(_STATE):
            # Who held the trainer is gone, and nobody else would let it go.
            self._held, self._state = False, msg.FocusState()
            return ""
        wanted = ", ".join(state.labels) or "any object"
        return f"paused: focus_server serves a goal that is not the trainer's ({wanted})"

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """An episode, begun only if nothing speaks against it; yields whether it may begin."""
        with self._waiter:
            self._has_turn = not self.reason
        try:
            yield self._has_turn
        finally:
            with self._waiter:
                self._has_turn = False
                self._waiter.notify_all()

    def wait(self) -> None:
        """Wait for news of who is at work, a moment at most."""
        with self._waiter:
            self._waiter.wait(POLL_S)

    def _on_hold(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        with self._waiter:
            self._held = request.data
            self._waiter.notify_all()
            response.success = not request.data or self._waiter.wait_for(
                lambda: not self._has_turn, limits.TRAINER_YIELDS_S
            )
        response.message = "" if response.success else "the trainer still sets the scene of an episode"
        return response

    def _on_state(self, state: Any) -> None:
        with self._waiter:
            self._state = state
            if state.state == msg.FocusState.IDLE:
                # A focus server that was started anew knows of no goal.
                self._held = False
            self._waiter.notify_all()
