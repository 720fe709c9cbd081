"""Tells an open-vocabulary detector the words of a goal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rcl_interfaces.srv import SetParametersAtomically
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.parameter import Parameter

from dasha_ros import msg
from dasha_ros.perception.labels import unknown_label, vocabulary_with
from dasha_ros.ros.node.waiter import Waiter
from dasha_ros.ros.transport.retrying_call import RetryingCall

_SERVICE = "perception/set_parameters_atomically"
_READS_S = 8.0
"""Longest time to read words [s]. A client waits for the answer to its goal for 10 s."""


_TOLD_S = 1.0
"""Longest time from the answer to the message with the new labels [s]."""


class Vocabulary:
    """Sets perception's parameter ``detector_classes`` to what it knows and what a goal names."""

    def __init__(self, node: Node, waiter: Waiter) -> None:
        """Connect.

        Args:
            node: Its executor must serve callbacks while `trouble` waits.
            waiter: Is notified when perception tells anew what it knows.
        """
        self._node, self._waiter = node, waiter
        self._client = node.create_client(
            SetParametersAtomically, _SERVICE, callback_group=ReentrantCallbackGroup()
        )

    def close(self) -> None:
        """Close the client."""
        self._node.destroy_client(self._client)

    def trouble(self, labels: Sequence[str], info: Callable[[], msg.PerceptionInfo]) -> str:
        """Make perception know labels.

        Args:
            labels: Of a goal.
            info: What perception says of itself now.

        Returns:
            Why it can't find them, or "".
        """

        def unknown() -> str:
            now = info()
            return unknown_label(labels, now.labels, now.detector)

        words = vocabulary_with(labels, info().labels)
        if not (info().open_vocabulary and words):
            return unknown()
        if not self._client.service_is_ready():
            return f"{info().detector} can't be told what to look for: perception does not offer {_SERVICE}"
        wanted = Parameter("detector_classes", value=words).to_parameter_msg()
        call = RetryingCall(self._client, SetParametersAtomically.Request(parameters=[wanted]))
        try:
            self._waiter.within(_READS_S, lambda: call.answer() is not None)
            answer = call.answer()
        finally:
            call.close()
        if answer is None:
            return f"{info().detector} has not read the words of the goal within {_READS_S:g} s: try again"
        if not answer.result.successful:
            return str(answer.result.reason)
        self._waiter.within(_TOLD_S, lambda: not unknown())
        return unknown()
