"""The camera driver between two commands."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from graph import Graph
from in_process import Ears, in_process
from rclpy.parameter import Parameter
from ros_harness import PATIENCE_S, Child, command, wait_for

from dasha_ros.devices.camera import Frame, never
from dasha_ros.devices.errors import FrameIncomplete, OutOfRange
from dasha_ros.devices.fake.fake import FakeCamera
from dasha_ros.freshness.clock import ManualClock

pytestmark = [pytest.mark.graph, pytest.mark.slow]

PROGRAMS = Path(__file__).parents[1] / "programs"


def _start(graph: Graph, **parameters: Any) -> Child:
    script = PROGRAMS / "preview_camera_driver.py"
    graph.start("camera_driver", scripts={"camera_driver": script}, camera_driver=parameters)
    return graph.processes["camera_driver"]


def test_a_slow_preview_needs_no_stream_that_a_command_would_have_to_wait_for(bare_graph: Graph) -> None:
    driver = _start(bare_graph, preview_rate_hz=5.0)
    wait_for(lambda: driver.lines.count("capture 10000") >= 4, "four pictures of a preview")
    assert "start_preview" not in driver.lines


def test_a_command_that_comes_while_a_preview_starts_is_obeyed_first(bare_graph: Graph) -> None:
    # There is nothing to abort then. A forgotten abort would cost the wait for a preview frame.
    from dasha_ros import msg
    from dasha_ros.ros.transport import qos

    graph, probe = bare_graph, bare_graph.probe
    driver = _start(graph, preview_rate_hz=20.0)
    driver.wait_for_output("start_preview")
    publisher = probe.publisher(msg.ExposureCommand, "camera/exposure_command", qos.COMMAND)
    publisher.publish(command(msg.ExposureCommand, exposure_us=7_000.0))
    driver.wait_for_output("capture 7000")
    asked = [line for line in driver.lines if line.split()[0] in {"start_preview", "latest", "capture"}]
    assert asked[:3] == ["capture 10000", "start_preview", "capture 7000"]


def test_a_picture_with_known_settings_is_published_too(bare_graph: Graph) -> None:
    """It is published later than new settings, so that waiting nodes see that the lens has arrived."""
    from dasha_ros import msg
    from dasha_ros.ros.transport import qos

    graph, probe = bare_graph, bare_graph.probe
    graph.start("twin_world", "camera_driver", "lens_driver", camera_driver={"preview_rate_hz": 0.0})
    graph.until_active()
    states = probe.subscribe(msg.CaptureInfo, "camera/state", qos.STATE)
    lens = probe.subscribe(msg.LensState, "lens/state", qos.STATE)
    probe.until(lambda: states and lens, "the first picture and state")
    publisher = probe.publisher(msg.LensCommand, "lens/command", qos.COMMAND)
    for position in (41.0, 45.0, 43.0):
        publisher.publish(command(msg.LensCommand, position=position))
        probe.until(lambda position=position: lens[-1].commanded_position == position, "the lens to obey")
        probe.until(
            lambda: states[-1].lens_command == lens[-1].command,
            "the state of a picture that shows the move",
        )
    assert all(state.exposure_command.sequence == 0 for state in states)


class Beyond(FakeCamera):
    """Like the twin and pylon, it refuses what it can't do; its exposures take no time."""

    def __init__(self) -> None:
        super().__init__(ManualClock())
        self.aims: list[tuple[float, float]] = []

    def set_gain(self, gain_db: float) -> float:
        low, high = self.LIMITS_DB
        if not low <= gain_db <= high:
            raise OutOfRange(f"gain {gain_db!r} dB refused")
        return super().set_gain(gain_db)

    def capture(self, not_before_ns: int = 0, overtaken: Callable[[], bool] = never) -> Frame | None:
        self.aims.append((self._exposure_us, self._gain_db))
        return super().capture(0, overtaken)


@contextmanager
def _alone(camera: Callable[..., Any] | None, **parameters: Any) -> Iterator[Any]:
    """A driver in this process; with ``autostart=False`` it is not configured yet."""
    from dasha_ros.nodes import camera_driver

    with in_process(camera_driver, "CameraDriver", camera, **parameters) as driver:
        driver.start()
        yield driver


def _told(driver: Any, words: str) -> None:
    wait_for(
        lambda: words in driver.health.status().sentence,
        f"{words!r}; it says {driver.health.status().sentence!r}",
    )


def test_a_driver_that_can_not_be_configured_says_only_why(
    ros_env: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from dasha_ros.devices.pylon.lens_port import LensPortServer
    from dasha_ros.nodes import camera_driver
    from dasha_ros.ros.node.condition import Level

    port = LensPortServer(tmp_path / ("x" * 120), None)
    monkeypatch.setattr(camera_driver, "lens_port", lambda config, camera: port)
    with in_process(camera_driver, "CameraDriver", lambda *_: FakeCamera(ManualClock())) as driver:
        driver.start()
        status = driver.health.status()
        assert status.level == Level.ERROR
        assert status.sentence.startswith("camera_driver could not configure: the path of the socket")
        assert "could not clean up" not in status.sentence


def test_settings_beyond_the_camera_are_clipped_and_reported(ros_env: dict[str, str]) -> None:
    from dasha_ros import msg
    from dasha_ros.ros.node.condition import Level

    camera = Beyond()
    camera.LIMITS_DB = (0.0, 12.0)
    parameters = {"gain_db": 36.0, "initial_exposure_us": 1e7}
    with _alone(lambda config, clock, node: camera, **parameters) as driver:
        wait_for(lambda: camera.aims, "a picture")
        assert camera.aims[0] == (1e6, 12.0)
        _told(driver, "gain_db is 36 dB, but this camera has at most 12 dB")
        beyond = "the exposure is 1e+07 us, but this camera uses 3.98107e+06 us, gain included"
        assert beyond in driver.health.status().sentence
        assert driver.health.status().level == Level.WARN
        # As if it had been admitted before the camera's limits were known.
        driver._commands.gate.high = 1e7
        driver._on_command(command(msg.ExposureCommand, exposure_us=9.5e6))
        _told(driver, "the exposure is 9.5e+06 us")
        driver._on_command(command(msg.ExposureCommand, exposure_us=5_000.0))
        assert driver.set_parameters([Parameter("gain_db", value=6.0)])[0].successful
        _told(driver, "64x48 mono8")
        assert driver.health.status().level == Level.OK
        wait_for(lambda: camera.aims[-1] == (5_000.0, 6.0), "a picture of the new settings")
        driver._on_command(command(msg.ExposureCommand, exposure_us=3e6))
        gain_db = pytest.approx(20.0 * math.log10(3.0))
        wait_for(lambda: camera.aims[-1] == (1e6, gain_db), "gain where the exposure ends")
        assert driver.health._counts["device_errors"] == 0


def test_a_gain_that_the_open_camera_does_not_have_is_refused(ros_env: dict[str, str]) -> None:
    camera = Beyond()
    with _alone(lambda config, clock, node: camera) as driver:
        wait_for(lambda: camera.aims, "a picture")
        answer = driver.set_parameters([Parameter("gain_db", value=30.0)])[0]
        assert not answer.successful
        assert answer.reason == "gain_db = 30.0: this camera has at most 24 dB"
        assert driver.set_parameters([Parameter("gain_db", value=24)])[0].successful
        driver.deactivate()
        assert driver.set_parameters([Parameter("gain_db", value=30.0)])[0].successful


def test_a_command_that_comes_as_an_exposure_begins_aborts_it(ros_env: dict[str, str]) -> None:
    from dasha_ros import msg

    class Surprised(Beyond):
        """A new command arrives at the moment of the first picture."""

        driver: Any = None

        def capture(self, not_before_ns: int = 0, overtaken: Callable[[], bool] = never) -> Frame | None:
            if len(self.aims) == 1:
                self.driver._on_command(command(msg.ExposureCommand, exposure_us=7_000.0))
            return super().capture(not_before_ns, overtaken)

    camera = Surprised()
    with _alone(lambda config, clock, node: camera, autostart=False, preview_rate_hz=0.0) as driver:
        camera.driver = driver
        published = Ears()
        driver.trigger_configure()
        driver._topics.capture = published
        driver.trigger_activate()
        published.until(lambda capture: capture.exposure_us == 10_000.0, "the first picture")
        driver._on_command(command(msg.ExposureCommand, exposure_us=6_000.0))
        published.until(lambda capture: capture.exposure_us == 7_000.0, "the picture of the newest command")
        assert [capture.exposure_us for capture in published.heard] == [10_000.0, 7_000.0]
        assert camera.taken == 2


@pytest.mark.parametrize(("owner", "active_us"), [("", 6_000.0), ("/dasha/focus_server", 10_000.0)])
def test_the_last_state_is_what_the_camera_was_left_with(
    ros_env: dict[str, str], owner: str, active_us: float
) -> None:
    """Also if a command came so late that no picture was taken with it."""
    from dasha_ros import msg

    class Slow(Beyond):
        """After its first picture it takes no other."""

        def capture(self, not_before_ns: int = 0, overtaken: Callable[[], bool] = never) -> Frame | None:
            return None if self.aims else super().capture(not_before_ns, overtaken)

    camera = Slow()
    with _alone(lambda config, clock, node: camera, autostart=False, preview_rate_hz=0.0) as driver:
        states = Ears()
        driver.trigger_configure()
        driver._topics.state_publisher = states
        driver.trigger_activate()
        states.until(lambda state: state.exposure_us == 10_000.0, "the first picture")
        late = command(msg.ExposureCommand, exposure_us=6_000.0, owner=owner)
        driver._on_command(late)
        driver.deactivate()
        assert states.heard[-1].exposure_us == camera._exposure_us == active_us
        assert (states.heard[-1].exposure_command == late.id) == (not owner)
        assert (states.heard[-1].exposure_command.sender == driver._commands.instance) == bool(owner)


def test_a_twin_camera_waits_for_its_world(ros_env: dict[str, str]) -> None:
    from dasha_ros import msg

    with _alone(None, width=128, height=64, autostart=False) as driver:
        waits: list[float] = []
        looked = threading.Event()
        wait = driver._job.changed.wait

        def waiting(timeout: float) -> bool:
            waits.append(timeout)
            looked.set()
            return bool(wait(timeout))

        driver.trigger_configure()
        captures = Ears()
        driver._topics.capture = captures
        driver._job.changed.wait = waiting
        driver.trigger_activate()
        assert looked.wait(PATIENCE_S)
        driver._twin._world._on_world(msg.TwinWorld(scene="motorcycle_street", illuminance_lx=100.0))
        wait_for(lambda: len(waits) > 1, "a look at the world")
        # A picture is due, but the lens is still unknown.
        assert min(waits) > 0.0
        driver._twin._on_lens(msg.TwinLens(time_constant_s=0.02))
        captures.until(lambda capture: True, "a picture")


def test_pictures_are_counted_since_the_driver_was_configured(ros_env: dict[str, str]) -> None:
    from dasha_ros import msg

    camera = Beyond()
    with _alone(lambda config, clock, node: camera, autostart=False) as driver:
        for _ in range(2):
            driver.trigger_configure()
            captures = Ears()
            driver._topics.capture = captures
            driver.trigger_activate()
            captures.until(lambda capture: True, "a picture")
            assert captures.heard[0].sequence == 0
            driver._on_command(command(msg.ExposureCommand, exposure_us=5_000.0))
            captures.until(lambda capture: capture.exposure_us == 5_000.0, "the command's picture")
            assert driver._commands.gate.admitted == 1
            driver.trigger_deactivate()
            driver.trigger_cleanup()


def test_a_damaged_frame_does_not_clear_the_warning_of_a_clipped_gain(ros_env: dict[str, str]) -> None:
    from dasha_ros import msg

    camera = Beyond()
    with _alone(lambda config, clock, node: camera, gain_db=36.0) as driver:
        clipped = "gain_db is 36 dB, but this camera has at most 24 dB"
        _told(driver, clipped)
        seen = len(camera.aims)
        camera.failures.fail_next("capture", FrameIncomplete("damaged"))
        driver._on_command(command(msg.ExposureCommand, exposure_us=5_000.0))
        wait_for(lambda: driver.health.values().get("device_errors") == 1, "the damaged frame")
        wait_for(lambda: len(camera.aims) > seen + 1, "the next picture")
        wait_for(
            lambda: driver.health.status().sentence == clipped, "the gain to be told of, and nothing else"
        )
        wait_for(lambda: driver.health.values().get("exposure_us") == 5_000.0, "the exposure of now")
        assert driver.health.values()["gain_db"] == 24.0


def test_a_calibration_is_set_published_and_loaded_again(bare_graph: Graph, tmp_path: Path) -> None:
    from sensor_msgs.msg import CameraInfo
    from sensor_msgs.srv import SetCameraInfo

    from dasha_ros.ros.transport import qos

    graph, probe = bare_graph, bare_graph.probe
    url = f"file://{tmp_path}/calibrations/mine.yaml"
    graph.start("twin_world", "camera_driver", "lens_driver")
    infos = probe.subscribe(CameraInfo, "camera/camera_info", qos.CAPTURE)
    graph.until_active()
    probe.until(lambda: infos and infos[-1].k[0] > 0.0, "the twin's own intrinsics")
    assert (infos[-1].width, infos[-1].k[2]) == (640, 319.5)
    graph.processes["camera_driver"].stop()

    graph.start("camera_driver", camera_driver={"camera_info_url": url})
    graph.until_active("camera_driver")
    infos.clear()
    probe.until(lambda: infos, "what the driver says without the file")
    assert not any(infos[-1].k)
    wanted = CameraInfo(width=640, height=340, distortion_model="plumb_bob", d=[0.1, 0.0, 0.0, 0.0, 0.0])
    wanted.k = [500.0, 0.0, 320.0, 0.0, 510.0, 170.0, 0.0, 0.0, 1.0]
    wanted.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    wanted.p = [500.0, 0.0, 320.0, 0.0, 0.0, 510.0, 170.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    answer = probe.call(SetCameraInfo, "camera/set_camera_info", SetCameraInfo.Request(camera_info=wanted))
    assert answer.success, answer.status_message
    probe.until(lambda: list(infos[-1].k) == list(wanted.k), "the calibration to be published")
    graph.processes["camera_driver"].stop()

    infos.clear()
    graph.start("camera_driver", camera_driver={"camera_info_url": url})
    probe.until(lambda: infos and list(infos[-1].d) == list(wanted.d), "the calibration that was kept")
