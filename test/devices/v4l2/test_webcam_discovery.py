"""Which webcam is meant, read from a kernel's folders made by hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dasha_ros.devices.errors import DeviceLost
from dasha_ros.devices.v4l2.discovery import WebcamFound, check_permission, chosen, list_webcams


def add(root: Path, number: int, name: str, bus: str, *, serial: str = "", index: int = 0) -> None:
    usb = root / "devices" / bus
    interface = usb / f"{bus}:1.0"
    interface.mkdir(parents=True, exist_ok=True)
    (usb / "idVendor").write_text("046d\n")
    (usb / "idProduct").write_text("0825\n")
    if serial:
        (usb / "serial").write_text(serial + "\n")
    node = root / "class" / f"video{number}"
    node.mkdir(parents=True)
    (node / "name").write_text(name + "\n")
    (node / "index").write_text(f"{index}\n")
    (node / "device").symlink_to(interface)
    dev = root / "dev"
    (dev / "v4l" / "by-id").mkdir(parents=True, exist_ok=True)
    (dev / f"video{number}").write_text("")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    add(tmp_path, 0, "Brio", "1-2", serial="AB12")
    add(tmp_path, 1, "Brio", "1-2", serial="AB12", index=1)
    add(tmp_path, 10, "C920", "1-3.1")
    add(tmp_path, 2, "C920", "1-3.4")
    (tmp_path / "dev/v4l/by-id/usb-Brio_AB12-video-index0").symlink_to("../../video0")
    return tmp_path


def webcams(root: Path) -> list[WebcamFound]:
    return list_webcams(root / "class", root / "dev")


def test_each_webcam_is_listed_once_in_a_stable_order(root: Path) -> None:
    assert [(w.node.name, w.name, w.serial_number, w.bus, w.usb_id) for w in webcams(root)] == [
        ("video0", "Brio", "AB12", "1-2", "046d:0825"),
        ("video2", "C920", "", "1-3.4", "046d:0825"),
        ("video10", "C920", "", "1-3.1", "046d:0825"),
    ]


@pytest.mark.parametrize(
    ("address", "node"),
    [
        ("AB12", "video0"),
        ("Brio", "video0"),
        ("1-3.1", "video10"),
        ("{dev}/video2", "video2"),
        ("{dev}/v4l/by-id/usb-Brio_AB12-video-index0", "video0"),
    ],
)
def test_a_webcam_is_named_by_serial_number_name_bus_or_path(root: Path, address: str, node: str) -> None:
    assert chosen(webcams(root), address.format(dev=root / "dev")).node.name == node


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("", "no device was named, and there are several webcams: Brio on .* Name one by serial number"),
        ("C920", "'C920' names several webcams"),
        ("nobody", "no webcam 'nobody' is there .the kernel shows: Brio"),
    ],
)
def test_who_names_none_or_several_is_told_what_is_there(root: Path, address: str, says: str) -> None:
    with pytest.raises(DeviceLost, match=says):
        chosen(webcams(root), address)


def test_the_only_webcam_on_usb_needs_no_name(root: Path) -> None:
    (brio, *_) = webcams(root)
    decoder = WebcamFound(Path("/dev/video20"), "bcm2835-codec-decode", "", "", "")
    assert chosen([decoder, brio], "") == brio
    assert chosen([decoder], "") == decoder


def test_where_nothing_is_there_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceLost, match=r"no webcam is there .the kernel shows: none"):
        chosen(list_webcams(tmp_path, tmp_path), "")


def test_models_and_devices_have_names_of_their_own(root: Path) -> None:
    brio, one, other = webcams(root)
    assert one.model == other.model != brio.model
    assert len({brio.key, one.key, other.key}) == 3


def test_a_user_outside_the_group_video_is_told_what_to_do(root: Path, monkeypatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(DeviceLost, match=r"may not open .*video0: sudo usermod -aG video \$USER"):
        check_permission(webcams(root)[0])


def test_a_link_to_itself_names_no_webcam(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    found = WebcamFound(tmp_path / "video0", "Brio", "", "", "")
    assert not found.matches(str(tmp_path / "loop"))
