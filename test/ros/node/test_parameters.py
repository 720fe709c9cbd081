"""Parameter changes that a node can't make, or that fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

import rclpy
from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.parameter import Parameter

from dasha_ros.config import CameraDriverConfig, ConfigError, TwinWorldConfig
from dasha_ros.ros.node.condition import Level
from dasha_ros.ros.node.node import DashaNode

pytestmark = pytest.mark.graph


class Lamp(DashaNode[TwinWorldConfig]):
    """Its bulb gives 1000 lx and breaks at 500."""

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
def test_a_node_refuses_values_that_its_device_does_not_support(
    lamp: Lamp, name: str, value: float, reason: str
) -> None:
    before = lamp.config
    (result,) = lamp.set_parameters([Parameter(name, value=value)])
    assert (result.successful, result.reason) == (False, reason)
    assert lamp.config == before


def test_a_change_that_fails_is_reported_and_the_node_goes_on(lamp: Lamp) -> None:
    (result,) = lamp.set_parameters([Parameter("illuminance_lx", value=600.0)])
    assert result.successful
    assert lamp.health.status().level == Level.ERROR
    assert lamp.health.status().sentence == "lamp could not apply its parameters: the bulb is broken"
    assert lamp.config.illuminance_lx == 600.0


class Camera(DashaNode[CameraDriverConfig]):
    """Reads its serial number when it is configured."""

    config_model = CameraDriverConfig

    def configure(self) -> None:
        self.opened = self.config.serial


def camera(*arguments: str) -> Camera:
    rclpy.init(args=["--ros-args", *arguments])
    return Camera("camera_driver")


@pytest.fixture
def _ended(ros_env: dict[str, str]) -> Iterator[None]:
    yield
    rclpy.try_shutdown()


@pytest.mark.usefixtures("_ended")
def test_fixed_parameters_change_only_while_the_node_is_unconfigured() -> None:
    node = camera()
    fixed = node.describe_parameter("encoding")
    assert not fixed.read_only
    assert fixed.additional_constraints == (
        "mono8 | mono16 | rgb8; changeable only while the node is unconfigured"
    )
    for serial in ("1", "2"):
        (result,) = node.set_parameters([Parameter("serial", value=serial)])
        assert result.successful, result.reason
        node.trigger_configure()
        assert node.opened == serial
        for state, todo in (("inactive", "clean it up"), ("active", "deactivate it and clean it up")):
            (result,) = node.set_parameters([Parameter("serial", value="9")])
            assert result.reason == (
                f"serial: camera_driver is {state} and has read it already; {todo} first, "
                "then configure it again"
            )
            # All parameters, as from a dumped file.
            same = [node.get_parameter(key) for key in CameraDriverConfig.model_fields if key != "autostart"]
            assert node.set_parameters_atomically(same).successful
            node.trigger_activate()
        node.trigger_deactivate()
        node.trigger_cleanup()
    (result,) = node.set_parameters([Parameter("autostart", value=False)])
    assert not result.successful
    node.destroy_node()


@pytest.mark.usefixtures("_ended")
def test_digits_become_a_string_where_a_string_is_expected() -> None:
    node = camera("-p", "serial:=21234567", "-p", "qos_overrides./tf.publisher.depth:=5")
    assert node.config.serial == node.get_parameter("serial").value == "21234567"
    (result,) = node.set_parameters([Parameter("serial", value=815)])
    assert result.successful, result.reason
    assert node.config.serial == node.get_parameter("serial").value == "815"
    node.destroy_node()


@pytest.mark.usefixtures("_ended")
def test_a_running_node_keeps_its_clock() -> None:
    """All nodes of a graph compare their times; a camera with a clock of its own takes no more pictures."""
    node = camera("-p", "serial:='1'")
    (same,) = node.set_parameters([Parameter("use_sim_time", value=False)])
    assert same.successful, same.reason
    (other,) = node.set_parameters([Parameter("use_sim_time", value=True)])
    assert not other.successful
    assert "all nodes of a graph need the same clock" in other.reason
    assert node.get_parameter("use_sim_time").value is False
    node.destroy_node()


@pytest.mark.usefixtures("_ended")
@pytest.mark.parametrize(
    ("parameter", "reason"),
    [("serial:=1e5", "put it in quotes"), ("gain_db:=yes", "gain_db = True: Input should be a valid number")],
)
def test_a_value_of_another_type_is_refused_at_start(parameter: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        camera("-p", parameter)


@pytest.mark.usefixtures("_ended")
def test_an_empty_list_is_a_list() -> None:
    rclpy.init(args=["--ros-args", "-p", "distances_m:=[]"])
    node = Lamp("twin_world")
    assert node.config.distances_m == []
    node.destroy_node()


@pytest.mark.parametrize("kind", [10, 42, 255])
def test_a_value_of_an_unknown_type_is_refused_and_the_others_are_set(lamp: Lamp, kind: int) -> None:
    requests = {s.srv_type: s.callback for s in lamp.services}
    good = Parameter("illuminance_lx", value=50.0).to_parameter_msg()
    bad = Parameter("temperature_c", value=20.0).to_parameter_msg()
    bad.value.type = kind
    for order in ([good, bad], [bad, good]):
        answer = requests[SetParameters](
            SetParameters.Request(parameters=list(order)), SetParameters.Response()
        )
        assert [r.successful for r in answer.results] == [p is good for p in order]
        assert {r.reason for r in answer.results if not r.successful} == {
            f"parameter temperature_c has a value of the unknown type {kind}"
        }
    assert lamp.config.illuminance_lx == 50.0
    atomic = SetParametersAtomically
    result = requests[atomic](atomic.Request(parameters=[good, bad]), atomic.Response()).result
    assert not result.successful
    assert f"type {kind}" in result.reason


def test_unknown_parameters_are_ignored_and_named(
    ros_env: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    given = {
        "illuminance_xl": "5.0",
        "colour": "blue",
        "temperature_c": "7.0",
        "use_sim_time": "false",
        "qos_overrides./a.publisher.depth": "3",
    }
    rclpy.init(
        args=["--ros-args", *(part for key, value in given.items() for part in ("-p", f"{key}:={value}"))]
    )
    node = Lamp("lamp")
    try:
        assert node.config == TwinWorldConfig(temperature_c=7.0)
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    (line,) = [line for line in capfd.readouterr().err.splitlines() if "ignored" in line]
    assert "[WARN]" in line
    assert line.endswith("ignored unknown parameters: colour, illuminance_xl (did you mean illuminance_lx?)")
