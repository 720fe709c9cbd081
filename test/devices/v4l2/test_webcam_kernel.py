"""The back end on the emulated webcam through Linux's own driver; `scripts/test-webcam` runs these."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import numpy as np
import pytest
from kernel_webcam import KernelWebcam, until

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.lag.latency import Latency, write_latency
from dasha_ros.devices.lag.measurement import measure
from dasha_ros.devices.v4l2.camera import WebcamCamera, WebcamSettings
from dasha_ros.devices.v4l2.device import WebcamAccess
from dasha_ros.devices.v4l2.discovery import list_webcams
from dasha_ros.devices.v4l2.lag_bench import WebcamLagBench
from dasha_ros.devices.v4l2.lens import WebcamLens
from dasha_ros.freshness.clock import SteadyClock

pytestmark = pytest.mark.webcam
STEPS = 60
DARK_US, BRIGHT_US = 1_000.0, 20_000.0


@pytest.fixture
def device(kernel_webcam: KernelWebcam) -> KernelWebcam:
    """The webcam, freshly plugged in."""
    kernel_webcam("accept")
    kernel_webcam("set exposure_lag=2 focus_lag=2 focus_time_constant_s=0.05 focus_play=2.5")
    kernel_webcam.unplug()
    kernel_webcam.plug()
    return kernel_webcam


def camera(folder: Path, **settings: object) -> WebcamCamera:
    # A guest may be slow; nothing here is about how fast a frame comes.
    return WebcamCamera(WebcamSettings(margin_s=30.0, **settings), access=WebcamAccess(folder=folder))


def lens(folder: Path, **settings: str) -> WebcamLens:
    return WebcamLens(access=WebcamAccess(folder=folder), **settings)


def test_the_kernel_tells_who_the_device_is(device: KernelWebcam) -> None:
    (found,) = list_webcams()
    assert (found.name, found.usb_id, found.serial_number) == ("Emulated webcam", "1d6b:0102", "E1")
    assert found.bus


@pytest.mark.parametrize("pixels", ["GREY", "YUYV", "MJPG"])
@pytest.mark.parametrize("encoding", ["mono8", "rgb8"])
def test_every_format_shows_the_same_picture(
    device: KernelWebcam, tmp_path: Path, pixels: str, encoding: str
) -> None:
    pictures = []
    for name in ("GREY", pixels):
        eye = camera(tmp_path, pixels=name, encoding=encoding)
        eye.open()
        eye.set_exposure(10_000.0)
        pictures.append(eye.capture().pixels.astype(float))
        eye.close()
    grey, other = pictures
    assert grey.shape == other.shape
    if pixels == "YUYV" and encoding == "rgb8":
        # The emulated sensor is grey and its YUYV has no headroom; the kernel's user stretches it.
        grey = np.clip((grey - 16.0) * 255.0 / 219.0, 0, 255)
    assert np.abs(grey - other).mean() < 4.0


def test_no_stale_frame_through_the_driver(device: KernelWebcam, tmp_path: Path) -> None:
    for lag in (0, 4):
        device(f"set exposure_lag={lag} focus_lag={lag} focus_time_constant_s=0 focus_play=0")
        path = tmp_path / "latency.yaml"
        write_latency(path, Latency(list_webcams()[0].model, lag + 1, lag + 1, 1 / 60))
        eye, motor = camera(tmp_path, latency=str(path)), lens(tmp_path, latency=str(path))
        eye.open()
        motor.open()
        rng = random.Random(lag)
        eye.set_exposure(DARK_US)
        dark = eye.capture().pixels.mean()
        eye.set_exposure(BRIGHT_US)
        bright = eye.capture().pixels.mean()
        assert bright > dark + 20
        for _ in range(STEPS // 2):
            wanted = rng.choice((DARK_US, BRIGHT_US))
            eye.set_exposure(wanted)
            mean = eye.capture().pixels.mean()
            assert (abs(mean - bright) < abs(mean - dark)) == (wanted == BRIGHT_US)
        eye.close()
        motor.close()


def test_the_measured_lag_is_the_devices(device: KernelWebcam, tmp_path: Path) -> None:
    device("set exposure_lag=3")
    with WebcamLagBench(access=WebcamAccess(folder=tmp_path)) as bench:
        latency = measure(bench, SteadyClock(), lambda *_: None, with_focus=False)
    assert latency.model == list_webcams()[0].model
    # The frame on its way, and the one that the driver had not handed over yet.
    assert 3 <= latency.exposure_frames <= 5


def test_automatics_come_back_and_survive_a_kill(device: KernelWebcam, tmp_path: Path) -> None:
    before = device.controls
    child = os.fork()
    if child == 0:
        lens(tmp_path).open()
        os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert device.controls["auto_focus"] == 0
    motor, eye = lens(tmp_path), camera(tmp_path)
    motor.open()
    eye.open()
    assert device.controls["auto_exposure"] == 1
    motor.close()
    eye.close()
    assert device.controls == before


def test_only_one_program_streams(device: KernelWebcam, tmp_path: Path) -> None:
    first, second = camera(tmp_path / "one"), camera(tmp_path / "two")
    first.open()
    with pytest.raises(DeviceLost, match="another program uses"):
        second.open()
    first.close()
    second.open()
    assert second.capture() is not None
    second.close()


def test_a_refused_control_is_one_sentence(device: KernelWebcam, tmp_path: Path) -> None:
    eye = camera(tmp_path)
    eye.open()
    in_force = eye.set_exposure(3_000.0)
    device("refuse exposure_time")
    with pytest.raises(DeviceError, match="refused setting exposure_time_absolute to 50"):
        eye.set_exposure(5_000.0)
    assert eye.capture().exposure_us == in_force
    device("accept")
    assert eye.set_exposure(in_force) == in_force
    eye.close()


def test_a_cable_that_is_pulled_during_a_capture(device: KernelWebcam, tmp_path: Path) -> None:
    eye = camera(tmp_path)
    eye.open()
    assert eye.capture() is not None
    device("unplug")

    def go_on() -> None:
        while eye.capture() is not None:
            pass

    with pytest.raises(DeviceLost):
        go_on()
    until(lambda: not list_webcams(), "the device to go")
    device.plug()
    eye.open()
    assert eye.capture() is not None
    eye.close()
