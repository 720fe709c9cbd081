"""An action client that hears every answer, however many threads its executor has."""

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

from dasha_ros.ros.goals.owner import feedback_topic, listeners, new_goal_id, participant_of
from dasha_ros.ros.validation.fitness import Unfit, checks_of
from dasha_ros.ros.validation.rejections import rejections_of


class PatientActionClient(ActionClient):
    """rclpy's client, without the race between a request and a quick answer.

    rclpy sends a request and only then notes that it waits for the answer. Another
    thread may have the answer in between: it is thrown away as unexpected, and the
    future of the request is never done (ros2/rclpy#1123, in Jazzy's 7.1.x).
    Here no answer is looked at while a request is being sent. Answers and feedback
    are worked on one after another, in the order in which they came.

    The ids of its goals name the process, for a server that looks after its clients. Feedback that can't
    be is left out and counted, as messages of topics are (`ros.validation.subscribe`).
    """

    def __init__(self, node: Node, kind: Any, name: str) -> None:
        self._sending = threading.RLock()
        self._topic = topic = feedback_topic(name)
        self._check, self._rejections = checks_of(kind.Feedback), rejections_of(node)
        before = listeners(node, topic)
        super().__init__(node, kind, name, callback_group=MutuallyExclusiveCallbackGroup())
        self._participant = participant_of(node, before, listeners(node, topic))

    def send_goal_async(self, goal: Any, feedback_callback: Any = None, goal_uuid: Any = None) -> Any:
        """See `rclpy.action.ActionClient.send_goal_async`."""
        with self._sending:
            hear = feedback_callback and self._through_the_door(feedback_callback)
            return super().send_goal_async(goal, hear, goal_uuid or self.new_goal_id())

    def _through_the_door(self, callback: Callable[[Any], None]) -> Callable[[Any], None]:
        def hear(message: Any) -> None:
            try:
                self._check(message.feedback)
            except Unfit as error:
                self._rejections.add(self._topic, str(error))
            else:
                callback(message)

        return hear

    def new_goal_id(self) -> UUID:
        """An id for a goal that names this process, where it is known."""
        return new_goal_id(self._participant) or _random_id()

    def handle_of(self, goal_id: UUID) -> ClientGoalHandle:
        """A handle of a goal that another client sent, or that nobody did."""
        accepted = self._action_type.Impl.SendGoalService.Response(accepted=True)
        return ClientGoalHandle(self, goal_id, accepted)

    def ask_for_life_async(self) -> Any:
        """A future that is done when the server answers anything.

        It is asked for the result of a goal that never was: any server says so at once.
        """
        return self._get_result_async(self.handle_of(_random_id()))

    def _cancel_goal_async(self, goal_handle: Any) -> Any:
        with self._sending:
            return super()._cancel_goal_async(goal_handle)

    def _get_result_async(self, goal_handle: Any) -> Any:
        with self._sending:
            return super()._get_result_async(goal_handle)

    async def execute(self, taken_data: Any) -> None:
        """Work on what was taken from the topics, once the request that it may answer is noted."""
        with self._sending:
            pass
        await super().execute(taken_data)


def _random_id() -> UUID:
    return UUID(uuid=list(uuid.uuid4().bytes))
