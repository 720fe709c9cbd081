"""An action client that misses no answer, however many threads its executor has."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from unique_identifier_msgs.msg import UUID

from dasha_ros.ros.goals.clients import feedback_topic, new_goal_id, participant_of, subscribers
from dasha_ros.ros.transport.qos import ACTION_SERVICES
from dasha_ros.ros.validation.message_checks import checks_of
from dasha_ros.ros.validation.message_shape import InvalidMessage
from dasha_ros.ros.validation.rejections import rejections_of


class PatientActionClient(ActionClient):
    """rclpy's client, without the race between a request and a quick answer.

    rclpy sends a request and registers it only afterwards. If another thread takes the answer in
    between, the answer is dropped as unexpected and the request's future never completes
    (ros2/rclpy#1123, in Jazzy's 7.1.x; in Kilted's 9.1.2 still so for the request of a goal). This
    client takes no answer while it sends a request, and handles answers and feedback one at a time,
    in order. Feedback that arrived before a result is handled before it.

    Its goal ids name the process, so that a server notices when the client is gone. Invalid feedback is
    rejected and counted, as on topics (`ros.validation.subscribe`).
    """

    def __init__(self, node: Node, kind: Any, name: str) -> None:
        self._sending = threading.RLock()
        self._topic = topic = feedback_topic(name)
        self._check, self._rejections = checks_of(kind.Feedback), rejections_of(node)
        before = subscribers(node, topic)
        super().__init__(
            node,
            kind,
            name,
            callback_group=MutuallyExclusiveCallbackGroup(),
            **ACTION_SERVICES,
        )
        self._participant = participant_of(node, before, subscribers(node, topic))

    def send_goal_async(self, goal: Any, feedback_callback: Any = None, goal_uuid: Any = None) -> Any:
        """See `rclpy.action.ActionClient.send_goal_async`."""
        with self._sending:
            hear = feedback_callback and self._checked(feedback_callback)
            before = list(self._futures)
            future = super().send_goal_async(goal, hear, goal_uuid or self.new_goal_id())
            # rclpy 9.1.2 makes a second future for the same request and would keep the first for ever.
            for other in [one for one in self._futures if one is not future and one not in before]:
                self.remove_future(other)
            return future

    def _checked(self, callback: Callable[[Any], None]) -> Callable[[Any], None]:
        def hear(message: Any) -> None:
            try:
                self._check(message.feedback)
            except InvalidMessage as error:
                self._rejections.add(self._topic, str(error))
            else:
                callback(message)

        return hear

    def new_goal_id(self) -> UUID:
        """A new goal id, which names this process if its participant is known."""
        return new_goal_id(self._participant) or _random_id()

    def handle_of(self, goal_id: UUID) -> ClientGoalHandle:
        """A handle of a goal that another client sent or that was never sent."""
        accepted = self._action_type.Impl.SendGoalService.Response(accepted=True)
        return ClientGoalHandle(self, goal_id, accepted)

    def probe_async(self) -> Any:
        """Return a future that completes when the server shows that it lives.

        It asks for the result of a goal that was never sent; any server answers that at once.
        """
        return self._get_result_async(self.handle_of(_random_id()))

    def _cancel_goal_async(self, goal_handle: Any) -> Any:
        with self._sending:
            return super()._cancel_goal_async(goal_handle)

    def _get_result_async(self, goal_handle: Any) -> Any:
        with self._sending:
            return super()._get_result_async(goal_handle)

    async def execute(self, taken_data: Any) -> None:
        """Handle what was taken from the topics, once the request that it may answer is registered."""
        with self._sending:
            pass
        result = taken_data.pop("result", None)
        await super().execute(taken_data)
        if result is not None:
            # rclpy takes one message of each kind at a time: more feedback may have come before the result.
            kind = self._action_type.Impl.FeedbackMessage
            while (feedback := self._client_handle.take_feedback(kind)) is not None:
                await super().execute({"feedback": feedback})
            await super().execute({"result": result})


def _random_id() -> UUID:
    return UUID(uuid=list(uuid.uuid4().bytes))
