"""The pylon back end through pylon's emulator, one test for each trouble that users of drivers report."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from dasha_ros.devices.camera import Frame
from dasha_ros.devices.errors import DeviceError, DeviceLost, DeviceTimeout, FrameIncomplete, OutOfRange
from dasha_ros.devices.preview import PreviewCamera
from dasha_ros.devices.pylon import PylonCamera, PylonSettings
from dasha_ros.emulators.camera import PictureFeed
from dasha_ros.emulators.camera_bench import CameraBench

HEIGHT, WIDTH = 48, 64


class Studio:
    """A camera on a bench; every picture says how often one was painted, and with which exposure."""

    def __init__(self, **settings: Any) -> None:
        self.bench = CameraBench()
        self.painted: list[float] = []
        self.feed = PictureFeed(self._paint)
        options = {"width": WIDTH, "height": HEIGHT, "exposure_us": 1_000.0, "margin_s": 0.3} | settings
        self.camera = PylonCamera(PylonSettings(**options), attach=self.bench.attach, listener=self.feed)

    def _paint(self, exposure_us: float, gain_db: float) -> np.ndarray:
        self.painted.append(exposure_us)
        return np.full((HEIGHT, WIDTH), len(self.painted) % 256, np.uint8)

    def capture(self) -> Frame:
        frame = self.camera.capture()
        assert frame is not None
        return frame

    def is_fresh(self, frame: Frame) -> bool:
        return bool((frame.pixels == len(self.painted) % 256).all()) and frame.exposure_us == self.painted[-1]


@pytest.fixture
def studio() -> Iterator[Studio]:
    made = Studio()
    made.camera.open()
    yield made
    made.camera.close()
    made.feed.close()


def test_every_frame_is_the_picture_of_its_own_exposure(studio: Studio) -> None:
    # Peers: the new exposure shows 2 to 6 frames later.
    for step in range(30):
        studio.camera.set_exposure(200.0 + 100 * (step % 7))
        assert studio.is_fresh(studio.capture())


def test_a_dark_scene_gets_its_time(studio: Studio) -> None:
    # Peers: a fixed grab timeout of 500 ms breaks dark scenes.
    studio.camera.set_exposure(700_000.0)
    assert studio.capture().exposure_us == 700_000.0


def test_a_missed_frame_never_answers_the_next_trigger(studio: Studio) -> None:
    studio.bench.swallowed_triggers = 1
    with pytest.raises(DeviceTimeout, match=r"no frame within 0\.301 s"):
        studio.capture()
    for _ in range(5):
        assert studio.is_fresh(studio.capture())
    assert studio.camera.counts["timeouts"] == 1


def test_an_aborted_exposure_never_answers_the_next_trigger(studio: Studio) -> None:
    studio.camera.set_exposure(1_000_000.0)
    done = threading.Event()

    def insist() -> None:
        while not done.wait(0.02):
            studio.camera.abort()

    thread = threading.Thread(target=insist)
    thread.start()
    assert studio.camera.capture() is None
    done.set()
    thread.join()
    studio.camera.set_exposure(1_000.0)
    assert studio.is_fresh(studio.capture())


def test_damaged_frames_are_counted_and_no_loss(studio: Studio) -> None:
    # Peers: a transient error latched as removal.
    studio.capture()
    studio.bench.damage_frames(2)
    for _ in range(2):
        with pytest.raises(FrameIncomplete, match="larger packets"):
            studio.capture()
    assert studio.is_fresh(studio.capture())
    assert studio.camera.counts["incomplete"] == 2


def test_a_silent_camera_is_lost_and_comes_back(studio: Studio) -> None:
    # Peers: alive but silent after a re-plug.
    studio.bench.swallowed_triggers = 3
    for _ in range(2):
        with pytest.raises(DeviceTimeout):
            studio.capture()
    with pytest.raises(DeviceLost, match="3 times in a row: it is there but silent"):
        studio.capture()
    studio.camera.open()
    assert studio.is_fresh(studio.capture())


def test_a_camera_that_goes_silent_in_a_preview_is_lost_and_comes_back() -> None:
    studio = Studio(margin_s=0.02, silent_frames=2)
    studio.camera.open()
    studio.camera.start_preview(100.0)
    assert studio.camera.latest(1.0) is not None
    studio.bench.mute = True
    with pytest.raises(DeviceLost, match="of its preview: it is there but silent"):
        studio.camera.latest(1.0)
    studio.bench.mute = False
    studio.camera.open()
    studio.camera.start_preview(100.0)
    assert studio.camera.latest(1.0) is not None
    studio.camera.close()
    studio.feed.close()


def test_a_dead_stream_is_started_again(studio: Studio) -> None:
    studio.capture()
    studio.bench.kill_stream()
    with pytest.raises(DeviceError, match="while taking a picture: the stream broke down") as caught:
        studio.capture()
    assert type(caught.value) is DeviceError  # the camera is still there: no need to open it again
    assert studio.is_fresh(studio.capture())


@pytest.mark.parametrize("announced", [True, False])
def test_a_removed_camera_is_lost_also_when_pylon_misses_it(studio: Studio, announced: bool) -> None:
    # Peers: the removal event is missed and calls hang.
    studio.camera.set_exposure(2_500.0)
    studio.camera.set_gain(6.0)
    studio.bench.announces_removal = announced
    studio.bench.unplug()
    if not announced:
        for _ in range(studio.camera.settings.silent_frames - 1):
            with pytest.raises(DeviceTimeout):
                studio.capture()
    with pytest.raises(DeviceLost):
        studio.capture()
    with pytest.raises(DeviceLost, match=r"no camera '0815-0000' is there"):
        studio.camera.open()
    studio.bench.plug()
    # Peers: after a loss of power the parameters are not applied again.
    studio.camera.open()
    frame = studio.capture()
    assert studio.is_fresh(frame)
    assert frame.exposure_us == 2_500.0
    assert frame.gain_db == pytest.approx(6.0, abs=0.05)


def test_a_removal_within_an_exposure_ends_it(studio: Studio) -> None:
    studio.camera.set_exposure(3_000_000.0)
    timer = threading.Timer(0.05, studio.bench.unplug)
    timer.start()
    with pytest.raises(DeviceLost, match="removed"):
        studio.capture()
    timer.join()


def test_a_camera_in_use_elsewhere_says_so() -> None:
    studio = Studio()
    studio.bench.held = True
    with pytest.raises(DeviceLost, match="another process holds it: stop that process"):
        studio.camera.open()
    studio.bench.held = False
    studio.camera.open()
    assert studio.is_fresh(studio.capture())
    studio.camera.close()
    studio.feed.close()


def test_only_the_camera_that_was_lost_is_taken_again(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    original = studio.bench.attach

    def attach(address: str) -> Any:
        asked.append(address)
        return original(address)

    monkeypatch.setattr(studio.camera, "_attach", attach)
    studio.camera.open()
    assert asked == ["0815-0000"]


def test_a_setting_that_the_camera_refuses_is_no_loss(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pypylon import genicam

    def refuse(exposure_us: float) -> float:
        raise genicam.AccessException("Node is not writable.")

    monkeypatch.setattr(studio.camera._device, "set_exposure", refuse)
    with pytest.raises(DeviceError, match="error while setting the exposure: Node is not writable") as caught:
        studio.camera.set_exposure(2_000.0)
    assert type(caught.value) is DeviceError
    monkeypatch.undo()
    assert studio.capture().exposure_us == 1_000.0


def test_automatic_exposure_and_gain_are_off(studio: Studio) -> None:
    # Peers: auto exposure accepted and ignored. Here nobody is fooled: what is set is what is.
    camera = studio.bench.attach("")
    camera.Open()
    camera.real.ExposureAuto.Value = "Continuous"
    camera.Close()
    camera.DestroyDevice()
    studio.camera.open()
    node_map = studio.camera._device.node_map
    assert node_map.GetNode("ExposureAuto").GetValue() == "Off"
    assert node_map.GetNode("GainAuto").GetValue() == "Off"


def test_limits_come_from_the_node_that_counts(studio: Studio) -> None:
    limits = studio.camera.open()
    # The emulator's ExposureTime would say 1 to 10,000,000.
    assert (limits.exposure_min_us, limits.exposure_max_us) == (100.0, 3_000_000.0)
    assert (limits.width, limits.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"width": 100_000}, "width 100000 px is more"),
        ({"encoding": "jpeg"}, "'jpeg' is not one of"),
    ],
)
def test_impossible_settings_are_refused_on_opening(settings: dict[str, Any], words: str) -> None:
    studio = Studio(**settings)
    with pytest.raises(OutOfRange, match=words):
        studio.camera.open()
    with pytest.raises(DeviceLost, match="not open"):
        studio.capture()
    studio.feed.close()


def test_settings_reach_the_camera() -> None:
    studio = Studio(binning=2, packet_size=9000, offset=(8, 4), gain_db=3.0)
    studio.camera.open()
    described = studio.camera.describe()
    assert described["region"] == f"{WIDTH}x{HEIGHT}+8+4"
    assert described["packet_size"] == 9000
    assert described["gain_db"] == pytest.approx(3.0, abs=0.05)
    assert studio.camera._device.node_map.GetNode("BinningHorizontal").GetValue() == 2
    studio.camera.close()
    studio.feed.close()


def test_a_preview_gives_the_newest_frame_and_then_steps_again(studio: Studio) -> None:
    assert isinstance(studio.camera, PreviewCamera)
    assert studio.camera.start_preview(100.0) == pytest.approx(100.0)
    stamps = [studio.camera.latest(1.0).stamp_ns for _ in range(10)]
    assert stamps == sorted(set(stamps))
    assert studio.is_fresh(studio.capture())  # ends the preview
    with pytest.raises(DeviceError, match="no preview is running"):
        studio.camera.latest(1.0)
    studio.camera.start_preview()
    studio.camera.stop_preview()
    studio.camera.stop_preview()


def test_a_preview_drops_what_nobody_fetched(studio: Studio) -> None:
    studio.camera.start_preview(200.0)
    clock = studio.camera._clock
    studio.camera.latest(1.0)
    resume_ns = clock.now_ns() + 200_000_000
    clock.wait_until(resume_ns)
    # Forty frames came meanwhile; the one fetched now must not be an old one. Its stamp is an
    # estimate from its arrival, so count instead: at most one frame waits.
    studio.camera.latest(1.0)
    assert studio.camera._stream.discard() <= 1


def test_a_setting_changed_in_a_preview_makes_the_very_next_frame(studio: Studio) -> None:
    studio.camera.start_preview(100.0)
    studio.camera.latest(1.0)
    studio.camera.set_exposure(5_000.0)
    assert studio.camera.latest(1.0).exposure_us == 5_000.0
    assert studio.painted[-1] == 5_000.0


def test_an_abort_ends_the_wait_for_a_preview(studio: Studio) -> None:
    studio.camera.start_preview(0.5)
    studio.camera.latest(1.0)
    done = threading.Event()

    def insist() -> None:
        while not done.wait(0.02):
            studio.camera.abort()

    thread = threading.Thread(target=insist)
    thread.start()
    assert studio.camera.latest(60.0) is None
    done.set()
    thread.join()
