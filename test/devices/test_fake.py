"""The fakes fail when told to, and only then."""

from __future__ import annotations

import pytest

from dasha_ros.devices.errors import DeviceLost, DeviceTimeout, FrameIncomplete
from dasha_ros.devices.fake.fake import FakeCamera, FakeLens
from dasha_ros.freshness.clock import ManualClock


def test_a_lens_fails_as_often_as_told() -> None:
    lens = FakeLens(ManualClock())
    lens.open()
    lens.failures.fail_next("move", DeviceTimeout("silent"), times=2)
    for _ in range(2):
        with pytest.raises(DeviceTimeout, match="silent"):
            lens.move(30.0)
    lens.read()
    assert lens.moves == []
    lens.move(30.0)
    assert lens.moves == [30.0]


def test_a_lost_device_stays_lost_until_it_is_opened() -> None:
    lens = FakeLens(ManualClock())
    lens.open()
    lens.failures.fail_next("read", DeviceLost("gone"))
    with pytest.raises(DeviceLost, match="gone"):
        lens.read()
    with pytest.raises(DeviceLost, match="never opened"):
        lens.move(30.0)
    lens.failures.fail_next("open", DeviceLost("still gone"))
    with pytest.raises(DeviceLost, match="still gone"):
        lens.open()
    lens.open()
    assert lens.move(30.0).position == pytest.approx(30.0, abs=0.0223)


def test_a_lens_reports_faults() -> None:
    lens = FakeLens(ManualClock())
    lens.open()
    lens.faults = ("overload",)
    assert lens.read().faults == lens.move(30.0).faults == ("overload",)


def test_a_camera_counts_its_pictures_and_may_fail_within_an_exposure() -> None:
    clock = ManualClock()
    camera = FakeCamera(clock)
    camera.open()
    first = camera.capture()
    camera.failures.fail_next("capture", FrameIncomplete("damaged"))
    with pytest.raises(FrameIncomplete):
        camera.capture()
    second = camera.capture()
    assert first is not None
    assert second is not None
    assert (int(first.pixels[0, 0]), int(second.pixels[0, 0])) == (0, 1)
    assert camera.taken == 2
