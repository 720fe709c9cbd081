"""Which of several cameras is meant."""

from __future__ import annotations

import pytest

from dasha_ros.devices.errors import DeviceLost
from dasha_ros.devices.pylon.discovery import CameraFound, chosen

CAMERAS = [
    CameraFound("acA2000-50gm", "21234567", "left", "192.168.3.10", "BaslerGigE"),
    CameraFound("acA2000-50gm", "21234568", "right", "192.168.3.11", "BaslerGigE"),
    CameraFound("acA1920-155um", "22111111", "", "", "BaslerUsb"),
]


@pytest.mark.parametrize(
    ("address", "index"), [("21234568", 1), ("left", 0), ("192.168.3.11", 1), ("22111111", 2)]
)
def test_a_camera_is_found_by_serial_name_or_ip(address: str, index: int) -> None:
    assert chosen(CAMERAS, address) == index


def test_the_only_camera_needs_no_address() -> None:
    assert chosen(CAMERAS[2:], "") == 0


@pytest.mark.parametrize(
    ("cameras", "address", "words"),
    [
        (CAMERAS, "", "3 cameras answer to an empty address"),
        (CAMERAS, "999", r"no camera '999' is there .pylon sees: acA2000-50gm 21234567 .left, 192"),
        ([], "", r"no camera is there .pylon sees: none."),
    ],
)
def test_a_camera_that_is_not_clear_is_refused(cameras: list[CameraFound], address: str, words: str) -> None:
    with pytest.raises(DeviceLost, match=words):
        chosen(cameras, address)
