"""``dasha echo``: any topic, whatever its type and QoS."""

from __future__ import annotations

import contextlib
import fcntl
import signal

import pytest
import yaml

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

import numpy as np
from dasha_ros.action import FocusOnObject
from dasha_ros.msg import CaptureInfo, Detection, FocusState, Percept
from diagnostic_msgs.msg import DiagnosticStatus
from rcl_interfaces.srv import GetParameters
from ros_domains import first_port
from ros_harness import Probe, wait_for
from sensor_msgs.msg import Image
from std_msgs.msg import ByteMultiArray, String

from dasha_ros.cli.graph.introspection import as_yaml, plain
from dasha_ros.ros.recording.schema import UnknownTypeError, message_class
from dasha_ros.ros.transport import qos
from dasha_ros.system.shared_memory import FAST_DDS, SHARED_MEMORY


@pytest.fixture
def echo(spawn):
    return lambda *arguments: spawn.dasha("echo", *arguments)


@pytest.fixture
def taken_ports(ros_env):
    """Other processes are just opening the ports that Fast DDS would take first; it says so in a log."""
    with contextlib.ExitStack() as stack:
        for number in range(5):
            port = first_port(int(ros_env["ROS_DOMAIN_ID"])) + 11 + 2 * number
            for version in FAST_DDS:
                lock = SHARED_MEMORY / f"{version}port{port}_el"
                held = stack.enter_context(lock.open("a"))
                # Another node of the test may really have it.
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    stack.callback(lock.unlink, missing_ok=True)
        yield


@pytest.mark.graph
def test_latched_message_from_long_ago_is_printed(probe, taken_ports, spawn, tmp_path):
    state = FocusState(
        state=FocusState.FOCUSED,
        labels=["cat", "dog"],
        lens_position=43.5,
        lens_unit="V",
        message="a: 'b'\n",
    )
    probe.node.create_publisher(FocusState, "focus/state", qos.STATE).publish(state)
    once = spawn.dasha("echo", "focus/state", "--once", "--timeout", "60", errors=tmp_path / "once")
    assert once.wait() == 0
    # Fast DDS logs from a thread of its own, and a command that ends at once may be faster.
    errors = tmp_path / "errors"
    longer = spawn.dasha("echo", "focus/state", "--timeout", "60", errors=errors)
    probe.until(
        lambda: "---" in longer.lines and "Failed init_port" in errors.read_text(),
        "the message, and what Fast DDS logs",
    )
    longer.send(signal.SIGINT)
    assert longer.wait() == 0
    for child in (once, longer):
        document, rest = child.output.split("---")
        assert rest == ""
        assert yaml.safe_load(document) == plain(state)


@pytest.mark.graph
def test_best_effort_messages_are_printed_until_ctrl_c(probe, spawn, tmp_path):
    publisher = probe.node.create_publisher(Image, "/elsewhere/image", qos.IMAGE)
    errors = tmp_path / "errors"
    child = spawn.dasha("echo", "/elsewhere/image", "--no-arr", "--timeout", "60", errors=errors)

    def two_are_printed() -> bool:
        publisher.publish(Image(width=2, height=1, encoding="mono8", data=[7, 8]))
        return child.lines.count("---") >= 2

    probe.until(two_are_printed, "two messages")
    child.send(signal.SIGINT)
    assert child.wait() == 0
    assert "Traceback" not in errors.read_text()
    assert yaml.safe_load(child.output.split("---")[0])["data"] == "<array of 2>"


@pytest.mark.graph
def test_the_feedback_of_an_action_is_printed(probe, spawn, tmp_path):
    kind = FocusOnObject.Impl.FeedbackMessage
    publisher = probe.node.create_publisher(kind, "focus_on_object/_action/feedback", 10)
    errors = tmp_path / "errors"
    child = spawn.dasha("echo", "focus_on_object/_action/feedback", "--timeout", "60", errors=errors)

    def it_is_printed() -> bool:
        publisher.publish(kind(feedback=FocusOnObject.Feedback(step=7, lens_unit="V")))
        return "---" in child.lines

    probe.until(it_is_printed, "a step")
    child.send(signal.SIGINT)
    assert child.wait() == 0, errors.read_text()
    feedback = yaml.safe_load(child.output.split("---")[0])["feedback"]
    assert (feedback["step"], feedback["lens_unit"]) == (7, "V")


@pytest.mark.graph
def test_topic_that_nobody_publishes(echo):
    child = echo("nothing/here", "--timeout", "0.5")
    assert child.wait() == 3
    assert "no node publishes /dasha/nothing/here" in child.output


@pytest.mark.graph
@pytest.mark.parametrize("name", ["bad topic", "", "a//b", "7up"])
def test_an_invalid_topic_name_is_refused(echo, name):
    child = echo(name)
    assert child.wait() == 2
    assert f"error: {name!r} is not a topic name: use letters" in child.output
    assert "Traceback" not in child.output


@pytest.mark.graph
def test_a_stranger_with_another_type_is_told_and_not_shown(probe, echo, ros_env):
    stranger = Probe(int(ros_env["ROS_DOMAIN_ID"]), "/a_stranger")
    try:
        stranger.node.create_publisher(String, "/dasha/focus/state", qos.STATE).publish(String(data="lies"))
        probe.until(lambda: probe.node.count_publishers("focus/state") == 1, "the stranger")
        probe.node.create_publisher(FocusState, "focus/state", qos.STATE).publish(FocusState(message="truth"))
        stranger.until(lambda: stranger.node.count_publishers("/dasha/focus/state") == 2, "the graph")

        def both_are_told() -> str:
            child = echo("focus/state", "--once", "--timeout", "60")
            assert child.wait() == 0
            return child.output if "warning" in child.output else ""

        said = wait_for(both_are_told, "both publishers to be discovered")
        others = "shown is dasha_ros/msg/FocusState, and not std_msgs/msg/String"
        assert f"nodes publish /dasha/focus/state with several types; {others}" in said
        assert "message: truth" in said
    finally:
        stranger.close()


@pytest.mark.graph
def test_silent_topic(probe, echo):
    probe.node.create_publisher(String, "quiet", 1)
    child = echo("quiet", "--once", "--timeout", "15")
    assert child.wait() == 3
    assert "/dasha/quiet (std_msgs/msg/String) is there, but no message came" in child.output


def test_plain_goes_into_nested_messages_and_arrays():
    percept = Percept(
        capture=CaptureInfo(exposure_us=5.0),
        latent=[0.5, 1.5],
        histogram_counts=np.arange(10, dtype=np.uint32),
        detections=[Detection(label="cat", score=0.25)],
    )
    text = plain(percept)
    assert text["capture"]["exposure_us"] == 5.0
    assert text["latent"] == [0.5, 1.5]
    assert text["histogram_counts"] == list(range(10))
    assert text["detections"][0]["label"] == "cat"
    short = plain(percept, arrays=False)
    assert short["latent"] == "<array of 2>"
    assert short["histogram_counts"] == "<array of 10>"
    assert short["detections"] == text["detections"]
    assert yaml.safe_load(as_yaml(percept)) == text


def test_a_byte_is_a_number():
    assert plain(DiagnosticStatus(level=DiagnosticStatus.ERROR))["level"] == 2
    assert plain(ByteMultiArray(data=[b"\x00", b"\xff"]))["data"] == [0, 255]


def test_what_a_service_tells_of_itself_has_a_class():
    assert message_class("rcl_interfaces/srv/GetParameters_Event") is GetParameters.Event


@pytest.mark.parametrize(
    "kind",
    [
        "no_such_package/msg/X",
        "std_msgs/msg/NoSuchType",
        "dasha_ros/action/NoSuch_FeedbackMessage",
        "dasha_ros/action/FocusOnObject",
        "dasha_ros",
        "dasha_ros/msg/",
        "os/path/join",
    ],
)
def test_type_that_is_not_installed(kind):
    with pytest.raises(UnknownTypeError, match=f"{kind} is not installed here: install {kind.split('/')[0]}"):
        message_class(kind)
