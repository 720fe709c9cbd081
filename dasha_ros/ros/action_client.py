"""An action client that hears every answer, however many threads its executor has."""

from __future__ import annotations

import threading
from typing import Any

from rclpy.action import ActionClient
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node


class PatientActionClient(ActionClient):
    """rclpy's client, without the race between a request and a quick answer.

    rclpy sends a request and only then notes that it waits for the answer. Another
    thread may have the answer in between: it is thrown away as unexpected, and the
    future of the request is never done (ros2/rclpy#1123, in Jazzy's 7.1.x).
    Here no answer is looked at while a request is being sent. Answers and feedback
    are worked on one after another, in the order in which they came.
    """

    def __init__(self, node: Node, kind: Any, name: str) -> None:
        self._sending = threading.RLock()
        super().__init__(node, kind, name, callback_group=MutuallyExclusiveCallbackGroup())

    def send_goal_async(self, *args: Any, **kwargs: Any) -> Any:
        """See `rclpy.action.ActionClient.send_goal_async`."""
        with self._sending:
            return super().send_goal_async(*args, **kwargs)

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
