"""What a node says last arrives, or the node leaves after its time limit."""

from __future__ import annotations

import os
import signal
import xml.etree.ElementTree as ET

import pytest
from ros_harness import PATIENCE_S, ROOT, Probe

pytestmark = [pytest.mark.graph, pytest.mark.slow]

LISTENER = """
import rclpy
from std_msgs.msg import String
from dasha_ros.ros.transport import qos

rclpy.init()
node = rclpy.create_node("listener")
node.create_subscription(String, "words", lambda message: print(message.data), qos.STATE)
rclpy.spin(node)
"""


@pytest.fixture
def speaker(ros_env):
    """A node of this process."""
    probe = Probe(int(ros_env["ROS_DOMAIN_ID"]), "")
    yield probe
    probe.close()


def test_a_node_waits_until_a_paused_subscriber_has_its_last_words(spawn, speaker):
    from std_msgs.msg import String

    from dasha_ros.ros.node.delivery import await_delivery
    from dasha_ros.ros.transport import qos

    listener = spawn.python("-c", LISTENER)
    words = speaker.publisher(String, "words", qos.STATE)
    for topic, profile in (("nobody_listens", qos.STATE), ("nobody_waits", qos.IMAGE)):
        speaker.node.create_publisher(String, topic, profile).publish(String(data="to nobody"))
    words.publish(String(data="first"))
    listener.wait_for_output("first")
    assert await_delivery(speaker.node, 10.0)

    listener.send(signal.SIGSTOP)
    _until_stopped(listener.pid)
    words.publish(String(data="last"))
    assert not await_delivery(speaker.node, 0.2), "a paused process confirmed a message"
    listener.send(signal.SIGCONT)
    assert await_delivery(speaker.node, PATIENCE_S)
    speaker.node.destroy_publisher(words)
    listener.wait_for_output("last")


def test_a_middleware_that_can_not_tell_keeps_no_node(speaker, monkeypatch):
    """None of those that ROS installs: they all confirm."""
    from rclpy.impl.implementation_singleton import rclpy_implementation
    from rclpy.publisher import Publisher

    from dasha_ros.ros.node.delivery import await_delivery

    def refuse(publisher, timeout):
        raise rclpy_implementation.RCLError("not supported")

    monkeypatch.setattr(Publisher, "wait_for_all_acked", refuse)
    assert list(speaker.node.publishers)
    assert await_delivery(speaker.node, 10.0)


@pytest.mark.parametrize("how", ["end", "trigger_cleanup", "trigger_shutdown"])
def test_every_node_stops_working_then_delivers_then_releases(ros_env, monkeypatch, how):
    import rclpy

    from dasha_ros.nodes.twin_world import TwinWorld
    from dasha_ros.ros.node import node as module

    done = []

    class Node(TwinWorld):
        def deactivate(self):
            done.append("deactivate")

        def cleanup(self):
            done.append("cleanup")

    monkeypatch.setattr(module, "await_delivery", lambda node: done.append("deliver"))
    rclpy.init(args=["node"], domain_id=int(ros_env["ROS_DOMAIN_ID"]))
    node = Node()
    try:
        node.trigger_configure()
        del done[:]
        getattr(node, how)()
        assert done == ["deactivate", "deliver", "cleanup"]
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


def test_a_node_that_ends_is_forgotten_at_once(spawn, speaker, tmp_path):
    """By what it says, and not because its lease has run out, which here takes an hour.

    ROS's own list of nodes may keep it for ever: a listener that was held up for a moment is enough.
    """
    from dasha_ros.ros.transport.endpoints import node_names

    text = (ROOT / "config" / "fastdds_node.xml").read_text()
    assert text.count("<sec>5</sec>") == 1
    profile = tmp_path / "profile.xml"
    profile.write_text(text.replace("<sec>5</sec>", "<sec>3600</sec>"))
    names = "FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"
    child = spawn.node("lens_driver", env=dict.fromkeys(names, str(profile)))

    def is_known() -> bool:
        return "/dasha/lens_driver" in node_names(speaker.node)

    speaker.until(is_known, "the node")
    assert child.stop() == 0
    speaker.until(lambda: not is_known(), "its goodbye")


@pytest.mark.parametrize("profile", sorted(path.name for path in (ROOT / "config").glob("fastdds*.xml")))
def test_a_message_that_was_lost_is_sent_again_soon(profile):
    """Fast DDS ignores a misspelt element without a word, and would wait for 3 s."""
    root = ET.parse(ROOT / "config" / profile).getroot()
    name = "{http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles}"
    (writer,) = root.iter(f"{name}data_writer")
    assert writer.get("is_default_profile") == "true"
    (again,) = writer.findall(f"{name}times/{name}heartbeatPeriod/{name}nanosec")
    assert 0 < int(again.text) <= 200_000_000


@pytest.mark.parametrize("profile", ["fastdds.xml", "fastdds_frames.xml", "fastdds_node.xml"])
def test_a_lease_outlives_many_lost_announcements(profile):
    root = ET.parse(ROOT / "config" / profile).getroot()
    name = "{http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles}"
    (lease,) = root.iter(f"{name}leaseDuration")
    (again,) = root.iter(f"{name}leaseAnnouncement")
    announcement_s = float(again.findtext(f"{name}nanosec")) * 1e-9
    assert 0.0 < announcement_s <= float(lease.findtext(f"{name}sec")) / 20


def _until_stopped(pid: int) -> None:
    _, status = os.waitpid(pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
