"""The file that keeps the measured lag of a model."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.devices.errors import DeviceLost
from dasha_ros.devices.lag.latency import (
    ASSUMED_FRAMES,
    Latency,
    file_of,
    latency_of,
    read_latency,
    write_latency,
)
from dasha_ros.devices.v4l2.device import Webcam, WebcamAccess
from dasha_ros.devices.v4l2.discovery import WebcamFound
from dasha_ros.files.errors import FileError

MODEL = "046d:0825 Brio: the great"


@pytest.fixture
def home(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@given(st.integers(0, 59), st.none() | st.integers(0, 59), st.integers(0, 100))
def test_what_is_written_is_read(tmp_path_factory, exposure: int, focus: int | None, frame_ms: int) -> None:
    path = tmp_path_factory.getbasetemp() / "latency.yaml"
    write_latency(path, Latency(MODEL, exposure, focus, frame_ms / 1e3))
    assert read_latency(path, MODEL) == Latency(MODEL, exposure, focus, frame_ms / 1e3, str(path))


def test_the_lag_of_a_model_is_found_again(home: Path) -> None:
    assert latency_of(MODEL) == Latency(MODEL)
    assert latency_of(MODEL).exposure_frames == ASSUMED_FRAMES
    path = file_of(MODEL)
    assert path == home / ".ros/dasha/latency/046d-0825-brio-the-great.yaml"
    write_latency(path, Latency(MODEL, 2, 3, 0.033))
    assert latency_of(MODEL) == Latency(MODEL, 2, 3, 0.033, str(path))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("model: another\nexposure_frames: 2\n", "holds the lag of 'another', and this device is 'Brio'"),
        ("model: Brio\n", "has the keys"),
        ("[1, 2]\n", "has the keys"),
        ("model: Brio\nexposure_frames: 2\nwhat: 1\n", "has the keys"),
        ("model: Brio\nexposure_frames: 2.5\n", "exposure_frames is 2.5; it must be a whole number"),
        ("model: Brio\nexposure_frames: 60\n", "exposure_frames is 60"),
        ("model: Brio\nexposure_frames: -1\n", "exposure_frames is -1"),
        ("model: Brio\nexposure_frames: true\n", "exposure_frames is True"),
        ("model: Brio\nexposure_frames: 1\nfocus_frames: many\n", "focus_frames is 'many'"),
        ("model: Brio\nexposure_frames: 1\nframe_ms: .nan\n", "frame_ms is nan"),
        ("model: Brio\nexposure_frames: 1\nframe_ms: [1]\n", "frame_ms is "),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_one_sentence(
    tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "latency.yaml"
    path.write_text(text)
    with pytest.raises(FileError, match=says):
        read_latency(path, "Brio")


def test_a_device_with_the_file_of_another_model_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "latency.yaml"
    write_latency(path, Latency("another", 2, 3))
    found = WebcamFound(Path("/dev/video0"), "Brio", "", "", "")
    access = WebcamAccess(lambda: [found], lambda _: pytest.fail("it was opened"), tmp_path)
    with pytest.raises(
        DeviceLost, match=r"the lag of Brio on /dev/video0 is unknown: .*holds the lag of 'another'"
    ):
        Webcam("camera", "", str(path), access).open()


def test_a_file_that_is_not_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="there is no such file: name another, or run `dasha calibrate"):
        read_latency(tmp_path / "none.yaml", "Brio")
    with pytest.raises(FileError, match="can't be read: File name too long: name another, or run `dasha"):
        read_latency(tmp_path / ("x" * 300), "Brio")
