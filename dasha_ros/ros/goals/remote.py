"""A goal that another process works on: sends, follows, cancels and finally gives it up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action.client import ClientGoalHandle
from rclpy.task import Future
from unique_identifier_msgs.msg import UUID

from dasha_ros.ros.goals.action_client import PatientActionClient
from dasha_ros.ros.goals.goal_watchdog import AGAIN_S, GoalLostError, GoalTimeouts, GoalWatchdog, Move

CANCEL_RETRIES_S = 60.0
"""How long to repeat a cancel that the server did not hear, until it is back [s]."""
_DISCOVERY_S = 3.0
"""How long a new client may take to discover the server [s]."""


class RemoteGoal:
    """Carries out the moves of a `GoalWatchdog`. Call `advance` repeatedly while an executor serves the node.

    Attributes:
        changed: Set when `advance` may have something to do.
        ids: Under which the goal was sent, the newest last.
    """

    def __init__(
        self,
        client: PatientActionClient,
        goal: Any,
        on_feedback: Callable[[Any], None],
        timeouts: GoalTimeouts,
    ) -> None:
        """Prepare a goal; nothing is sent yet.

        Args:
            client: The action's client.
            goal: The action's goal.
            on_feedback: Called with each feedback, by the executor. It must not raise.
            timeouts: Limits of all waits.
        """
        self._client, self._goal, self._on_feedback = client, goal, on_feedback
        self._watch = GoalWatchdog(timeouts, time.monotonic())
        self.changed = threading.Event()
        self._ids: list[UUID] = []
        """Ids of all goals that were sent, and that the server may have."""
        self.ids: list[bytes] = []
        self._sent: list[Future] = []
        """Pending answers to the goal; the last one counts."""
        self._handle: ClientGoalHandle | None = None
        self._results: list[Future] = []
        self._signs: list[Future] = []
        self._cancels: list[Future] = []
        self._wanted, self._cancel_heard = True, False
        self._hurry_s: float | None = None
        self._heard_at = 0.0
        self._trusted_until = 0.0
        self.result: Any = None
        """The action's result, once `advance` returned true."""

    def cancel(self, end_s: float | None = None) -> None:
        """Cancel the goal; callable from any thread. ``end_s``: see `GoalWatchdog.cancel`."""
        self._hurry_s, self._wanted = end_s, False
        self.changed.set()

    def advance(self) -> bool:
        """Do the next step without waiting; return whether the result is there.

        Raises:
            GoalLostError: There will be no result. A cancel was sent to the server.
        """
        self.changed.clear()
        now = time.monotonic()
        if not self._wanted:
            self._watch.cancel(now, self._hurry_s)
        self._look(now)
        if self.result is not None:
            return True
        try:
            is_there = self._client.server_is_ready() or now < self._trusted_until
            move = self._watch.next(now, is_there)
        except GoalLostError:
            self._give_up()
            raise
        self._do(move)
        return False

    def move_to(self, client: PatientActionClient) -> None:
        """Follow the goal with another client, because the one that sent it can receive nothing."""
        self._client = client
        self._trusted_until = time.monotonic() + _DISCOVERY_S
        if not self._ids:
            return
        if self._handle is None:
            # The answer is lost, so assume acceptance. A server that rejected the goal will not know it.
            self._watch.accepted(time.monotonic())
        self._handle = client.handle_of(self._ids[-1])
        self._signs, self._cancels = [], []
        self._results = [self._noted(self._handle.get_result_async())]

    def cancel_is_owed(self) -> bool:
        """Whether the server has the goal and may not have heard the cancel."""
        self._look_for_cancel_answer()
        return bool(self._ids) and self.result is None and not self._cancel_heard

    def deliver_cancel(self, ended: threading.Event) -> None:
        """Repeat the cancel until the server answers, for at most `CANCEL_RETRIES_S`. It blocks.

        Args:
            ended: Set when the client is closed.
        """
        deadline = time.monotonic() + CANCEL_RETRIES_S
        while self.cancel_is_owed() and time.monotonic() < deadline and not ended.wait(AGAIN_S):
            if self._client.server_is_ready():
                self._cancel()

    def _noted(self, future: Future) -> Future:
        future.add_done_callback(lambda _: self.changed.set())
        return future

    def _on_message(self, message: Any) -> None:
        self._heard_at = time.monotonic()
        self._on_feedback(message.feedback)

    def _do(self, move: Move) -> None:
        if move is Move.SEND:
            for sent in self._sent:
                # If it is accepted later, nobody waits for it.
                sent.add_done_callback(_cancel_late)
            self._ids.append(self._client.new_goal_id())
            self.ids.append(bytes(self._ids[-1].uuid))
            sending = self._client.send_goal_async(self._goal, self._on_message, self._ids[-1])
            self._sent.append(self._noted(sending))
        elif move is Move.PROBE:
            assert self._handle is not None
            self._signs.append(self._noted(self._client.probe_async()))
            # A restarted server answers at once that it does not know the goal; a server that still works
            # on it stays silent.
            self._results.append(self._noted(self._handle.get_result_async()))
        elif move is Move.CANCEL:
            self._cancel()

    def _cancel(self) -> None:
        for goal_id in self._ids if self._handle is None else [self._handle.goal_id]:
            self._cancels.append(self._noted(self._client.handle_of(goal_id).cancel_goal_async()))

    def _look(self, now: float) -> None:
        if self._handle is None:
            self._look_for_acceptance(now)
        if self._handle is None:
            return
        if self._heard_at or any(sign.done() for sign in self._signs):
            self._watch.heard(self._heard_at or now)
            self._heard_at = 0.0
            self._signs = [sign for sign in self._signs if not sign.done()]
        if self._look_for_cancel_answer():
            self._watch.cancel_answered(now)
        answer = next((r.result() for r in self._results if r.done()), None)
        if answer is None:
            return
        if answer.status == GoalStatus.STATUS_UNKNOWN:
            self._watch.forgotten()
        else:
            self.result = answer.result

    def _look_for_cancel_answer(self) -> bool:
        # Before it accepts a goal, a server answers a cancel with "unknown" and may still accept the goal.
        if self._handle is None or not any(cancel.done() for cancel in self._cancels):
            return False
        self._cancel_heard, self._cancels = True, []
        return True

    def _look_for_acceptance(self, now: float) -> None:
        answers = [sent.result() if sent.done() else None for sent in self._sent]
        if any(answer is not None and not answer.accepted for answer in answers):
            self._watch.rejected()
            self._ids.clear()
        elif answers and answers[-1] is not None:
            self._handle = answers[-1]
            self._results.append(self._noted(self._handle.get_result_async()))
            self._watch.accepted(now)

    def _give_up(self) -> None:
        if self.cancel_is_owed():
            self._cancel()
        if self._handle is None:
            for sent in self._sent:
                sent.add_done_callback(_cancel_late)


def _cancel_late(accepting: Future) -> None:
    handle: Any = None if accepting.cancelled() or accepting.exception() else accepting.result()
    if handle is not None and handle.accepted:
        handle.cancel_goal_async()
