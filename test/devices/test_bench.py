"""The one-shot tools, on the emulators."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dasha_ros.devices import bench
from dasha_ros.devices.camera import Frame
from dasha_ros.devices.errors import DeviceLost, OutOfRange
from dasha_ros.emulators.camera.pictures import enable_emulator
from dasha_ros.emulators.lens.port import LensEmulator, LensEmulatorSettings

enable_emulator()


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
