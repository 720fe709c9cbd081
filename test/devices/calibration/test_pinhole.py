"""Calibration files of cameras: as other packages write them, and what is wrong with others."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.devices.calibration.pinhole import (
    CalibrationError,
    PinholeCalibration,
    calibration_yaml,
    nominal,
    read_calibration,
)
from dasha_ros.files.errors import FileError

# As `camera_calibration` of ROS 2 writes it.
OST = """
image_width: 640
image_height: 480
camera_name: narrow_stereo
camera_matrix:
  rows: 3
  cols: 3
  data: [438.783367, 0.000000, 305.593336, 0.000000, 437.302876, 243.738352, 0.000000, 0.000000, 1.000000]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [-0.361976, 0.110510, 0.001014, 0.000505, 0.000000]
rectification_matrix:
  rows: 3
  cols: 3
  data: [0.999978, 0.002789, -0.006046, -0.002816, 0.999986, -0.004401, 0.006034, 0.004417, 0.999972]
projection_matrix:
  rows: 3
  cols: 4
  data: [393.653800, 0.000000, 322.797939, 0.000000, 0.000000, 393.653800, 241.090902, 0.000000, 0.000000, 0.000000, 1.000000, 0.000000]
"""  # noqa: E501

NUMBER = st.floats(-1e4, 1e4).map(lambda v: v + 0.0)
FOCAL = st.floats(1.0, 1e5)
CALIBRATIONS = st.builds(
    PinholeCalibration,
    st.integers(1, 10_000),
    st.integers(1, 10_000),
    st.tuples(
        st.floats(1.0, 1e5), NUMBER, NUMBER, NUMBER, st.floats(1.0, 1e5), NUMBER, NUMBER, NUMBER, NUMBER
    ),
    st.sampled_from(["plumb_bob", "rational_polynomial", "equidistant"]),
    st.lists(NUMBER, max_size=14).map(tuple),
    st.tuples(*[NUMBER] * 9),
    st.tuples(*[NUMBER] * 12),
    st.text("abcdefgh_", min_size=1, max_size=8),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ost.yaml"
    path.write_text(OST)
    return path


def test_a_file_of_the_calibrator_is_read(file: Path) -> None:
    found = read_calibration(file)
    assert (found.width, found.height, found.name) == (640, 480, "narrow_stereo")
    assert found.k == (438.783367, 0.0, 305.593336, 0.0, 437.302876, 243.738352, 0.0, 0.0, 1.0)
    assert found.d == (-0.361976, 0.110510, 0.001014, 0.000505, 0.0)
    assert found.p[:4] == (393.653800, 0.0, 322.797939, 0.0)


@given(CALIBRATIONS)
def test_what_is_written_is_read_again(calibration: PinholeCalibration) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(calibration_yaml(calibration))
        file.flush()
        assert read_calibration(file.name) == calibration


def test_without_a_projection_it_is_k_and_no_baseline(file: Path) -> None:
    file.write_text(OST.partition("projection_matrix")[0])
    assert read_calibration(file).p[:3] == (438.783367, 0.0, 305.593336)
    assert read_calibration(file).p[3::4] == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("image_width: 640\n", "", "image_width"),
        ("image_width: 640", "image_width: 0", "image_width"),
        ("438.783367", ".nan", "camera_matrix"),
        ("438.783367", "0.0", "not calibrated"),
        ("438.783367, ", "", "K has 8 numbers"),
        ("camera_matrix", "matrix", "camera_matrix"),
        ("[-0.361976", "[minus", "distortion_coefficients"),
    ],
)
def test_what_is_wrong_is_named_with_the_file(file: Path, old: str, new: str, named: str) -> None:
    assert old in OST
    file.write_text(OST.replace(old, new, 1))
    with pytest.raises(FileError, match=named) as refused:
        read_calibration(file)
    assert str(file) in str(refused.value)


@pytest.mark.parametrize("text", ["", "hello", "- 1", "a: [", "image_width: {}"])
def test_other_files_are_no_calibration(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(FileError):
        read_calibration(file)


def test_the_simulated_camera_has_the_view_of_its_sensor() -> None:
    full, small = nominal(2048, 1088, 25.0), nominal(512, 272, 25.0)
    assert full.k[0] == pytest.approx(25e-3 / 5.5e-6)
    assert small.k[0] == pytest.approx(full.k[0] / 4)
    assert (small.k[2], small.k[5]) == (255.5, 135.5)
    with pytest.raises(CalibrationError):
        nominal(0, 10, 25.0)
