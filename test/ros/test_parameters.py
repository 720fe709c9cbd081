"""Changes of parameters that a node can't make, or fails to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

import rclpy
from rclpy.parameter import Parameter

from dasha_ros.config import TwinWorldConfig
from dasha_ros.ros.condition import Level
from dasha_ros.ros.node import DashaNode

pytestmark = pytest.mark.graph


class Lamp(DashaNode[TwinWorldConfig]):
    """Its bulb gives 1000 lx, and breaks at 500."""

    config_model = TwinWorldConfig

    def refuse_change(self, config: TwinWorldConfig) -> str:
        if config.temperature_c < 0:
            raise OSError("the thermometer does not answer")
        return f"{config.illuminance_lx:g} lx is too much" if config.illuminance_lx > 1000 else ""

    def reconfigure(self, config: TwinWorldConfig) -> None:
        if config.illuminance_lx > 500:
            raise OSError("the bulb is broken")


@pytest.fixture
def lamp(ros_env: dict[str, str]) -> Iterator[Lamp]:
    rclpy.init(args=[])
    node = Lamp("lamp")
    yield node
    node.destroy_node()
    rclpy.try_shutdown()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("illuminance_lx", 1001.0, "1001 lx is too much"),
        ("temperature_c", -1.0, "the thermometer does not answer"),
    ],
)
def test_a_node_refuses_what_its_device_can_not_do(lamp: Lamp, name: str, value: float, reason: str) -> None:
    before = lamp.config
    (result,) = lamp.set_parameters([Parameter(name, value=value)])
    assert (result.successful, result.reason) == (False, reason)
    assert lamp.config == before


def test_a_change_that_fails_is_told_and_the_node_lives(lamp: Lamp) -> None:
    (result,) = lamp.set_parameters([Parameter("illuminance_lx", value=600.0)])
    assert result.successful
    assert lamp.health.level == Level.ERROR
    assert lamp.health.message == "lamp could not take up its parameters: the bulb is broken"
    assert lamp.config.illuminance_lx == 600.0
