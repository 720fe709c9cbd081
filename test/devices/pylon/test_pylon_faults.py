"""The pylon back end when things go wrong: one test for each trouble that users of drivers report."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from pylon_studio import PylonStudio

from dasha_ros.devices.errors import DeviceError, DeviceLost, DeviceTimeout, FrameIncomplete


def test_a_missed_frame_never_answers_the_next_trigger(studio: PylonStudio) -> None:
    studio.bench.swallowed_triggers = 1
    with pytest.raises(DeviceTimeout, match=r"no frame within 0\.301 s"):
        studio.capture()
    for _ in range(5):
        assert studio.is_fresh(studio.capture())
    assert studio.camera.counts["timeouts"] == 1


def test_damaged_frames_are_counted_and_no_loss(studio: PylonStudio) -> None:
    # Peers: a transient error latched as removal.
    studio.capture()
    studio.bench.damage_frames(2)
    for _ in range(2):
        with pytest.raises(FrameIncomplete, match="larger packets"):
            studio.capture()
    assert studio.is_fresh(studio.capture())
    assert studio.camera.counts["incomplete"] == 2


def test_a_silent_camera_is_lost_and_comes_back(studio: PylonStudio) -> None:
    # Peers: alive but silent after a re-plug.
    studio.bench.swallowed_triggers = 3
    for _ in range(2):
        with pytest.raises(DeviceTimeout):
            studio.capture()
    with pytest.raises(DeviceLost, match="3 times in a row: it is there but silent"):
        studio.capture()
    studio.camera.open()
    assert studio.is_fresh(studio.capture())


def test_a_camera_that_goes_silent_in_a_preview_is_lost_and_comes_back(
    make_studio: Callable[..., PylonStudio],
) -> None:
    studio = make_studio(margin_s=0.02, silent_frames=2)
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


def test_a_dead_stream_is_started_again(studio: PylonStudio) -> None:
    studio.capture()
    studio.bench.kill_stream()
    with pytest.raises(DeviceError, match="while taking a picture: the stream broke down") as caught:
        studio.capture()
    assert type(caught.value) is DeviceError  # the camera is still there: no need to open it again
    assert studio.is_fresh(studio.capture())


@pytest.mark.parametrize("announced", [True, False])
def test_a_removed_camera_is_lost_also_when_pylon_misses_it(studio: PylonStudio, announced: bool) -> None:
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


def test_a_removal_within_an_exposure_ends_it(studio: PylonStudio) -> None:
    studio.camera.set_exposure(3_000_000.0)
    timer = threading.Timer(0.05, studio.bench.unplug)
    timer.start()
    with pytest.raises(DeviceLost, match="removed"):
        studio.capture()
    timer.join()


def test_a_camera_in_use_elsewhere_says_so(make_studio: Callable[..., PylonStudio]) -> None:
    studio = make_studio()
    studio.bench.held = True
    with pytest.raises(DeviceLost, match="another process holds it: stop that process"):
        studio.camera.open()
    studio.bench.held = False
    studio.camera.open()
    assert studio.is_fresh(studio.capture())


def test_another_camera_in_its_place_is_not_taken(studio: PylonStudio) -> None:
    studio.bench.unplug()
    with pytest.raises(DeviceLost):
        studio.capture()
    studio.bench.serial_number = "4711"
    studio.bench.plug()
    with pytest.raises(DeviceLost, match=r"no camera '0815-0000' is there .pylon sees: Emulation 4711."):
        studio.camera.open()
    studio.bench.serial_number = ""
    studio.camera.open()
    assert studio.is_fresh(studio.capture())


def test_only_the_camera_that_was_lost_is_taken_again(
    studio: PylonStudio, monkeypatch: pytest.MonkeyPatch
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
    studio: PylonStudio, monkeypatch: pytest.MonkeyPatch
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


class Untouchable:
    """A camera that a callback must leave alone."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a callback of the SDK used {name}")


def test_a_callback_of_the_sdk_only_sets_a_flag(studio: PylonStudio) -> None:
    [handler] = studio.camera._camera._handlers
    handler.OnCameraDeviceRemoved(Untouchable())
    with pytest.raises(DeviceLost, match="0815-0000 was removed"):
        studio.capture()
    studio.camera.open()
    assert studio.is_fresh(studio.capture())
