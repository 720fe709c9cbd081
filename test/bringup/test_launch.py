"""The launch file equals the description of `bringup`, checked with and without the real launch."""

from __future__ import annotations

import importlib.util
import os
import sys
import types

import pytest
import yaml

from dasha_ros.bringup import graph as bringup
from dasha_ros.config import ConfigError
from dasha_ros.freshness import limits
from dasha_ros.system.paths import share_dir

FILE = share_dir() / "launch" / "dasha.launch.py"


class _Recorded:
    """An action of the fake launch that records its arguments."""

    def __init__(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs


class _LaunchConfiguration(_Recorded):
    def perform(self, context):
        return context[self.args[0]]


def load_launch_file():
    spec = importlib.util.spec_from_file_location("dasha_launch_file", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def fake_launch(monkeypatch):
    """Stands in for launch and launch_ros, and records the actions."""
    parts = {
        "launch": {"LaunchDescription": _Recorded},
        "launch.actions": {
            "DeclareLaunchArgument": type("DeclareLaunchArgument", (_Recorded,), {}),
            "LogInfo": type("LogInfo", (_Recorded,), {}),
            "OpaqueFunction": type("OpaqueFunction", (_Recorded,), {}),
            "Shutdown": type("Shutdown", (_Recorded,), {}),
        },
        "launch.substitutions": {"LaunchConfiguration": _LaunchConfiguration},
        "launch_ros": {},
        "launch_ros.actions": {"LifecycleNode": type("LifecycleNode", (_Recorded,), {})},
    }
    for name, content in parts.items():
        module = types.ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)


def launched(**given: str):
    """The node actions that the file makes for given launch arguments."""
    entities = load_launch_file().generate_launch_description().args[0]
    declared = {
        e.args[0]: e.kwargs["default_value"] for e in entities if type(e).__name__ != "OpaqueFunction"
    }
    assert given.keys() <= declared.keys()
    (function,) = (e.kwargs["function"] for e in entities if type(e).__name__ == "OpaqueFunction")
    return function({**declared, **given})


GIVEN = {
    "namespace": "/left",
    "scene": "street",
    "speed": "4",
    "log_level": "debug",
    "overrides": "camera_driver.gain_db=6 'camera_driver.serial=two words'",
}
OPTIONS = bringup.Options(
    namespace="/left",
    scene="street",
    speed=4.0,
    log_level="debug",
    overrides=("camera_driver.gain_db=6", "camera_driver.serial=two words"),
)


@pytest.mark.usefixtures("fake_launch")
@pytest.mark.parametrize(("given_arguments", "options"), [({}, bringup.Options()), (GIVEN, OPTIONS)])
def test_actions_equal_the_description(given_arguments, options):
    graph, as_given = bringup.describe(options), load_launch_file().as_given
    actions = launched(**given_arguments)
    assert [type(a).__name__ for a in actions] == ["LifecycleNode"] * len(graph.processes)
    for action, process in zip(actions, graph.processes, strict=True):
        assert callable(action.kwargs.pop("on_exit"))
        assert action.kwargs == {
            "package": "dasha_ros",
            "executable": process.executable,
            "name": process.name,
            "namespace": process.namespace,
            "parameters": [{k: as_given(v) for k, v in process.parameters.items()}],
            "remappings": list(process.remappings),
            "ros_arguments": list(process.ros_arguments),
            "additional_env": dict(process.environment),
            "respawn": process.respawn,
            "respawn_delay": bringup.RESPAWN_DELAY_S,
            "sigterm_timeout": str(limits.LAUNCH_SIGTERM_S),
            "sigkill_timeout": str(limits.LAUNCH_SIGKILL_S),
            "output": "screen",
        }


@pytest.mark.usefixtures("fake_launch")
@pytest.mark.parametrize("value", ["", "007", "1.0", "yes", "two words", "plus", True, 5, 1e-5, [1.5, 2.0]])
def test_launch_keeps_every_value(value):
    """launch_ros parses text parameters as YAML."""
    given = load_launch_file().as_given(value)
    read = yaml.safe_load(given) if isinstance(given, str) else given
    assert (type(read), read) == (type(value), value)


@pytest.mark.usefixtures("fake_launch")
def test_warnings_of_a_parameter_file_are_printed(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("camera_driver: {ros__parameters: {gain_db: 3.0}}\n")
    first = launched(params_file=str(path))[0]
    assert type(first).__name__ == "LogInfo"
    assert "did you mean /dasha/camera_driver" in first.kwargs["msg"]


@pytest.mark.usefixtures("fake_launch")
def test_only_a_configuration_error_ends_the_graph():
    on_exit = launched()[0].kwargs["on_exit"]
    ended = lambda code: types.SimpleNamespace(returncode=code, process_name="camera_driver-1")  # noqa: E731
    (shutdown,) = on_exit(ended(2), None)
    assert type(shutdown).__name__ == "Shutdown"
    assert "camera_driver-1 has a configuration error" in shutdown.kwargs["reason"]
    assert [on_exit(ended(code), None) for code in (0, 1, -9, -11)] == [None] * 4


@pytest.mark.usefixtures("fake_launch")
def test_bad_argument_is_refused_with_the_reason():
    with pytest.raises(ConfigError, match="unknown rig 'submarine'"):
        launched(rig="submarine")


@pytest.mark.usefixtures("fake_launch")
def test_every_option_is_an_argument():
    options = set(bringup.Options.__dataclass_fields__) - {"learn"} | {"mode"}
    assert load_launch_file().ARGUMENTS.keys() == options


@pytest.mark.usefixtures("fake_launch")
@pytest.mark.parametrize("given_arguments", [{}, {"rig": "emulated", "mode": "learn"}])
def test_middleware_and_discovery_are_left_to_the_user(given_arguments, monkeypatch):
    for name in ("RMW_IMPLEMENTATION", "ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_DOMAIN_ID"):
        monkeypatch.delenv(name, raising=False)
    for name in (profiles := {"FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"}):
        monkeypatch.delenv(name, raising=False)
    assert all(action.kwargs["additional_env"].keys() == profiles for action in launched(**given_arguments))
    assert not {"RMW_IMPLEMENTATION", "ROS_AUTOMATIC_DISCOVERY_RANGE"} & os.environ.keys()
    monkeypatch.setenv("FASTRTPS_DEFAULT_PROFILES_FILE", "/mine.xml")
    assert not any(action.kwargs["additional_env"] for action in launched(**given_arguments))


@pytest.mark.usefixtures("fake_launch")
def test_mode_learn_adds_the_trainer():
    names = [action.kwargs["name"] for action in launched(mode="learn")]
    assert "trainer" in names
    with pytest.raises(ValueError, match="neither act nor learn"):
        launched(mode="dream")


def test_real_launch_makes_the_same_command_lines(monkeypatch):
    reason = "launch and launch_ros are not installed: they come with a ROS distribution"
    launch = pytest.importorskip("launch", reason=reason)
    if not hasattr(launch, "LaunchContext"):
        pytest.skip(reason)  # the namespace package made of this repository's own launch folder
    pytest.importorskip("launch_ros", reason=reason)
    from launch.utilities import perform_substitutions

    context = launch.LaunchContext()
    monkeypatch.setattr(sys, "argv", ["ros2"])
    description = load_launch_file().generate_launch_description()
    context.launch_configurations.update(GIVEN)
    nodes = []
    for entity in description.entities:
        nodes += entity.visit(context) or []
    graph = bringup.describe(OPTIONS)
    assert len(nodes) == len(graph.processes)
    for node, process in zip(nodes, graph.processes, strict=True):
        node._perform_substitutions(context)
        assert node.node_name == process.full_name
        command = [perform_substitutions(context, part) for part in node.cmd]
        assert command[0].endswith(f"/{process.executable}")
        assert set(process.ros_arguments) <= set(command)
