"""The table of drivers, and files of people's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from dasha_ros.files.errors import FileError
from dasha_ros.ros.driver.table import driver_named, drivers

OWN = """\
mine:
  node: /cam/driver
  image: ~/image
  exposure: {parameter: shutter, unit: ms, low: 0.1, high: 40}
"""


def test_the_known_drivers_are_in_the_table() -> None:
    assert set(drivers()) == {"camera_ros", "depthai-ros", "usb_cam", "realsense-ros"}
    assert driver_named("camera_ros").metadata is not None
    assert driver_named("realsense-ros").focus is None
    assert driver_named("depthai-ros").focus_automatics == {"rgb.r_set_man_focus": True}


def test_a_driver_of_ones_own_needs_four_lines(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(OWN)
    own = driver_named(str(path))
    assert (own.name, own.node, own.exposure.unit, own.exposure.high) == ("mine", "/cam/driver", "ms", 40.0)
    assert own.gain is own.focus is own.metadata is None
    assert not own.stamp_is_begin
    path.write_text(OWN + OWN.replace("mine", "second"))
    assert driver_named(f"{path}:second").name == "second"
    with pytest.raises(FileError, match=r"describes mine, second: add a colon"):
        driver_named(str(path))
    with pytest.raises(FileError, match="describes no driver 'third'"):
        driver_named(f"{path}:third")


def test_a_name_that_is_not_in_the_table_is_told_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"'v4l3' is not in the table, which has camera_ros, depthai-ros"):
        driver_named("v4l3")
    with pytest.raises(ValueError, match="no driver is named"):
        driver_named("")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("unit: ms", "unit: hours", r"exposure.unit is 'hours'; it must be one of us, 100us, ms, s"),
        ("low: 0.1", "low: 50", "exposure.low is 50.0; it must be below exposure.high, 40"),
        ("low: 0.1", "low: much", "exposure.low is 'much'; it must be a number"),
        ("low: 0.1", "low: .inf", "exposure.low is inf; it must be a number"),
        ("node: /cam/driver", "node: cam", "node is 'cam'; it must be a node with its namespace"),
        ("image: ~/image", "image: 7", "image is 7; it must be a topic"),
        ("image: ~/image", "picture: ~/image", "it needs exposure, image, node"),
        ("image: ~/image", "image: ~/image\n  stamp: noon", "stamp is 'noon'; it must be begin or end"),
        ("image: ~/image", "image: ~/image\n  exposure_automatics: off", "exposure_automatics is False"),
        ("image: ~/image", "image: ~/image\n  focus_automatics: {a: [1]}", r"focus_automatics.a is \[1\]"),
        ("image: ~/image", f"image: ~/image\n  focus_automatics: {{a: {2**63}}}", "whole number of 64 bits"),
        ("image: ~/image", "image: ~/image\n  metadata: {topic: /x}", "metadata needs exposure, topic, type"),
        ("mine:", "mine: 3\nyours:", "driver mine: it needs"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(OWN.replace(old, new))
    with pytest.raises(FileError, match=said) as caught:
        driver_named(str(path))
    assert "\n" not in str(caught.value)


def test_a_file_without_an_entry_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("[]")
    with pytest.raises(FileError, match="an entry for each driver"):
        driver_named(str(path))
