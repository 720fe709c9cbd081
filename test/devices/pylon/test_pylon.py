"""The pylon back end through pylon's emulator: pictures, settings, previews."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from pylon_studio import HEIGHT, WIDTH, PylonStudio

from dasha_ros.devices.errors import DeviceError, DeviceLost, OutOfRange
from dasha_ros.devices.preview import PreviewCamera


def test_every_frame_is_the_picture_of_its_own_exposure(studio: PylonStudio) -> None:
    # Peers: the new exposure shows 2 to 6 frames later.
    for step in range(30):
        studio.camera.set_exposure(200.0 + 100 * (step % 7))
        assert studio.is_fresh(studio.capture())


def test_a_dark_scene_gets_its_time(studio: PylonStudio) -> None:
    # Peers: a fixed grab timeout of 500 ms breaks dark scenes.
    studio.camera.set_exposure(700_000.0)
    assert studio.capture().exposure_us == 700_000.0


def test_an_aborted_exposure_never_answers_the_next_trigger(studio: PylonStudio) -> None:
    studio.camera.set_exposure(1_000_000.0)
    done = threading.Event()

    def insist() -> None:
        while not done.wait(0.02):
            studio.camera.abort()

    thread = threading.Thread(target=insist)
    thread.start()
    assert studio.camera.capture() is None
    done.set()
    thread.join()
    studio.camera.set_exposure(1_000.0)
    assert studio.is_fresh(studio.capture())


def test_automatic_exposure_and_gain_are_off(studio: PylonStudio) -> None:
    # Peers: auto exposure accepted and ignored. Here nobody is fooled: what is set is what is.
    camera = studio.bench.attach("")
    camera.Open()
    camera.real.ExposureAuto.Value = "Continuous"
    camera.Close()
    camera.DestroyDevice()
    studio.camera.open()
    node_map = studio.camera._device.node_map
    assert node_map.GetNode("ExposureAuto").GetValue() == "Off"
    assert node_map.GetNode("GainAuto").GetValue() == "Off"


class Chunky:
    """A grab result that carries chunks, as the emulator's never do."""

    def __init__(self, result: Any, chunks: dict[str, float]) -> None:
        self._result, self._chunks = result, chunks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._result, name)

    def IsChunkDataAvailable(self) -> bool:
        return bool(self._chunks)

    def GetChunkDataNodeMap(self) -> Any:
        def node(value: float) -> Any:
            return SimpleNamespace(IsReadable=lambda: not math.isnan(value), GetValue=lambda: value)

        return SimpleNamespace(GetNode={name: node(v) for name, v in self._chunks.items()}.get)


@pytest.mark.parametrize(
    ("chunks", "made_by"),
    [
        ({"ChunkExposureTime": 987.5, "ChunkGain": 1.5}, (987.5, 1.5)),
        ({"ChunkExposureTime": 987.5}, (987.5, 0.0)),
        ({"ChunkExposureTime": math.nan, "ChunkGain": math.nan}, (1_000.0, 0.0)),
        ({}, (1_000.0, 0.0)),
    ],
)
def test_what_a_frame_says_of_itself_wins_over_what_was_read_back(
    studio: PylonStudio,
    monkeypatch: pytest.MonkeyPatch,
    chunks: dict[str, float],
    made_by: tuple[float, float],
) -> None:
    monkeypatch.setattr(studio.camera._device, "chunks", ("ExposureTime", "Gain"))
    camera = studio.camera._camera
    real = camera.RetrieveResult
    monkeypatch.setattr(camera, "RetrieveResult", lambda *wait: Chunky(real(*wait), chunks))
    frame = studio.capture()
    assert (frame.exposure_us, frame.gain_db) == made_by


def test_limits_come_from_the_node_that_counts(studio: PylonStudio) -> None:
    limits = studio.camera.open()
    # The emulator's ExposureTime would say 1 to 10,000,000.
    assert (limits.exposure_min_us, limits.exposure_max_us) == (100.0, 3_000_000.0)
    assert (limits.width, limits.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"width": 100_000}, "width 100000 px is more"),
        ({"encoding": "jpeg"}, "'jpeg' is not one of"),
    ],
)
def test_impossible_settings_are_refused_on_opening(
    make_studio: Callable[..., PylonStudio], settings: dict[str, Any], words: str
) -> None:
    studio = make_studio(**settings)
    with pytest.raises(OutOfRange, match=words):
        studio.camera.open()
    with pytest.raises(DeviceLost, match="not open"):
        studio.capture()


def test_the_region_is_told_in_pixels_of_the_sensor(make_studio: Callable[..., PylonStudio]) -> None:
    whole = make_studio(width=0, height=0).camera.open().region
    assert whole is not None
    assert whole.is_whole
    part = make_studio(width=64, height=48, offset=(16, 8)).camera.open().region
    assert part is not None
    assert (part.x, part.y, part.width, part.height, part.binning) == (16, 8, 64, 48, 1)
    assert (part.sensor_width, part.sensor_height) == (whole.sensor_width, whole.sensor_height)


def test_settings_reach_the_camera(make_studio: Callable[..., PylonStudio]) -> None:
    studio = make_studio(binning=2, packet_size=9000, offset=(8, 4), gain_db=3.0)
    studio.camera.open()
    described = studio.camera.describe()
    assert described["region"] == f"{WIDTH}x{HEIGHT}+8+4"
    assert described["packet_size"] == 9000
    assert described["gain_db"] == pytest.approx(3.0, abs=0.05)
    assert studio.camera._device.node_map.GetNode("BinningHorizontal").GetValue() == 2


def test_a_preview_gives_the_newest_frame_and_then_steps_again(studio: PylonStudio) -> None:
    assert isinstance(studio.camera, PreviewCamera)
    assert studio.camera.start_preview(100.0) == pytest.approx(100.0)
    stamps = [studio.camera.latest(1.0).begun_ns for _ in range(10)]
    assert stamps == sorted(set(stamps))
    assert studio.is_fresh(studio.capture())  # ends the preview
    with pytest.raises(DeviceError, match="no preview is running"):
        studio.camera.latest(1.0)
    studio.camera.start_preview()
    studio.camera.stop_preview()
    studio.camera.stop_preview()


def test_a_preview_drops_what_nobody_fetched(studio: PylonStudio) -> None:
    studio.camera.start_preview(200.0)
    clock = studio.camera._clock
    studio.camera.latest(1.0)
    resume_ns = clock.now_ns() + 200_000_000
    clock.wait_until(resume_ns)
    # Forty frames came meanwhile; the one fetched now must not be an old one. Its stamp is an
    # estimate from its arrival, so count instead: at most one frame waits.
    studio.camera.latest(1.0)
    assert studio.camera._stream.discard() <= 1


def test_a_setting_changed_in_a_preview_makes_the_very_next_frame(studio: PylonStudio) -> None:
    studio.camera.start_preview(100.0)
    studio.camera.latest(1.0)
    studio.camera.set_exposure(5_000.0)
    assert studio.camera.latest(1.0).exposure_us == 5_000.0
    assert studio.painted[-1] == 5_000.0


def test_an_abort_ends_the_wait_for_a_preview(studio: PylonStudio) -> None:
    studio.camera.start_preview(0.5)
    studio.camera.latest(1.0)
    done = threading.Event()

    def insist() -> None:
        while not done.wait(0.02):
            studio.camera.abort()

    thread = threading.Thread(target=insist)
    thread.start()
    assert studio.camera.latest(60.0) is None
    done.set()
    thread.join()
