"""A goal that another process works on: sent, followed, cancelled, and given up when it must be."""

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
from dasha_ros.ros.goals.watch import AGAIN_S, GoalLostError, GoalWatch, Move, Patience

OWED_S = 60.0
"""So long a server that did not hear a cancel is told again, once it is back."""
_DISCOVERY_S = 3.0
"""A new client knows of no server yet."""


class RemoteGoal:
    """Does what a `GoalWatch` says. Somebody calls `advance` again and again; an executor serves the node.

    Attributes:
        news: Set when there may be something for `advance` to see.
    """

    def __init__(
        self,
        client: PatientActionClient,
        goal: Any,
        on_feedback: Callable[[Any], None],
        patience: Patience,
    ) -> None:
        """Prepare a goal; nothing is sent yet.

        Args:
            client: Of the action.
            goal: The action's goal.
            on_feedback: Called with each feedback, by the executor. It must not raise.
            patience: How long to wait for what.
        """
        self._client, self._goal, self._on_feedback = client, goal, on_feedback
        self._watch = GoalWatch(patience, time.monotonic())
        self.waiter = threading.Event()
        self._ids: list[UUID] = []
        """Of everything that was sent."""
        self._sent: list[Future] = []
        """Answers to the goal that are awaited; the last one counts."""
        self._handle: ClientGoalHandle | None = None
        self._results: list[Future] = []
        self._signs: list[Future] = []
        self._cancels: list[Future] = []
        self._wanted, self._told = True, False
        self._hurry_s: float | None = None
        self._heard_at = 0.0
        self._trusted_until = 0.0
        self.result: Any = None
        """The action's result, once `advance` returned true."""

    def cancel(self, end_s: float | None = None) -> None:
        """The goal shall end; from any thread. ``end_s``: see `GoalWatch.cancel`."""
        self._hurry_s, self._wanted = end_s, False
        self.waiter.set()

    def advance(self) -> bool:
        """Do what is to be done now, without waiting; whether the result is there.

        Raises:
            GoalLostError: There will be no result. The server was told, if it can hear.
        """
        self.waiter.clear()
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
        """Follow the goal with another client: the one that sent it can hear no more."""
        self._client = client
        self._trusted_until = time.monotonic() + _DISCOVERY_S
        if not self._ids:
            return
        if self._handle is None:
            # Whether it was taken nobody will ever hear. A server that did not take it knows no such goal.
            self._watch.accepted(time.monotonic())
        self._handle = client.handle_of(self._ids[-1])
        self._signs, self._cancels = [], []
        self._results = [self._noted(self._handle.get_result_async())]

    def owes_a_cancel(self) -> bool:
        """Whether the server has the goal and may not have heard of its end."""
        self._look_for_cancel_answer()
        return bool(self._ids) and self.result is None and not self._told

    def pay(self, ended: threading.Event) -> None:
        """Cancel a goal that was given up until its server answers, for `OWED_S` at most; it blocks.

        Args:
            ended: Set when the client is closed meanwhile.
        """
        deadline = time.monotonic() + OWED_S
        while self.owes_a_cancel() and time.monotonic() < deadline and not ended.wait(AGAIN_S):
            if self._client.server_is_ready():
                self._cancel()

    def _noted(self, future: Future) -> Future:
        future.add_done_callback(lambda _: self.waiter.set())
        return future

    def _on_message(self, message: Any) -> None:
        self._heard_at = time.monotonic()
        self._on_feedback(message.feedback)

    def _do(self, move: Move) -> None:
        if move is Move.SEND:
            for sent in self._sent:
                # Accepted later, the goal would be worked on for nobody.
                sent.add_done_callback(_cancel_late)
            self._ids.append(self._client.new_goal_id())
            sending = self._client.send_goal_async(self._goal, self._on_message, self._ids[-1])
            self._sent.append(self._noted(sending))
        elif move is Move.PROBE:
            assert self._handle is not None
            self._signs.append(self._noted(self._client.ask_for_life_async()))
            # A server that was started anew answers at once, with a status of its own for goals it
            # never heard of; one that still works on the goal stays silent.
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
        # Of a goal that nobody took yet a server says that it knows none, and may take it all the same.
        if self._handle is None or not any(cancel.done() for cancel in self._cancels):
            return False
        self._told, self._cancels = True, []
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
        if self.owes_a_cancel():
            self._cancel()
        if self._handle is None:
            for sent in self._sent:
                sent.add_done_callback(_cancel_late)


def _cancel_late(accepting: Future) -> None:
    handle: Any = None if accepting.cancelled() or accepting.exception() else accepting.result()
    if handle is not None and handle.accepted:
        handle.cancel_goal_async()
