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


class Context(dict):
    """What launch hands to an opaque function."""

    @property
    def launch_configurations(self) -> Context:
        return self


def launched(pushed: str = "", **given: str):
    """The node actions that the file makes for given launch arguments, below a pushed namespace."""
    entities = load_launch_file().generate_launch_description().args[0]
    declared = {
        e.args[0]: e.kwargs["default_value"] for e in entities if type(e).__name__ != "OpaqueFunction"
    }
    assert given.keys() <= declared.keys()
    (function,) = (e.kwargs["function"] for e in entities if type(e).__name__ == "OpaqueFunction")
    return function(Context({**declared, **given, **({"ros_namespace": pushed} if pushed else {})}))


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
@pytest.mark.parametrize(
    ("pushed", "given_arguments", "namespace"),
    [
        ("", {}, "/dasha"),
        ("/robot_1", {}, "/robot_1/dasha"),
        ("/robot_1/", {"namespace": "left"}, "/robot_1/left"),
        ("/robot_1", {"namespace": "/left"}, "/left"),
        ("", {"namespace": "left/eye"}, "/left/eye"),
    ],
)
def test_a_pushed_namespace_comes_first(pushed, given_arguments, namespace):
    actions = launched(pushed, **given_arguments)
    assert {action.kwargs["namespace"] for action in actions} == {namespace}
    expected = bringup.describe(bringup.Options(namespace=namespace))
    found = [action.kwargs["parameters"] for action in actions]
    as_given = load_launch_file().as_given
    assert found == [[{k: as_given(v) for k, v in p.parameters.items()}] for p in expected.processes]


@pytest.mark.usefixtures("fake_launch")
def test_without_autostart_every_node_waits_for_a_lifecycle_manager():
    for action in launched(autostart="false", rig="emulated"):
        assert action.kwargs["parameters"][0]["autostart"] is False
    assert not any("autostart" in action.kwargs["parameters"][0] for action in launched())
    with pytest.raises(ValueError, match="neither true nor false"):
        launched(autostart="later")


@pytest.mark.usefixtures("fake_launch")
def test_mode_learn_adds_the_trainer():
    names = [action.kwargs["name"] for action in launched(mode="learn")]
    assert "trainer" in names
    with pytest.raises(ValueError, match="neither act nor learn"):
        launched(mode="dream")


@pytest.fixture
def real_launch(monkeypatch):
    """launch and launch_ros of a ROS distribution, and a new context."""
    reason = "launch and launch_ros are not installed: they come with a ROS distribution"
    launch = pytest.importorskip("launch", reason=reason)
    if not hasattr(launch, "LaunchContext"):
        pytest.skip(reason)  # the namespace package made of this repository's own launch folder
    pytest.importorskip("launch_ros", reason=reason)
    monkeypatch.setattr(sys, "argv", ["ros2"])
    return launch


def visited(context, entity):
    """Every node action that an entity leads to, with its command line."""
    from launch.utilities import perform_substitutions
    from launch_ros.actions import Node

    if isinstance(entity, Node):
        entity._perform_substitutions(context)
        context.extend_locals({"ros_specific_arguments": {"name": "", "ns": ""}})  # as `execute` does
        return [(entity, [perform_substitutions(context, part) for part in entity.cmd])]
    return [node for child in entity.visit(context) or [] for node in visited(context, child)]


def test_real_launch_makes_the_same_command_lines(real_launch):
    context = real_launch.LaunchContext()
    context.launch_configurations.update(GIVEN)
    nodes = visited(context, load_launch_file().generate_launch_description())
    graph = bringup.describe(OPTIONS)
    assert len(nodes) == len(graph.processes)
    for (node, command), process in zip(nodes, graph.processes, strict=True):
        assert node.node_name == process.full_name
        assert command[0].endswith(f"/{process.executable}")
        assert set(process.ros_arguments) <= set(command)


def test_real_launch_applies_what_is_around_an_include(real_launch):
    """PushRosNamespace, SetRemap and SetParameter, as a robot's own launch file has them."""
    from launch.actions import GroupAction, IncludeLaunchDescription
    from launch.launch_description_sources import PythonLaunchDescriptionSource
    from launch_ros.actions import PushRosNamespace, SetParameter, SetRemap

    include = IncludeLaunchDescription(PythonLaunchDescriptionSource(str(FILE)))
    around = [
        PushRosNamespace("robot_1"),
        SetRemap("camera/image_raw", "/robot_1/eye"),
        SetParameter("preview_rate_hz", 2.0),
        include,
    ]
    nodes = visited(real_launch.LaunchContext(), GroupAction(around))
    expected = bringup.describe(bringup.Options(namespace="/robot_1/dasha"))
    assert [node.node_name for node, _ in nodes] == list(expected.node_names)
    for _, command in nodes:
        assert command[command.index("camera/image_raw:=/robot_1/eye") - 1] == "-r"
        assert command[command.index("preview_rate_hz:=2.0") - 1] == "-p"


def load_arguments():
    """The arguments of the launch file, read without running it: launch may be missing."""
    import ast

    (found,) = (
        node.value
        for node in ast.parse(FILE.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and node.targets[0].id == "ARGUMENTS"
    )
    return {key.value for key in found.keys}


def test_the_example_of_two_robots_has_four_graphs_of_their_own():
    from xml.etree import ElementTree

    root = ElementTree.parse(FILE.with_name("two_robots.launch.xml")).getroot()
    namespaces = []
    for robot in root.findall("group"):
        (push,) = robot.findall("push-ros-namespace")
        for camera in robot.findall("group"):
            (include,) = camera.findall("include")
            assert include.attrib["file"] == "$(find-pkg-share dasha_ros)/launch/dasha.launch.py"
            given = {arg.attrib["name"]: arg.attrib["value"] for arg in include}
            assert given.keys() <= load_arguments()
            namespaces.append(f"/{push.attrib['namespace']}/{given['namespace']}")
    assert namespaces == [
        f"/{robot}/{camera}" for robot in ("robot_1", "robot_2") for camera in ("left", "right")
    ]
    graphs = [bringup.describe(bringup.Options(namespace=name, rig="emulated")) for name in namespaces]
    assert len({name for graph in graphs for name in graph.node_names}) == sum(
        len(g.processes) for g in graphs
    )
    sockets = [
        p.parameters["camera_socket"] for g in graphs for p in g.processes if p.name == "device_emulator"
    ]
    assert len(set(sockets)) == 4


def test_real_launch_makes_four_graphs_of_the_example(real_launch):
    from launch.actions import IncludeLaunchDescription
    from launch.launch_description_sources import AnyLaunchDescriptionSource

    source = AnyLaunchDescriptionSource(str(FILE.with_name("two_robots.launch.xml")))
    nodes = visited(real_launch.LaunchContext(), IncludeLaunchDescription(source))
    expected = [
        name
        for robot in ("robot_1", "robot_2")
        for camera in ("left", "right")
        for name in bringup.describe(bringup.Options(namespace=f"/{robot}/{camera}")).node_names
    ]
    assert [node.node_name for node, _ in nodes] == expected
