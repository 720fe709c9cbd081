"""The launch file equals the description of `bringup`, checked with a launch that records."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import pytest
from launch_file import FILE, GIVEN, OPTIONS, VALUES, arguments_of_the_file, load_launch_file, told

from dasha_ros.bringup import graph as bringup
from dasha_ros.config import ConfigError
from dasha_ros.system import shutdown_limits

ROOT = Path(__file__).resolve().parents[2]


class _Recorded:
    """An action of the fake launch that records its arguments."""

    def __init__(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs


class _LaunchConfiguration(_Recorded):
    def perform(self, context):
        return context[self.args[0]]


@pytest.fixture
def fake_launch(monkeypatch, tmp_path):
    """Stands in for launch and launch_ros, and records the actions."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
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


@pytest.mark.usefixtures("fake_launch")
@pytest.mark.parametrize(("given_arguments", "options"), [({}, bringup.Options()), (GIVEN, OPTIONS)])
def test_actions_equal_the_description(given_arguments, options):
    graph = bringup.describe(options)
    actions = launched(**given_arguments)
    assert [type(a).__name__ for a in actions] == ["LifecycleNode"] * len(graph.processes)
    for action, process in zip(actions, graph.processes, strict=True):
        assert callable(action.kwargs.pop("on_exit"))
        assert told(action.kwargs.pop("parameters"), process.full_name) == process.parameters
        assert action.kwargs == {
            "package": "dasha_ros",
            "executable": process.executable,
            "name": process.name,
            "namespace": process.namespace,
            "remappings": list(process.remappings),
            "ros_arguments": list(process.ros_arguments),
            "additional_env": dict(process.environment),
            "respawn": process.respawn,
            "respawn_delay": bringup.RESPAWN_DELAY_S,
            "sigterm_timeout": str(shutdown_limits.LAUNCH_SIGTERM_S),
            "sigkill_timeout": str(shutdown_limits.LAUNCH_SIGKILL_S),
            "output": "screen",
        }


@pytest.mark.usefixtures("fake_launch")
@pytest.mark.parametrize("value", VALUES)
def test_every_value_reaches_the_node_as_it_is(value):
    process = bringup.Process("lens_driver", "lens_driver", "", "/dasha/left", {"p": value, "q": 1.0})
    read = told(load_launch_file().parameter_files(process), "/dasha/left/lens_driver")
    assert (type(read["p"]), read) == (type(value), {"p": value, "q": 1.0})


@pytest.mark.usefixtures("fake_launch")
def test_nodes_get_the_words_of_the_rig():
    """They came with quotes until somebody looked: no rig but the default started."""
    actions = {action.kwargs["name"]: action for action in launched(rig="hardware")}
    camera, lens = (
        told(actions[name].kwargs["parameters"], f"/dasha/{name}")
        for name in ("camera_driver", "lens_driver")
    )
    assert (camera["backend"], lens["backend"]) == ("pylon", "varioptic")


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
    runs, ends = (types.SimpleNamespace(is_shutdown=ends) for ends in (False, True))
    ended = lambda code: types.SimpleNamespace(returncode=code, process_name="camera_driver-1")  # noqa: E731
    (shutdown,) = on_exit(ended(2), runs)
    assert type(shutdown).__name__ == "Shutdown"
    assert "camera_driver-1 has a configuration error" in shutdown.kwargs["reason"]
    assert [on_exit(ended(code), runs) for code in (0, 1, -9, -11)] == [None] * 4
    assert on_exit(ended(2), ends) is None, "launch fails when it is ended twice"


@pytest.mark.usefixtures("fake_launch")
def test_bad_argument_is_refused_with_the_reason():
    with pytest.raises(ConfigError, match="unknown rig 'submarine'"):
        launched(rig="submarine")


@pytest.mark.usefixtures("fake_launch")
@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ({"detector": "nosuch"}, "perception: There is no detector called 'nosuch'"),
        ({"overrides": "low_level_agent.policy=nosuch"}, "low_level_agent: unknown focus policy 'nosuch'"),
    ],
)
def test_what_no_node_could_use_is_refused_before_any_node_is_launched(argument, sentence):
    with pytest.raises(ConfigError, match=sentence):
        launched(**argument)


@pytest.mark.usefixtures("fake_launch")
def test_every_option_is_an_argument():
    options = set(bringup.Options.__dataclass_fields__) - {"learn"} | {"mode"}
    assert load_launch_file().ARGUMENTS.keys() == options


@pytest.mark.usefixtures("fake_launch")
@pytest.mark.parametrize("given_arguments", [{}, {"rig": "emulated", "mode": "learn"}])
@pytest.mark.parametrize("fast_dds", [2, 3])
def test_middleware_and_discovery_are_left_to_the_user(given_arguments, fast_dds, monkeypatch, tmp_path):
    for name in ("RMW_IMPLEMENTATION", "ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_DOMAIN_ID"):
        monkeypatch.delenv(name, raising=False)
    for name in (profiles := {"FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"}):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    if fast_dds == 3:
        (tmp_path / "share" / "fastdds").mkdir(parents=True)
        profiles.remove("FASTRTPS_DEFAULT_PROFILES_FILE")
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
    for action, process in zip(actions, expected.processes, strict=True):
        assert told(action.kwargs["parameters"], process.full_name) == process.parameters


@pytest.mark.usefixtures("fake_launch")
def test_without_autostart_every_node_waits_for_a_lifecycle_manager():
    for action in launched(autostart="false", rig="emulated"):
        name = f"{action.kwargs['namespace']}/{action.kwargs['name']}"
        assert told(action.kwargs["parameters"], name)["autostart"] is False
    assert not any(action.kwargs["parameters"] for action in launched())
    with pytest.raises(ValueError, match="neither true nor false"):
        launched(autostart="later")


@pytest.mark.usefixtures("fake_launch")
def test_mode_learn_adds_the_trainer():
    names = [action.kwargs["name"] for action in launched(mode="learn")]
    assert "trainer" in names
    with pytest.raises(ValueError, match="neither act nor learn"):
        launched(mode="dream")


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
            assert given.keys() <= arguments_of_the_file()
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


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="needs a virtual environment")
def test_the_packages_of_the_active_environment_are_found_by_the_systems_python():
    """Ubuntu's ``ros2`` runs the file so. An old pydantic of the system must not come first."""
    stand_in = (
        "import importlib.util, sys, types\n"
        "class Any(types.ModuleType):\n"
        "    def __getattr__(self, name): return None\n"
        "for name in 'launch launch.actions launch.substitutions launch_ros launch_ros.actions'.split():\n"
        "    sys.modules[name] = Any(name)\n"
        f"spec = importlib.util.spec_from_file_location('file', {str(FILE)!r})\n"
        "spec.loader.exec_module(importlib.util.module_from_spec(spec))\n"
        "print(sys.modules['pydantic'].__file__)\n"
    )
    told_where = subprocess.run(
        [sys._base_executable, "-c", stand_in],
        env={"PATH": os.environ["PATH"], "VIRTUAL_ENV": sys.prefix, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=90.0,
    )
    assert told_where.stdout.startswith(sys.prefix), told_where.stderr
