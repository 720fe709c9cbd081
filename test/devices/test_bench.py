"""The one-shot tools, on the emulators."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from webcam_in_memory import MemoryWebcam, told

from dasha_ros.devices import bench
from dasha_ros.devices.camera import Frame
from dasha_ros.devices.errors import DeviceLost, OutOfRange
from dasha_ros.emulators.camera.pictures import enable_emulator
from dasha_ros.emulators.lens.port import LensEmulator, LensEmulatorSettings
from dasha_ros.freshness.clock import SteadyClock

enable_emulator()


@pytest.fixture
def webcam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryWebcam:
    pytest.importorskip("linuxpy", reason="./scripts/setup --webcam installs it")
    webcam = MemoryWebcam(SteadyClock(), tmp_path, rate_hz=100.0)
    monkeypatch.setattr("dasha_ros.devices.v4l2.device.WebcamAccess", lambda: webcam.access)
    return webcam


def test_a_webcam_s_lens_is_set_and_stays_there(webcam: MemoryWebcam) -> None:
    reading, description = bench.set_lens("", 125.0, bench.WEBCAM)
    assert reading.position == 125.0
    assert description["unit"] == "steps"
    assert (webcam.states.get("focus"), webcam.states.get("auto_focus")) == (125, 0)
    with pytest.raises(OutOfRange, match="from 0"):
        bench.set_lens("W1", 251.0, bench.WEBCAM)
    assert webcam.states.get("focus") == 125


def test_reading_a_webcam_s_lens_gives_automatic_focus_back(webcam: MemoryWebcam) -> None:
    before = webcam.states.get("focus")
    reading, _ = bench.read_lens("/dev/video7", bench.WEBCAM)
    assert reading.position == before
    assert webcam.states.get("auto_focus") == 1
    with pytest.raises(DeviceLost, match="no webcam 'W9' is there"):
        bench.read_lens("W9", bench.WEBCAM)


def test_a_webcam_takes_a_picture(webcam: MemoryWebcam) -> None:
    frame, description = bench.snap("W1", exposure_us=2_000.0, back_end="v4l2")
    assert told(np.asarray(frame.pixels))[0] == 20
    assert description["serial_number"] == "W1"
    assert webcam.states.get("auto_exposure") == 8


def test_a_back_end_that_takes_no_pictures_and_a_board_without_a_port_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown back end 'kinect': choose one of pylon, v4l2, aravis"):
        bench.snap(back_end="kinect")
    with pytest.raises(ValueError, match="flexiboard needs --port"):
        bench.read_lens("")


def test_a_lens_is_set_and_stays_there(tmp_path: Path) -> None:
    with LensEmulator(tmp_path / "lens", LensEmulatorSettings(paced=False)) as emulator:
        port = str(emulator.link)
        reading, description = bench.set_lens(port, 45.0)
        assert reading.position == emulator.position() == pytest.approx(45.0035)
        assert description["port"] == port
        emulator.board.set_faults(0b10)
        reading, description = bench.read_lens(port)
        assert reading.position == pytest.approx(45.0035)
        assert reading.faults == ("driver not answering",)
        assert description["firmware"] == "18"
        with pytest.raises(OutOfRange, match="refused"):
            bench.set_lens(port, 71.0)
        assert emulator.position() == pytest.approx(45.0035)


def test_no_lens_and_no_board_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceLost, match="there is no"):
        bench.read_lens(str(tmp_path / "nothing"))
    with pytest.raises(ValueError, match="unknown lens board"):
        bench.read_lens(str(tmp_path / "nothing"), board="toaster")


def test_the_emulated_camera_is_listed_and_takes_a_picture() -> None:
    found = {camera.serial_number: camera for camera in bench.list_cameras()}
    assert found["0815-0000"].kind == "BaslerCamEmu"
    frame, description = bench.snap("0815-0000", exposure_us=2_000.0)
    assert frame.exposure_us == 2_000.0
    assert description["serial_number"] == "0815-0000"
    with pytest.raises(DeviceLost, match="no camera '999' is there"):
        bench.snap("999")


@pytest.mark.parametrize("encoding", ["mono8", "mono16", "rgb8", "bgr8"])
def test_a_saved_picture_is_the_picture(encoding: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    shape = (6, 8) if encoding.startswith("mono") else (6, 8, 3)
    pixels = rng.integers(0, 256, shape).astype(np.uint16 if encoding == "mono16" else np.uint8)
    bench.save_frame(tmp_path / "frame.png", Frame(pixels, encoding, 0, 1.0, 0.0))
    seen = cv2.imread(str(tmp_path / "frame.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(seen[..., ::-1] if encoding == "rgb8" else seen, pixels)


def test_a_picture_that_cannot_be_saved_is_said_so(tmp_path: Path) -> None:
    frame = Frame(np.zeros((6, 8), np.uint8), "mono8", 0, 1.0, 0.0)
    with pytest.raises(OSError, match=r"no picture format ends in '\.doc'"):
        bench.save_frame(tmp_path / "frame.doc", frame)
    with pytest.raises(OSError, match="does its folder exist"):
        bench.save_frame(tmp_path / "no" / "frame.png", frame)
