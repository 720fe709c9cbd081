"""The launch file in the real launch and launch_ros, where a ROS distribution has installed them."""

from __future__ import annotations

import sys
import tempfile
from itertools import pairwise

import pytest
from launch_file import FILE, GIVEN, OPTIONS, VALUES, WITH_COMPONENTS, load_launch_file, told

from dasha_ros.bringup import graph as bringup


@pytest.fixture
def real_launch(monkeypatch, tmp_path):
    """launch and launch_ros of a ROS distribution, and a new context."""
    reason = "launch and launch_ros are not installed: they come with a ROS distribution"
    launch = pytest.importorskip("launch", reason=reason)
    if not hasattr(launch, "LaunchContext"):
        pytest.skip(reason)  # the namespace package made of this repository's own launch folder
    pytest.importorskip("launch_ros", reason=reason)
    monkeypatch.setattr(sys, "argv", ["ros2"])
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
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
        files = [path for option, path in pairwise(command) if option == "--params-file"]
        assert told(files, process.full_name) == process.parameters


def test_real_launch_hands_every_value_over_as_it_is(real_launch):
    from launch_ros.actions import Node

    values = {f"p{number}": value for number, value in enumerate(VALUES)}
    process = bringup.Process("lens_driver", "lens_driver", "", "/dasha", values)
    node = Node(
        package=bringup.PACKAGE,
        executable=process.executable,
        name=process.name,
        namespace=process.namespace,
        parameters=load_launch_file().parameter_files(process),
    )
    ((_, command),) = visited(real_launch.LaunchContext(), node)
    read = told([command[command.index("--params-file") + 1]], process.full_name)
    assert [(type(value), value) for value in read.values()] == [(type(value), value) for value in VALUES]


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


@pytest.mark.parametrize(
    ("pushed", "given", "namespace"),
    [("", "dasha", "/dasha"), ("robot_1", "left", "/robot_1/left"), ("robot_1", "/left", "/left")],
)
def test_real_launch_puts_the_components_of_the_example_beside_the_camera(
    real_launch, pushed, given, namespace
):
    from ament_index_python.packages import PackageNotFoundError, get_package_prefix
    from launch.actions import GroupAction, IncludeLaunchDescription
    from launch.launch_description_sources import AnyLaunchDescriptionSource
    from launch_ros.actions import PushRosNamespace
    from launch_ros.actions import load_composable_nodes as loading

    try:
        get_package_prefix("rclcpp_components")
    except PackageNotFoundError:
        pytest.skip("rclcpp_components is not installed: it comes with a ROS distribution")
    include = IncludeLaunchDescription(
        AnyLaunchDescriptionSource(str(WITH_COMPONENTS)), launch_arguments=[("namespace", given)]
    )
    context = real_launch.LaunchContext()
    # Not in a group that ends, because what a component is asked with is read afterwards.
    around = GroupAction([*([PushRosNamespace(pushed)] if pushed else []), include], scoped=False)
    *nodes, (container, command) = visited(context, around)
    options = bringup.Options(namespace=namespace, overrides=("camera_driver.preview_rate_hz=10",))
    graph = bringup.describe(options)
    assert [node.node_name for node, _ in nodes] == list(graph.node_names)
    assert container.node_name == f"{namespace}/camera/components"
    assert command[0].endswith("/component_container")
    (description,) = container._ComposableNodeContainer__composable_node_descriptions
    request = loading.get_composable_node_load_request(description, context)
    assert (request.package_name, request.plugin_name) == ("image_proc", "image_proc::RectifyNode")
    assert (request.node_namespace, list(request.remap_rules)) == (
        f"{namespace}/camera",
        ["image:=image_raw"],
    )
