"""The port to a camera node in another process."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from ros_harness import Child, Probe, Spawner, wait_for
from webcam_in_memory import told

pytest.importorskip("rclpy")

from rclpy.qos import ReliabilityPolicy

from dasha_ros.devices.errors import DeviceError, DeviceLost, DeviceTimeout
from dasha_ros.ros.driver.camera import DriverCamera, DriverSettings
from dasha_ros.ros.driver.lens import DriverLens
from dasha_ros.ros.driver.ros_port import RosDriverPort
from dasha_ros.ros.driver.table import driver_named
from dasha_ros.ros.transport.stamps import RosClock

NODE = Path(__file__).resolve().parents[2] / "nodes" / "programs" / "scripted_camera_node.py"
DRIVER = driver_named("camera_ros")
HALF_A_PERIOD_NS = 100_000_000


@dataclass
class Bench:
    probe: Probe
    spawn: Spawner

    def __post_init__(self) -> None:
        self.clock = RosClock(self.probe.node.get_clock())
        self.camera = DriverCamera(DRIVER, DriverSettings(), self.port, self.clock.steady)
        self.lens = DriverLens(DRIVER, self.port, clock=self.clock.steady)

    def port(self) -> RosDriverPort:
        return RosDriverPort(self.probe.node, self.clock, DRIVER)

    def start(self, **script: object) -> Child:
        child = self.spawn(sys.executable, str(NODE), json.dumps(script))
        child.wait_for_output("the scripted camera runs")
        graph = self.probe.node
        self.probe.until(lambda: ("camera", "/") in graph.get_node_names_and_namespaces(), "the driver")
        return child

    def capture_for_ever(self) -> None:
        while True:
            with suppress(DeviceTimeout):
                self.camera.capture()


@pytest.fixture
def bench(probe: Probe, spawn: Spawner) -> Iterator[Bench]:
    bench = Bench(probe, spawn)
    yield bench
    bench.camera.close()
    bench.lens.close()


@pytest.mark.parametrize("has_metadata", [True, False])
def test_every_frame_was_made_by_what_was_set(bench: Bench, has_metadata: bool) -> None:
    bench.start(lag=3, focus_lag=3, has_metadata=has_metadata)
    limits = bench.camera.open()
    assert (limits.exposure_min_us, limits.exposure_max_us) == (100.0, 200_000.0)
    assert (limits.width, limits.height, limits.encoding) == (64, 48, "mono8")
    assert bench.lens.open().position == 1.0
    for number in range(1, 8):
        assert bench.camera.set_exposure(1_000.0 * number) == 1_000.0 * number
        reading = bench.lens.move(number / 2.0)
        rest_ns = bench.clock.steady.now_ns() + round(reading.settle_s * 1e9)
        asked_ns = bench.clock.steady.now_ns()
        frame = bench.camera.capture(rest_ns)
        assert told(frame.pixels) == (10 * number, pytest.approx(number / 2.0, abs=0.02))
        assert frame.exposure_us == 1_000.0 * number
        assert frame.begun_ns >= asked_ns
    source = bench.camera.describe()["frames told by"]
    assert source.startswith("their metadata" if has_metadata else "counting the lag")


def test_no_driver_another_topic_and_a_refusal_are_told(bench: Bench) -> None:
    with pytest.raises(DeviceLost, match=r"no node /camera is there: start the driver \(ros2 run camera_ros"):
        bench.camera.open()
    bench.start(refuse=["ExposureTime"])
    with pytest.raises(
        DeviceLost, match=r"refused ExposureTime = 10000: parameter 'ExposureTime' cannot be set"
    ):
        bench.camera.open()
    port = RosDriverPort(bench.probe.node, bench.clock, DRIVER, "", "/elsewhere")
    with pytest.raises(DeviceLost, match=r"on /elsewhere: .* Pictures are published on /camera/image_raw"):
        port.start()
    with pytest.raises(DeviceError, match="refused ExposureTime = 'long'"):
        port.set({"ExposureTime": "long"})
    assert port.parameters(["ExposureTime", "Vanished"]).keys() == {"ExposureTime"}
    port.close()


def test_compressed_pictures_are_taken_where_their_topic_is_named(bench: Bench) -> None:
    bench.start(lag=1)
    topic = "/camera/image_raw/compressed"
    make_port = partial(RosDriverPort, bench.probe.node, bench.clock, DRIVER, "", topic)
    camera = DriverCamera(DRIVER, DriverSettings(), make_port, bench.clock.steady)
    try:
        assert camera.open().encoding == "mono8"
        for exposure_us in (5_000.0, 20_000.0):
            camera.set_exposure(exposure_us)
            assert told(camera.capture().pixels)[0] == exposure_us / 100.0
    finally:
        camera.close()


def test_a_driver_that_is_restarted_is_noticed_and_gets_its_settings_again(bench: Bench) -> None:
    child = bench.start()
    bench.camera.open()
    bench.camera.set_exposure(5_000.0)
    assert told(bench.camera.capture().pixels)[0] == 50
    child.kill()
    bench.start()
    with pytest.raises(DeviceLost):
        # Until its publisher is known, the dead one's may still count.
        bench.capture_for_ever()
    bench.camera.open()
    assert told(bench.camera.capture().pixels)[0] == 50
    assert bench.camera.capture().exposure_us == 5_000.0


@pytest.mark.parametrize("reliable", [True, False])
def test_pictures_are_heard_as_they_are_offered(bench: Bench, reliable: bool) -> None:
    bench.start(reliable=reliable)
    port = bench.port()
    port.start()
    assert port.next(10.0, lambda: False) is not None
    (subscription,) = bench.probe.node.get_subscriptions_info_by_topic(port.image_topic)
    assert (subscription.qos_profile.reliability is ReliabilityPolicy.RELIABLE) == reliable
    port.close()


def test_of_a_usual_drivers_large_pictures_none_is_lost(bench: Bench) -> None:
    """They do not fit into the shared memory that Fast DDS gives it, so most of them are lost at first."""
    child = bench.start(height=720, width=1280, rate_hz=5.0, says_stamps=True)
    port = bench.port()
    port.start()
    heard = [port.next(10.0, lambda: False) for _ in range(20)]
    port.close()
    offset_ns = bench.clock.now_ns() - bench.clock.steady.now_ns()

    def stamps_with_a_later_one() -> list[int]:
        """What the driver has printed, once it has printed more than was heard: its output may come late."""
        stamps = [int(line) - offset_ns for line in list(child.lines) if line.isdigit()]
        return stamps if stamps and stamps[-1] > heard[-1].stamp_ns + HALF_A_PERIOD_NS else []

    stamps = wait_for(stamps_with_a_later_one, "the stamps of all pictures that were heard")
    places = [min(range(len(stamps)), key=lambda n: abs(stamps[n] - picture.stamp_ns)) for picture in heard]
    assert places == list(range(places[0], places[0] + 20))
