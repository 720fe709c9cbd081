"""Pauses the trainer during other goals, so that it changes neither the world nor the actuators.

The trainer sets the world and the start of an episode outside of any goal, so preemption does not stop it.
Therefore the focus server pauses the trainer before such a goal and waits until it has stopped.
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
from dasha_ros.ros.goals.simple_action_server import ActiveGoal
from dasha_ros.ros.node.waiter import POLL_S, Waiter
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.retrying_call import RetryingCall
from dasha_ros.ros.validation.subscribe import subscribe
from dasha_ros.system import shutdown_limits

_SERVICE = "trainer/hold"
_STATE = "focus/state"
_AT_WORK = (
    msg.FocusState.EXPOSING,
    msg.FocusState.FOCUSING,
    msg.FocusState.HOLDING,
    msg.FocusState.RESTORING,
)


class TrainerPause:
    """The focus server's side: asks the trainer to pause."""

    def __init__(self, node: Node) -> None:
        self._node, self._waiter = node, Waiter()
        self._client = node.create_client(SetBool, _SERVICE, callback_group=ReentrantCallbackGroup())

    def close(self) -> None:
        """Close the service client."""
        self._node.destroy_client(self._client)

    @contextmanager
    def during(self, run: ActiveGoal) -> Iterator[bool]:
        """Pause the trainer during a goal that is not its own; yields whether there is a trainer.

        Waits until the trainer has stopped, for at most `shutdown_limits.TRAINER_YIELDS_S`: a trainer that
        was just killed still seems to be there.
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
        call = RetryingCall(self._client, SetBool.Request(data=True))
        try:
            self._waiter.within(
                shutdown_limits.TRAINER_YIELDS_S, lambda: run.reason is not None or call.answer() is not None
            )
        finally:
            call.close()


class EpisodeTurns:
    """The trainer's side: decides when it may play an episode.

    Attributes:
        reason: Why the trainer has to wait, or "".
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._changed = threading.Condition()
        self._held = self._has_turn = False
        self._state = msg.FocusState()
        self._service = node.create_service(
            SetBool, _SERVICE, self._on_hold, callback_group=MutuallyExclusiveCallbackGroup()
        )
        self._topic = subscribe(
            node, msg.FocusState, _STATE, self._on_state, qos.STATE, callback_group=ReentrantCallbackGroup()
        )

    def close(self) -> None:
        """Close the service and the topic."""
        self._node.destroy_service(self._service)
        self._node.destroy_subscription(self._topic)

    @property
    def reason(self) -> str:
        """Why the trainer has to wait, or ""."""
        state = self._state
        if not (self._held or (state.state in _AT_WORK and not state.background)):
            return ""
        if not self._node.count_publishers(_STATE):
            # The focus server that paused the trainer is gone, and nothing else would let it continue.
            self._held, self._state = False, msg.FocusState()
            return ""
        wanted = ", ".join(state.labels) or "any object"
        return f"paused: focus_server serves a goal that is not the trainer's ({wanted})"

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Play an episode inside this context; yields whether it may begin."""
        with self._changed:
            self._has_turn = not self.reason
        try:
            yield self._has_turn
        finally:
            with self._changed:
                self._has_turn = False
                self._changed.notify_all()

    def wait(self) -> None:
        """Wait for a change, but only a moment."""
        with self._changed:
            self._changed.wait(POLL_S)

    def _on_hold(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        with self._changed:
            self._held = request.data
            self._changed.notify_all()
            response.success = not request.data or self._changed.wait_for(
                lambda: not self._has_turn, shutdown_limits.TRAINER_YIELDS_S
            )
        response.message = "" if response.success else "the trainer is still setting up an episode"
        return response

    def _on_state(self, state: Any) -> None:
        with self._changed:
            self._state = state
            if state.state == msg.FocusState.IDLE:
                # A restarted focus server knows of no goal.
                self._held = False
            self._changed.notify_all()
