"""The example with another package's component: what it hands over, and that its names are those of a graph.

The container itself comes with a ROS distribution. `test_real_launch` reads the example with the real launch.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from launch_file import FILE, WITH_COMPONENTS, arguments_of_the_file
from ros_harness import Probe, Spawner

from dasha_ros.bringup import graph as bringup
from dasha_ros.bringup.environment import profile_of
from dasha_ros.bringup.refusals import check_startable
from dasha_ros.system.paths import config_dir

ROOT = ElementTree.parse(WITH_COMPONENTS).getroot()
DEFAULTS = {arg.attrib["name"]: arg.attrib["default"] for arg in ROOT.findall("arg")}


def text(value: str) -> str:
    """An attribute with the default values of the example's arguments."""
    return re.sub(r"\$\(var (\w+)\)", lambda found: DEFAULTS[found[1]], value)


def component() -> tuple[str, dict[str, str]]:
    """The namespace of the component, and its remappings."""
    (node,) = ROOT.findall("node_container/composable_node")
    return "/" + text(node.attrib["namespace"]), {
        remap.attrib["from"]: remap.attrib["to"] for remap in node.findall("remap")
    }


def test_the_graph_gets_arguments_that_it_has() -> None:
    (include,) = ROOT.findall("include")
    assert include.attrib["file"] == f"$(find-pkg-share dasha_ros)/launch/{FILE.name}"
    given = {arg.attrib["name"]: text(arg.attrib["value"]) for arg in include}
    assert given == DEFAULTS
    assert given.keys() <= arguments_of_the_file()
    graph = bringup.describe(
        bringup.Options(
            namespace=given["namespace"], rig=given["rig"], overrides=tuple(given["overrides"].split())
        )
    )
    check_startable(graph)
    (camera,) = (process for process in graph.processes if process.name == "camera_driver")
    assert camera.parameters == {"preview_rate_hz": 10.0}


def test_the_container_may_publish_whole_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (container,) = ROOT.findall("node_container")
    assert (container.attrib["pkg"], container.attrib["exec"]) == ("rclcpp_components", "component_container")
    given = {env.attrib["name"]: env.attrib["value"] for env in container.findall("env")}
    here = {
        name: value.replace("$(find-pkg-share dasha_ros)", str(config_dir().parent))
        for name, value in given.items()
    }
    assert all(Path(path).is_file() for path in here.values())
    # As the camera driver has it, whose pictures arrive whole: by one name with Fast DDS 3, by both with 2.
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    assert here == profile_of("camera_driver", {})


@pytest.mark.graph
def test_the_component_hears_each_picture_with_its_camera_info(spawn: Spawner, probe: Probe) -> None:
    """Subscribed as `RectifyNode` does: as the publisher offers it, and to camera_info beside the picture."""
    import rclpy
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from sensor_msgs.msg import CameraInfo, Image

    from dasha_ros.ros.validation.publishers import EXCLUSIVE_TOPICS

    namespace, remappings = component()
    assert remappings.keys() == {"image"}
    arguments = ["--ros-args", "-r", f"__ns:={namespace}"]
    for source, target in remappings.items():
        arguments += ["-r", f"{source}:={target}"]
    node = rclpy.create_node("rectify", context=probe.context, cli_args=arguments, use_global_arguments=False)
    picture = node.resolve_topic_name("image")
    info = picture.rpartition("/")[0] + "/camera_info"
    contract = {f"/{DEFAULTS['namespace']}/{topic}" for topic in EXCLUSIVE_TOPICS}
    assert {picture, info} <= contract
    assert node.resolve_topic_name("image_rect") not in contract

    probe.executor.add_node(node)
    for name in ("twin_world", "lens_driver"):
        spawn.node(name)
    spawn.node("camera_driver", {"preview_rate_hz": 10.0})

    def offers(topic: str) -> list[Any]:
        # A topic may be known before the name of the node that publishes it.
        found = node.get_publishers_info_by_topic(topic)
        return [offer for offer in found if offer.node_name == "camera_driver"]

    (offer,) = probe.until(lambda: offers(info) and offers(picture), "the camera driver's topics")
    assert offer.topic_type == "sensor_msgs/msg/Image"
    assert offer.qos_profile.reliability is ReliabilityPolicy.BEST_EFFORT
    as_offered = QoSProfile(
        depth=5, reliability=offer.qos_profile.reliability, durability=offer.qos_profile.durability
    )
    pictures: list[Image] = []
    infos: list[CameraInfo] = []
    node.create_subscription(Image, picture, pictures.append, as_offered)
    node.create_subscription(CameraInfo, info, infos.append, as_offered)

    def pairs() -> list[tuple[Image, CameraInfo]]:
        return [(p, i) for p in pictures for i in infos if p.header == i.header]

    probe.until(lambda: len(pairs()) >= 5, "five pictures, each with its camera_info")
    for image, told in pairs():
        assert (image.width, image.height) == (told.width, told.height)
        assert told.k[0] > 0.0, "RectifyNode refuses a camera that is not calibrated"
    node.destroy_node()
