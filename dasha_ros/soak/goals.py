"""Sends goals with plain rclpy, independently of the package's own client."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient

from dasha_ros.action import FocusOnObject
from dasha_ros.bringup.graph_client import GraphClient

_PROBE_S = 1.0
"""After this silence, the server is asked whether it still knows the goal."""


@dataclass(frozen=True)
class Ending:
    """How a goal ended."""

    code: int | None
    """The result's ``error_code``; ``None`` if the goal was rejected or its server is gone."""
    message: str
    label: str = ""
    """Label of the found object."""

    @property
    def found(self) -> bool:
        """Whether the object was found."""
        return bool(self.code == FocusOnObject.Result.NONE)


class Goal:
    """One goal, from its request to its end."""

    def __init__(self, action: ActionClient, labels: tuple[str, ...], max_seconds: float) -> None:
        self._action = action
        request = FocusOnObject.Goal(labels=list(labels), max_seconds=max_seconds)
        self._sent = action.send_goal_async(request)
        self._handle: Any = None
        self._results: list[Any] = []
        self._asked_at = 0.0
        self._ending: Ending | None = None

    def poll(self) -> Ending | None:
        """How the goal ended; ``None`` while it is running."""
        self._ending = self._ending or self._look()
        return self._ending

    def _look(self) -> Ending | None:
        if self._handle is None:
            if not self._sent.done():
                return None if self._action.server_is_ready() else _gone("before it answered the goal")
            self._handle = self._sent.result()
            if not self._handle.accepted:
                return Ending(None, "rejected")
        done = next((r for r in self._results if r.done()), None)
        if done is not None:
            answer = done.result()
            if answer is None or answer.status == GoalStatus.STATUS_UNKNOWN:
                return _gone("and the one that was started after it does not know the goal")
            result = answer.result
            return Ending(result.error_code, result.error_msg, result.detection.label)
        if not self._action.server_is_ready():
            return _gone("in the middle of the goal")
        if time.monotonic() - self._asked_at > _PROBE_S:
            self._asked_at = time.monotonic()
            # A restarted server answers at once; one that works on the goal does not answer.
            self._results.append(self._handle.get_result_async())
        return None

    def cancel(self) -> None:
        """Cancel the goal, if it was accepted."""
        if self._handle is not None and self._handle.accepted:
            self._handle.cancel_goal_async()


def _gone(when: str) -> Ending:
    return Ending(None, f"the server is gone {when}")


class Goals:
    """Sends goals to ``focus_on_object``."""

    def __init__(self, client: GraphClient) -> None:
        self._action = ActionClient(client.node, FocusOnObject, "focus_on_object")

    def send(self, *labels: str, max_seconds: float = 0.0) -> Goal:
        """Send a goal without waiting; it may take ``max_seconds`` (0: the server's own limit)."""
        return Goal(self._action, labels, max_seconds)

    def is_served(self) -> bool:
        """Whether a server is available."""
        return bool(self._action.server_is_ready())
