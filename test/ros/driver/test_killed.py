"""A driver whose automatic functions were off when our process was killed gets them back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scripted_driver import ScriptedHost

from dasha_ros.devices.errors import DeviceLost
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.ros.driver.camera import DriverCamera, DriverSettings
from dasha_ros.ros.driver.lens import DriverLens
from dasha_ros.ros.driver.table import driver_named
from dasha_ros.ros.driver.taken import notes_folder

DRIVER = driver_named("camera_ros")


class Bench:
    def __init__(self, notes: Path) -> None:
        self.clock, self.notes = ManualClock(), notes
        self.host = ScriptedHost(self.clock)

    def camera(self) -> DriverCamera:
        return DriverCamera(DRIVER, DriverSettings(notes=self.notes), self.host.port, self.clock)

    def lens(self) -> DriverLens:
        return DriverLens(DRIVER, self.host.port, clock=self.clock, notes=self.notes)

    @property
    def values(self) -> dict[str, Any]:
        assert self.host.driver is not None
        return self.host.driver.values


def kill(part: Any) -> None:
    """The process ends: nothing is given back, and the system takes the lock."""
    part._device._taken._notes.end()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "notes")


def test_what_a_killed_process_found_is_given_back_by_the_next(bench: Bench) -> None:
    before = dict(bench.values)
    camera, lens = bench.camera(), bench.lens()
    camera.open()
    lens.open()
    camera.set_exposure(5_000.0)
    kill(camera)
    kill(lens)
    assert (bench.values["AeEnable"], bench.values["AfMode"]) == (False, 0)
    camera, lens = bench.camera(), bench.lens()
    camera.open()
    lens.open()
    camera.close()
    lens.close()
    assert bench.values == before


def test_a_driver_that_was_started_again_keeps_what_it_has_then(bench: Bench) -> None:
    camera = bench.camera()
    camera.open()
    kill(camera)
    bench.host.start()
    bench.values["ExposureTime"] = 777
    camera = bench.camera()
    camera.open()
    camera.close()
    assert (bench.values["AeEnable"], bench.values["ExposureTime"]) == (True, 777)


def test_notes_outlive_a_driver_that_is_not_there_at_the_next_start(bench: Bench) -> None:
    camera = bench.camera()
    camera.open()
    kill(camera)
    driver, bench.host.driver = bench.host.driver, None
    camera = bench.camera()
    for _ in range(2):
        with pytest.raises(DeviceLost):
            camera.open()
    # It was not ended, only out of reach.
    bench.host.driver = driver
    camera.open()
    camera.close()
    assert bench.values["AeEnable"] is True


def test_what_the_driver_does_not_take_back_is_tried_again(bench: Bench) -> None:
    lens = bench.lens()
    lens.open()
    bench.host.script.refuse.add("AfMode")
    lens.close()
    assert lens.describe()["not given back"] == "AfMode"
    bench.host.script.refuse.clear()
    lens = bench.lens()
    lens.open()
    lens.close()
    assert bench.values["AfMode"] == 2


def test_two_graphs_cannot_use_one_driver(bench: Bench) -> None:
    first, second = bench.camera(), bench.camera()
    first.open()
    with pytest.raises(
        DeviceLost, match=r"another process already uses the camera of driver camera_ros at /camera"
    ):
        second.open()
    assert bench.values["AeEnable"] is False
    first.close()
    second.open()
    second.close()
    assert bench.values["AeEnable"] is True


def test_drivers_of_one_name_in_two_domains_are_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert notes_folder(3) != notes_folder(4)
    assert notes_folder(3).is_relative_to(tmp_path)


@pytest.mark.parametrize("found", ["", "{", "[1]", '{"AeEnable": null}', "\0\0"])
def test_a_file_that_holds_no_notes_means_nothing(bench: Bench, found: str) -> None:
    bench.notes.mkdir()
    (bench.notes / "driver-camera-ros-at-camera-camera.json").write_text(found)
    camera = bench.camera()
    camera.open()
    camera.close()
    assert bench.values["AeEnable"] is True
