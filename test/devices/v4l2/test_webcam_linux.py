"""What the kernel's errors mean, told in one sentence; the rest runs in ``scripts/test-webcam``."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.v4l2.discovery import WebcamFound
from dasha_ros.devices.v4l2.linux import LinuxWebcam


def found_at(node: Path) -> WebcamFound:
    return WebcamFound(node, "Brio", "046d:085e", "AB12", "1-2")


@pytest.fixture
def webcam(tmp_path: Path) -> LinuxWebcam:
    """One that was opened: its node is there."""
    node = tmp_path / "video0"
    node.write_text("")
    opened = LinuxWebcam.__new__(LinuxWebcam)
    opened._found, opened._name, opened._fd, opened._memory = found_at(node), "webcam Brio", -1, []
    return opened


@pytest.mark.parametrize(
    ("code", "doing", "kind", "says"),
    [
        (
            errno.ENODEV,
            "waiting for a picture",
            DeviceLost,
            "webcam Brio was lost while waiting for a picture",
        ),
        (errno.EBUSY, "starting its stream", DeviceLost, "another program uses webcam Brio: close it"),
        (errno.EBUSY, "setting gain to 3", DeviceError, "webcam Brio refused setting gain to 3: "),
        (errno.EACCES, "opening it", DeviceLost, r"sudo usermod -aG video \$USER"),
        (
            errno.EACCES,
            "setting focus_absolute to 5",
            DeviceError,
            "refused setting focus_absolute to 5: Perm",
        ),
        (errno.ERANGE, "setting gain to 3", DeviceError, "refused setting gain to 3: Numerical result"),
        (errno.EIO, "setting gain to 3", DeviceError, "refused setting gain to 3: Input/output"),
    ],
)
def test_an_error_of_the_kernel_is_one_sentence(
    webcam: LinuxWebcam, code: int, doing: str, kind: type[DeviceError], says: str
) -> None:
    with pytest.raises(kind, match=says) as caught, webcam._errors(doing):
        raise OSError(code, os.strerror(code))
    assert type(caught.value) is kind


def test_a_request_that_fails_on_the_cable_of_a_device_that_is_gone_is_a_loss(webcam: LinuxWebcam) -> None:
    webcam._found.node.unlink()
    with (
        pytest.raises(DeviceLost, match="was lost while setting gain to 3"),
        webcam._errors("setting gain to 3"),
    ):
        raise OSError(errno.EIO, "Input/output error")


def test_a_node_that_is_not_there_is_a_loss(tmp_path: Path) -> None:
    with pytest.raises(DeviceLost, match="was lost while opening it"):
        LinuxWebcam(found_at(tmp_path / "none"))


def test_a_node_that_is_no_video_device_is_refused(tmp_path: Path) -> None:
    (tmp_path / "video0").write_text("")
    with pytest.raises(DeviceError, match="refused asking what it is"):
        LinuxWebcam(found_at(tmp_path / "video0"))
