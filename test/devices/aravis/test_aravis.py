"""GenICam cameras through Aravis, on its own fake camera: region, formats, missing and damaged frames."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from fake_genicam import SERIAL, FakeGenicam, fake_genicam, opened

from dasha_ros.devices.aravis.camera import AravisCamera
from dasha_ros.devices.aravis.device import AravisSettings
from dasha_ros.devices.aravis.discovery import GenicamFound, chosen
from dasha_ros.devices.errors import DeviceLost, DeviceTimeout, OutOfRange

ONE, OTHER = (
    GenicamFound(f"Maker-{n}", "Maker", "Eye", f"S{n}", f"10.0.0.{n}", "GigEVision") for n in (1, 2)
)


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeGenicam]:
    with fake_genicam() as fake:
        yield fake


@pytest.fixture
def camera(fake: FakeGenicam) -> Iterator[AravisCamera]:
    with opened(fake, AravisSettings(width=320, height=240, margin_s=1.0)) as (camera, _):
        yield camera


@pytest.mark.parametrize("address", ["S2", "10.0.0.2", "Maker-2"])
def test_a_camera_is_chosen_by_each_of_its_names(address: str) -> None:
    assert chosen([ONE, OTHER], address) is OTHER
    assert chosen([ONE], "") is ONE


@pytest.mark.parametrize(
    ("there", "address", "sentence"),
    [
        ([], "", r"no GenICam camera answers \(Aravis sees: none\)"),
        ([ONE], "S9", "no GenICam camera 'S9' answers .* Maker Eye S1"),
        ([ONE, OTHER], "", "several GenICam cameras are there: .* Name one"),
    ],
)
def test_what_cannot_be_chosen_is_told(there: list[GenicamFound], address: str, sentence: str) -> None:
    with pytest.raises(DeviceLost, match=sentence):
        chosen(there, address)


def test_the_region_is_where_it_was_asked_for(fake: FakeGenicam) -> None:
    for settings, region in (
        (AravisSettings(width=320, height=240), (864, 904, 320, 240)),
        (AravisSettings(width=64, height=32, offset=(16, 8)), (16, 8, 64, 32)),
        (AravisSettings(width=160, offset=(1888, 0), height=120), (1888, 0, 160, 120)),
    ):
        with opened(fake, settings) as (camera, limits):
            told = limits.region
            assert told is not None
            assert (told.x, told.y, told.width, told.height) == region
            frame = camera.capture()
            assert frame is not None
            assert frame.pixels.shape == (region[3], region[2])


def test_without_a_region_the_whole_sensor_is_used(fake: FakeGenicam) -> None:
    with opened(fake, AravisSettings()) as (_, limits):
        assert (limits.width, limits.height) == (2048, 2048)
        assert limits.region is not None
        assert limits.region.is_whole


@pytest.mark.parametrize(
    ("encoding", "shape", "kind"),
    [
        ("mono8", (120, 160), np.uint8),
        ("mono16", (120, 160), np.uint16),
        ("rgb8", (120, 160, 3), np.uint8),
    ],
)
def test_each_encoding_is_delivered(
    fake: FakeGenicam, encoding: str, shape: tuple[int, ...], kind: type
) -> None:
    with opened(fake, AravisSettings(width=160, height=120, encoding=encoding)) as (camera, _):
        frame = camera.capture()
    assert frame is not None
    assert (frame.pixels.shape, frame.pixels.dtype, frame.encoding) == (shape, kind, encoding)
    assert frame.pixels.std() > 0


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (AravisSettings(width=4096), "a region of 4096 px: the sensor of .* has 2048 px"),
        (AravisSettings(width=64, height=64, offset=(2000, 0)), "64x64 px at 2000, 0 is not on the sensor"),
        (AravisSettings(encoding="bgr8"), "'bgr8' is not one of mono8, mono16, rgb8"),
    ],
)
def test_what_the_camera_cannot_do_is_refused(
    fake: FakeGenicam, settings: AravisSettings, sentence: str
) -> None:
    camera = AravisCamera(settings, find=fake.found)
    with pytest.raises(OutOfRange, match=sentence):
        camera.open()
    # Nothing is left open behind it.
    with opened(fake, AravisSettings(width=64, height=64)) as (other, _):
        assert other.capture() is not None


def test_a_camera_that_another_program_controls_is_told(camera: AravisCamera, fake: FakeGenicam) -> None:
    second = AravisCamera(AravisSettings(), find=fake.found)
    with pytest.raises(DeviceLost, match=f"another program controls Aravis Fake {SERIAL}"):
        second.open()
    assert camera.capture() is not None


def test_a_brighter_picture_follows_a_longer_exposure(camera: AravisCamera) -> None:
    means = []
    for exposure_us in (100.0, 100_000.0):
        camera.set_exposure(exposure_us)
        frame = camera.capture()
        assert frame is not None
        means.append(frame.pixels.mean())
    assert means[0] < means[1]


def test_frames_that_do_not_come_are_told_and_a_silent_camera_is_lost(
    camera: AravisCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera.open()
    assert camera.capture() is not None
    # The trigger gets lost on the way.
    monkeypatch.setattr(camera._device.camera, "software_trigger", lambda: None)
    for _ in range(2):
        with pytest.raises(DeviceTimeout, match=r"sent no frame within 1\.010 s"):
            camera.capture()
    with pytest.raises(DeviceLost, match="3 times in a row"):
        camera.capture()
    monkeypatch.undo()
    camera.open()
    assert camera.capture() is not None


def test_an_abort_ends_the_wait_for_a_frame(camera: AravisCamera, monkeypatch: pytest.MonkeyPatch) -> None:
    camera.set_exposure(10_000_000.0)
    triggered = threading.Event()
    monkeypatch.setattr(camera._device.camera, "software_trigger", triggered.set)
    aborter = threading.Thread(target=lambda: (triggered.wait(), camera.abort()))
    aborter.start()
    assert camera.capture() is None
    aborter.join()
    monkeypatch.undo()
    camera.set_exposure(1_000.0)
    assert camera.capture() is not None
