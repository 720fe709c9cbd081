"""Prepares an episode: sets the twin's world, and the start of exposure and lens."""

from __future__ import annotations

from typing import Any

from rcl_interfaces.srv import SetParametersAtomically
from rclpy.node import Node
from rclpy.parameter import Parameter

from dasha_ros import msg
from dasha_ros.ros.actuation.actuators import Actuators, Wait
from dasha_ros.ros.goals.agent_client import AgentLostError
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.retrying_call import RetryingCall
from dasha_ros.ros.validation.subscribe import subscribe
from dasha_ros.twin.world import World


class WorldRefused(AgentLostError):
    """twin_world refused the world. The episode is lost, as if twin_world had not answered."""


class WorldReset:
    """Changes the twin's world and waits until the change is published.

    Args:
        node: A client of the graph.
        wait: How the caller waits while topics are served.
    """

    def __init__(self, node: Node, wait: Wait) -> None:
        self._node, self._wait = node, wait
        self._world: msg.TwinWorld | None = None
        self._client = node.create_client(SetParametersAtomically, "twin_world/set_parameters_atomically")
        self._topic = subscribe(node, msg.TwinWorld, "twin/world", self._on_world, qos.STATE)

    def close(self) -> None:
        """Close the client and the topic."""
        self._node.destroy_client(self._client)
        self._node.destroy_subscription(self._topic)

    def _on_world(self, world: msg.TwinWorld) -> None:
        self._world = world

    def set_world(self, world: World) -> None:
        """Change scene, light and distances together.

        Raises:
            WorldRefused: twin_world refused the change; the text says why.
        """
        values: dict[str, Any] = {
            "scene": world.scene,
            "illuminance_lx": world.illuminance_lx,
            "distances_m": list(world.distances_m),
        }
        parameters = [Parameter(key, value=value).to_parameter_msg() for key, value in values.items()]
        self._wait(self._client.service_is_ready, "twin_world is not running")
        call = RetryingCall(self._client, SetParametersAtomically.Request(parameters=parameters))
        try:
            self._wait(lambda: call.answer() is not None, "twin_world does not answer")
        finally:
            call.close()
        answer = call.answer()
        if answer is not None and not answer.result.successful:
            raise WorldRefused(f"twin_world refused the world: {answer.result.reason}")

        def is_shown() -> bool:
            seen = self._world
            return (
                seen is not None
                and seen.scene == world.scene
                and seen.illuminance_lx == world.illuminance_lx
                and tuple(seen.distances_m) == world.distances_m
            )

        self._wait(is_shown, "twin_world did not publish the new world")


class EpisodeReset(WorldReset):
    """Also sets the start of exposure and lens.

    Args:
        node: A client of the graph.
        actuators: The node's actuators.
        wait: How the caller waits while topics are served.
    """

    def __init__(self, node: Node, actuators: Actuators, wait: Wait) -> None:
        super().__init__(node, wait)
        self._actuators = actuators

    def set_start(self, exposure_us: float, position: float) -> None:
        """Command exposure and lens until a frame shows both; see `Actuators.go_to`."""
        self._actuators.go_to(exposure_us, position, self._wait)
