"""What a goal of ``focus_on_object`` needs from the node that works on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from dasha_ros.config import FocusServerConfig
from dasha_ros.policies.selection import Region
from dasha_ros.ros.actuation.actuators import Actuators
from dasha_ros.ros.goals.agent_client import AgentClient
from dasha_ros.ros.goals.simple_action_server import NO_GOAL
from dasha_ros.ros.node.node import DashaNode


class GoalServer(DashaNode[FocusServerConfig], ABC):
    """Both agents, both actuators, and a way to publish the state."""

    actuators: Actuators
    exposure_agent: AgentClient
    focus_agent: AgentClient

    @abstractmethod
    def publish_state(
        self,
        state: int,
        message: str,
        labels: Sequence[str] = (),
        step: int = 0,
        *,
        region: Region | None = None,
        background: bool = False,
        goal: bytes = NO_GOAL,
    ) -> None:
        """Publish the state of the goal with this id."""
