"""``dasha record`` as a person meets it: a graph that speaks ROS, and the signals that end a recording."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from ros_harness import Child, Probe, Spawner, wait_for

from dasha_ros.recording.reader import Recording

pytestmark = pytest.mark.graph

PIXELS = np.random.default_rng(0).integers(0, 255, (120, 160), np.uint8)


class Robot:
    """Publishes pictures and what belongs to them."""

    def __init__(self, probe: Probe) -> None:
        from sensor_msgs.msg import Image

        from dasha_ros import msg
        from dasha_ros.ros.transport import qos

        self.msg, self.image_kind, self.probe, self.count = msg, Image, probe, 0
        create = probe.node.create_publisher
        self.images = create(Image, "camera/image_raw", qos.IMAGE)
        self.percepts = create(msg.Percept, "perception/percept", qos.PERCEPT)
        self.annotated = create(Image, "perception/annotated", qos.IMAGE)
        self.captures = create(msg.CaptureInfo, "camera/capture", qos.CAPTURE)
        self.states = create(msg.LensState, "lens/state", qos.STATE)
        create(msg.LensInfo, "lens/info", qos.STATE).publish(
            msg.LensInfo(unit="V", position_min=24.0, position_max=70.0)
        )

    def step(self) -> None:
        self.count += 1
        image = self.image_kind(height=120, width=160, encoding="mono8", step=160, data=PIXELS.tobytes())
        image.header.stamp.sec = self.count
        self.images.publish(image)
        self.percepts.publish(self.msg.Percept(brisque=float(self.count), latent=[0.5] * 3))

    def play(self, recorder: Child, steps: int) -> None:
        recorder.wait_for_output("recording to")
        for publisher in (self.images, self.percepts):
            self.probe.until(lambda p=publisher: p.get_subscription_count() == 1, "the recorder")
        for _ in range(steps):
            self.step()
            self.probe.spin(0.05)


def contents(folder: Path) -> dict[str, list[Any]]:
    """Every message by topic, as the library rosbags reads it: by its own reader of our definitions."""
    from rosbags.highlevel import AnyReader

    found: dict[str, list[Any]] = {}
    with AnyReader([folder]) as reader:
        for connection, _, data in reader.messages():
            message = reader.deserialize(data, connection.msgtype)
            found.setdefault(connection.topic, []).append(message)
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_recording_ends_cleanly_and_holds_the_graph(
    spawn: Spawner, probe: Probe, tmp_path: Path, number: int
) -> None:
    robot = Robot(probe)
    folder = tmp_path / "rec"
    recorder = spawn.dasha("record", "-o", str(folder))
    robot.play(recorder, 10)
    heard = "camera and lens are heard: a goal that begins now can be replayed"
    assert heard not in recorder.output
    robot.captures.publish(robot.msg.CaptureInfo(driver="c"))
    robot.states.publish(robot.msg.LensState(driver="l"))
    recorder.wait_for_output(heard)
    assert recorder.stop(number) == 0, recorder.output
    found = contents(folder)
    assert [m.brisque for m in found["/dasha/perception/percept"]] == list(range(1, 11))
    images = found["/dasha/camera/image_raw"]
    assert [m.header.stamp.sec for m in images] == list(range(1, 11))
    assert (images[0].data.reshape(120, 160) == PIXELS).all()
    assert found["/dasha/lens/info"][0].unit == "V"
    assert "/dasha/perception/annotated" not in found
    assert robot.annotated.get_subscription_count() == 0
    assert f"in 1 file: {folder}" in recorder.output


def test_jpeg_and_chosen_topics(spawn: Spawner, probe: Probe, tmp_path: Path) -> None:
    robot = Robot(probe)
    folder = tmp_path / "rec"
    options = ["--images", "jpeg", "-t", "camera/image_raw", "-t", "perception/percept"]
    recorder = spawn.dasha("record", "-o", str(folder), *options)
    robot.play(recorder, 3)
    assert recorder.stop() == 0, recorder.output
    found = contents(folder)
    assert set(found) == {"/dasha/camera/image_raw/compressed", "/dasha/perception/percept"}
    picture = found["/dasha/camera/image_raw/compressed"][0]
    assert picture.format == "mono8; jpeg compressed mono8"
    assert picture.header.stamp.sec == 1
    pixels = cv2.imdecode(np.asarray(picture.data), cv2.IMREAD_GRAYSCALE)
    assert np.abs(pixels.astype(int) - PIXELS).mean() < 8.0


def test_killed_recording_is_recovered(spawn: Spawner, probe: Probe, tmp_path: Path) -> None:
    robot = Robot(probe)
    folder = tmp_path / "rec"
    recorder = spawn.dasha("record", "-o", str(folder))
    robot.play(recorder, 5)

    def images() -> bool:
        robot.step()
        probe.spin(0.05)
        return sum(m.topic.endswith("image_raw") for m in Recording(folder).messages()) >= 5

    wait_for(images, "five pictures on the disk")
    recorder.kill()
    copy = tmp_path / "copy"
    recovering = spawn.dasha("record", "--recover", str(folder), "-o", str(copy))
    assert recovering.wait() == 0, recovering.output
    assert "rec_0.mcap ends unclosed" in recovering.output
    assert len(contents(copy)["/dasha/camera/image_raw"]) >= 5


def test_nothing_to_record_and_bad_orders_are_told(spawn: Spawner, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    cases = {
        ("--wait", "0.5"): (3, "no node publishes any topic in /dasha"),
        ("--images", "png"): (2, "--images 'png' is none of raw, jpeg and none"),
        ("-t", "a b"): (2, "'a b' is not a topic name"),
        ("--recover", str(tmp_path / "none")): (2, "there is no such file"),
    }
    replaying = spawn.dasha("replay", str(tmp_path / "none"))
    assert replaying.wait() == 2
    assert "there is no such file" in replaying.output
    for options, (code, sentence) in cases.items():
        child = spawn.dasha("record", "-o", str(tmp_path / "rec"), *options)
        assert child.wait() == code
        assert sentence in child.output
        assert "Traceback" not in child.output
    assert not (tmp_path / "rec").exists()


def test_definitions_hold_every_part_of_every_interface() -> None:
    """The library rosbags parses them and finds the fields that rclpy's classes have."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    from dasha_ros import msg
    from dasha_ros.ros.recording.schema import definition

    names = [name for name in dir(msg) if name[0].isupper()]
    assert "Percept" in names
    for name in names:
        store = get_typestore(Stores.EMPTY)
        kind = f"dasha_ros/msg/{name}"
        store.register(get_types_from_msg(definition(kind), kind))
        wanted = getattr(msg, name).get_fields_and_field_types()
        assert [field for field, _ in store.fielddefs[kind][1]] == list(wanted)


def test_a_graph_that_is_not_there_is_told_from_one_whose_neighbour_reports(
    spawn: Spawner, probe: Probe, tmp_path: Path
) -> None:
    """``/diagnostics`` belongs to every graph of the robot."""
    from diagnostic_msgs.msg import DiagnosticArray

    from dasha_ros.ros.transport import qos

    publisher = probe.node.create_publisher(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)
    folder = tmp_path / "rec"
    recorder = spawn.dasha("record", "-n", "/gone", "-o", str(folder), "--wait", "20")
    assert recorder.wait(90.0) == 3
    assert "no node publishes any topic in /gone" in recorder.output
    assert not folder.exists()
    probe.node.destroy_publisher(publisher)


def test_what_is_not_recorded_is_told(
    spawn: Spawner, probe: Probe, ros_env: dict[str, str], tmp_path: Path
) -> None:
    """A stranger publishes texts as pictures, another only listens with a wrong type, a name is mistyped."""
    from sensor_msgs.msg import Image
    from std_msgs.msg import String

    robot = Robot(probe)
    stranger = Probe(int(ros_env["ROS_DOMAIN_ID"]), "/stranger")
    try:
        stranger.node.create_publisher(String, "/dasha/camera/image_raw", 1)
        stranger.node.create_subscription(String, "/dasha/perception/percept", print, 1)
        folder = tmp_path / "rec"
        depth = probe.node.create_publisher(Image, "camera/depth", 1)
        names = ("camera/image_raw", "perception/percept", "lens/inof", "camera/depth")
        recorder = spawn.dasha(
            *("record", "-o", str(folder), "--images", "jpeg"), *(word for n in names for word in ("-t", n))
        )
        recorder.wait_for_output(
            "nodes publish /dasha/camera/image_raw with several types (sensor_msgs/msg/Image, "
            "std_msgs/msg/String), and at most one of them is recorded: stop the node that does not belong "
        )
        heard = (robot.percepts, depth)
        probe.until(lambda: all(each.get_subscription_count() == 1 for each in heard), "the recorder")
        depth.publish(Image(width=1, height=1, step=4, encoding="32FC1", data=bytes(4)))
        robot.percepts.publish(robot.msg.Percept(brisque=1.0))
        probe.spin(0.05)
        assert recorder.stop() == 0, recorder.output
        assert set(contents(folder)) == {"/dasha/perception/percept"}
        for topic, why in (
            ("camera/image_raw", "nodes publish it with several types"),
            ("lens/inof", "no node published it"),
        ):
            assert f"nothing of /dasha/{topic} is in it: {why}" in recorder.output
        assert "nothing of /dasha/perception/percept" not in recorder.output
        # That no JPEG has its encoding is told already.
        assert "nothing of /dasha/camera/depth" not in recorder.output
        assert "no JPEG has their encoding" in recorder.output
    finally:
        stranger.close()


@pytest.mark.parametrize(
    "topic", ["focus_on_object/_action/feedback", "perception/get_parameters/_service_event"]
)
def test_a_topic_that_no_recording_can_hold_is_refused_by_its_name(
    spawn: Spawner, tmp_path: Path, topic: str
) -> None:
    folder = tmp_path / "rec"
    recorder = spawn.dasha("record", "-o", str(folder), "-t", topic)
    assert recorder.wait() == 2
    assert f"/dasha/{topic} belongs to an action or a service" in recorder.output
    assert not folder.exists()
