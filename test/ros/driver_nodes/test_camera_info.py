"""What ``camera_info`` says: the calibration in use, region and binning; and how it is set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from sensor_msgs.msg import CameraInfo
from sensor_msgs.srv import SetCameraInfo
from std_msgs.msg import Header

from dasha_ros.devices.calibration.pinhole import (
    PinholeCalibration,
    calibration_yaml,
    nominal,
    read_calibration,
)
from dasha_ros.devices.camera import CameraLimits, SensorRegion
from dasha_ros.files.errors import FileError
from dasha_ros.ros.driver_nodes.camera_info import CameraInfos, calibration_path

SENSOR = (2048, 1088)
K = (1000.0, 0.0, 1000.0, 0.0, 1010.0, 500.0, 0.0, 0.0, 1.0)


def limits(width: int, height: int, region: SensorRegion | None = None) -> CameraLimits:
    return CameraLimits(width, height, "mono8", 1.0, 1e6, 0.0, 10.0, region)


@pytest.fixture
def node(ros_env: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    import rclpy

    monkeypatch.setenv("ROS_HOME", str(tmp_path))
    context = rclpy.Context()
    rclpy.init(context=context)
    made = rclpy.create_node("driver", context=context)
    yield made
    made.destroy_node()
    context.try_shutdown()


def infos(node: Any, url: str = "", simulated: bool = False) -> CameraInfos:
    return CameraInfos(node, url, "cam", simulated)


def written(path: Path, width: int, height: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(calibration_yaml(PinholeCalibration(width, height, K, d=(0.1, 0.2, 0.0, 0.0, 0.0))))
    return path


@pytest.mark.parametrize(
    ("url", "path"),
    [("", "/ros/camera_info/cam.yaml"), ("file:///a/b.yaml", "/a/b.yaml"), ("/a/b.yaml", "/a/b.yaml"),
     ("file://${ROS_HOME}/${NAME}.yaml", "/ros/cam.yaml"), ("~/x.yaml", str(Path.home() / "x.yaml"))],
)  # fmt: skip
def test_where_a_calibration_is(monkeypatch: pytest.MonkeyPatch, url: str, path: str) -> None:
    monkeypatch.setenv("ROS_HOME", "/ros")
    assert calibration_path(url, "cam") == Path(path)


def test_a_package_holds_a_calibration_and_a_missing_one_is_named(node: Any) -> None:
    assert calibration_path("package://sensor_msgs/a.yaml", "").parts[-2:] == ("sensor_msgs", "a.yaml")
    with pytest.raises(FileError, match="no_such_package"):
        calibration_path("package://no_such_package/a.yaml", "")
    with pytest.raises(FileError, match="no URL"):
        calibration_path("https://example.com/a.yaml", "")


def test_an_uncalibrated_camera_says_so_by_zeros(node: Any) -> None:
    made = infos(node)
    made.use(limits(640, 480))
    info = made.message(Header(frame_id="f"), 640, 480)
    assert (info.width, info.height, info.header.frame_id) == (640, 480, "f")
    assert not any(info.k)
    assert not list(info.d)
    assert made.condition() is None


def test_the_users_calibration_is_published(node: Any, tmp_path: Path) -> None:
    made = infos(node, f"file://{written(tmp_path / 'c.yaml', 640, 480)}")
    made.use(limits(640, 480))
    info = made.message(Header(), 640, 480)
    assert tuple(info.k) == K
    assert tuple(info.p[:4]) == (*K[:3], 0.0)
    assert (list(info.d), info.distortion_model) == ([0.1, 0.2, 0.0, 0.0, 0.0], "plumb_bob")
    assert made.condition() is None


def test_a_missing_or_broken_file_is_a_warning_and_zeros(node: Any, tmp_path: Path) -> None:
    for text in (None, "broken: ["):
        path = tmp_path / "c.yaml"
        if text:
            path.write_text(text)
        made = infos(node, str(path))
        made.use(limits(640, 480))
        condition = made.condition()
        assert condition is not None
        assert str(path) in condition.sentence
        assert not any(made.message(Header(), 640, 480).k)
        made.close()


def test_a_calibration_of_another_size_is_not_used_and_both_are_named(node: Any, tmp_path: Path) -> None:
    made = infos(node, str(written(tmp_path / "c.yaml", 1280, 960)))
    made.use(limits(640, 480))
    condition = made.condition()
    assert condition is not None
    assert "1280 x 960" in condition.sentence
    assert "640 x 480" in condition.sentence
    assert not any(made.message(Header(), 640, 480).k)


def test_a_region_of_the_calibrated_sensor(node: Any, tmp_path: Path) -> None:
    made = infos(node, str(written(tmp_path / "c.yaml", *SENSOR)))
    made.use(limits(320, 240, SensorRegion(*SENSOR, x=100, y=50, width=640, height=480, binning=2)))
    info = made.message(Header(), 320, 240)
    assert (info.width, info.height, tuple(info.k)) == (*SENSOR, K)
    assert (info.binning_x, info.binning_y) == (2, 2)
    assert (info.roi.x_offset, info.roi.y_offset, info.roi.width, info.roi.height) == (100, 50, 640, 480)
    # CameraInfo: the image has the region's size divided by the binning.
    assert (info.roi.width // info.binning_x, info.roi.height // info.binning_y) == (320, 240)
    assert made.condition() is None


def test_a_calibration_of_the_region_itself_has_no_region(node: Any, tmp_path: Path) -> None:
    made = infos(node, str(written(tmp_path / "c.yaml", 320, 240)))
    made.use(limits(320, 240, SensorRegion(*SENSOR, x=100, y=50, width=640, height=480, binning=2)))
    info = made.message(Header(), 320, 240)
    assert (info.width, info.height, info.binning_x, info.roi.width) == (320, 240, 0, 0)
    assert tuple(info.k) == K


def test_the_whole_sensor_is_no_region(node: Any) -> None:
    made = infos(node)
    made.use(limits(*SENSOR, SensorRegion(*SENSOR, x=0, y=0, width=SENSOR[0], height=SENSOR[1])))
    info = made.message(Header(), *SENSOR)
    assert (info.width, info.roi.width, info.binning_x) == (2048, 0, 1)


def test_a_simulated_camera_knows_its_intrinsics_unless_the_user_does(node: Any, tmp_path: Path) -> None:
    made = infos(node, simulated=True)
    made.use(limits(512, 272))
    assert tuple(made.message(Header(), 512, 272).k) == nominal(512, 272, 25.0).k
    made.close()
    made = infos(node, str(written(tmp_path / "c.yaml", 512, 272)), simulated=True)
    made.use(limits(512, 272))
    assert tuple(made.message(Header(), 512, 272).k) == K


def ask(made: CameraInfos, **fields: Any) -> Any:
    values = {
        "width": 640,
        "height": 480,
        "k": K,
        "r": nominal(1, 1, 1.0).r,
        "p": [*K[:3], 0.0, *K[3:6], 0.0, *K[6:], 0.0],
        "distortion_model": "plumb_bob",
        "d": [0.1] * 5,
        **fields,
    }
    return made._set(SetCameraInfo.Request(camera_info=CameraInfo(**values)), SetCameraInfo.Response())


def test_a_calibration_that_is_set_is_used_and_kept(node: Any, tmp_path: Path) -> None:
    made = infos(node)
    made.use(limits(640, 480))
    answer = ask(made)
    path = tmp_path / "camera_info" / "cam.yaml"
    assert (answer.success, answer.status_message) == (True, f"kept in {path}")
    assert tuple(made.message(Header(), 640, 480).k) == K
    assert read_calibration(path).k == K
    made.close()
    again = infos(node)
    again.use(limits(640, 480))
    assert tuple(again.message(Header(), 640, 480).k) == K


@pytest.mark.parametrize(
    ("fields", "named"),
    [({"width": 1280}, "1280 x 480"), ({"k": [0.0] * 9}, "not calibrated"),
     ({"d": [float("nan")]}, "not finite"), ({"width": 0}, "0 x 480")],
)  # fmt: skip
def test_an_impossible_one_is_refused_and_nothing_changes(
    node: Any, tmp_path: Path, fields: dict[str, Any], named: str
) -> None:
    made = infos(node)
    made.use(limits(640, 480))
    answer = ask(made, **fields)
    assert not answer.success
    assert named in answer.status_message
    assert made.calibration is None
    assert not (tmp_path / "camera_info").exists()


def test_a_place_that_can_not_be_written_is_told(node: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    made = infos(node, str(tmp_path / "file" / "c.yaml"))
    made.use(limits(640, 480))
    answer = ask(made)
    assert not answer.success
    assert "not kept" in answer.status_message
