"""``camera_info``: the calibration that the user loads or sets, and what the driver knows of the sensor."""

from __future__ import annotations

import os
from pathlib import Path
from string import Template
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from sensor_msgs.srv import SetCameraInfo

from dasha_ros.devices.calibration.pinhole import (
    CalibrationError,
    PinholeCalibration,
    calibration_yaml,
    nominal,
    read_calibration,
)
from dasha_ros.devices.camera import CameraLimits
from dasha_ros.files.errors import FileError
from dasha_ros.files.naming import expanded
from dasha_ros.files.writing import write_whole
from dasha_ros.optics.profiles import lens_model
from dasha_ros.ros.node.condition import Condition, warning


def calibration_path(url: str, name: str) -> Path:
    """The file that a ``camera_info_url`` names.

    Args:
        url: ``file:///...``, ``package://PACKAGE/...`` or a path; ``${NAME}`` and ``${ROS_HOME}`` are
            replaced. Empty: ``${ROS_HOME}/camera_info/${NAME}.yaml``, as in ``camera_info_manager``.
        name: The camera's name.

    Raises:
        FileError: There is no such package, or the URL is of another kind.
    """
    home = os.environ.get("ROS_HOME") or "~/.ros"
    text = Template(url or "file://${ROS_HOME}/camera_info/${NAME}.yaml").safe_substitute(
        ROS_HOME=home, NAME=name
    )
    scheme, separator, rest = text.partition("://")
    if not separator:
        return expanded(text)
    if scheme == "file":
        return expanded(rest)
    if scheme != "package":
        raise FileError(url, "is no URL that can be read: write file:///PATH or package://PACKAGE/PATH")
    from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

    package, _, inside = rest.partition("/")
    try:
        return Path(get_package_share_directory(package), inside)
    except (PackageNotFoundError, ValueError) as error:
        raise FileError(url, f"names the package {package!r}, which is not installed") from error


class CameraInfos:
    """Makes the messages, and serves ``camera/set_camera_info``.

    Attributes:
        calibration: The one in use; `None`: the camera is not calibrated.
    """

    def __init__(self, node: Node, url: str, name: str, simulated: bool) -> None:
        """Read the calibration, if there is one.

        Args:
            node: The driver.
            url: The parameter ``camera_info_url``.
            name: The camera's name.
            simulated: Whether the pictures come from the twin, whose intrinsics are known.
        """
        self._node, self._url, self._name, self._simulated = node, url, name, simulated
        self.calibration: PinholeCalibration | None = None
        self._trouble = ""
        self._limits: CameraLimits | None = None
        try:
            path = calibration_path(url, name)
            # The default place is often empty; a place that the user named is not.
            if url or path.exists():
                self.calibration = read_calibration(path)
        except FileError as error:
            self._trouble = f"camera_info is not calibrated: {error}"
        self._service = node.create_service(SetCameraInfo, "camera/set_camera_info", self._set)

    def close(self) -> None:
        """Close the service."""
        self._node.destroy_service(self._service)

    def use(self, limits: CameraLimits) -> None:
        """Note what the open camera gives."""
        self._limits = limits
        if self.calibration is None and self._simulated and not self._url:
            self.calibration = nominal(limits.width, limits.height, lens_model().focal_length_mm)

    def condition(self) -> Condition | None:
        """What is wrong with the calibration; `None`: nothing."""
        limits, calibration = self._limits, self.calibration
        if self._trouble:
            return warning(self._trouble)
        if limits is None or calibration is None or self._fits(calibration, limits):
            return None
        return warning(
            f"camera_info is not calibrated: the calibration is for {calibration.width} x "
            f"{calibration.height} px, and the camera gives {limits.width} x {limits.height} px"
        )

    def message(self, header: Any, width: int, height: int) -> CameraInfo:
        """The message that belongs to an image. By REP 104, K and D are zero without a calibration."""
        info = CameraInfo(header=header, width=width, height=height)
        limits, calibration = self._limits, self.calibration
        region = limits.region if limits is not None else None
        if region is not None:
            info.width, info.height = region.sensor_width, region.sensor_height
            info.binning_x = info.binning_y = region.binning
            if not region.is_whole:
                info.roi = RegionOfInterest(
                    x_offset=region.x, y_offset=region.y, width=region.width, height=region.height
                )
        if calibration is None or limits is None or not self._fits(calibration, limits):
            return info
        if (calibration.width, calibration.height) == (width, height):
            # Calibrated with these very images, so no region and no binning must be applied to it.
            info.width, info.height = width, height
            info.binning_x = info.binning_y = 0
            info.roi = RegionOfInterest()
        info.distortion_model, info.d = calibration.distortion_model, list(calibration.d)
        info.k, info.r, info.p = list(calibration.k), list(calibration.r), list(calibration.p)
        return info

    def _fits(self, calibration: PinholeCalibration, limits: CameraLimits) -> bool:
        size, region = (calibration.width, calibration.height), limits.region
        return size == (limits.width, limits.height) or (
            region is not None and size == (region.sensor_width, region.sensor_height)
        )

    def _set(self, request: SetCameraInfo.Request, response: SetCameraInfo.Response) -> Any:
        """Use a calibration from now on, and keep it in the file."""
        info = request.camera_info
        try:
            calibration = PinholeCalibration(
                info.width,
                info.height,
                tuple(map(float, info.k)),
                info.distortion_model,
                tuple(map(float, info.d)),
                tuple(map(float, info.r)),
                tuple(map(float, info.p)),
                self._name,
            )
            limits = self._limits
            if limits is not None and not self._fits(calibration, limits):
                raise CalibrationError(
                    f"it is for {info.width} x {info.height} px, and the camera gives {limits.width} x "
                    f"{limits.height} px"
                )
            path = calibration_path(self._url, self._name)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, calibration_yaml(calibration))
        except (CalibrationError, FileError) as error:
            response.success, response.status_message = False, f"the calibration was not set: {error}"
        except OSError as error:
            reason = error.strerror or str(error)
            response.success, response.status_message = False, f"the calibration was not kept: {reason}"
        else:
            self.calibration, self._trouble = calibration, ""
            response.success, response.status_message = True, f"kept in {path}"
        return response
