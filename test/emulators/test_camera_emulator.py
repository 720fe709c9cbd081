"""Rendered pictures appear in pylon's emulator, also from another process."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from painters import Level, Painter

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.pylon.camera import PylonCamera
from dasha_ros.devices.pylon.device import PylonSettings
from dasha_ros.devices.twin.camera import TwinCamera
from dasha_ros.devices.varioptic.lens import VariopticLens, VariopticSettings
from dasha_ros.emulators.camera.bench import CameraBench
from dasha_ros.emulators.camera.pictures import PictureFeed, Render
from dasha_ros.emulators.camera.twin_view import TwinView
from dasha_ros.emulators.lens.port import LensEmulator, LensEmulatorSettings
from dasha_ros.perception.image import working_image
from dasha_ros.perception.quality.sharpness import Sharpness
from dasha_ros.twin.world import World

RNG = np.random.default_rng(7)


def camera_for(render: Render, tmp_path: Path, **settings: Any) -> tuple[PylonCamera, PictureFeed]:
    feed = PictureFeed(render, tmp_path)
    options: dict[str, Any] = {"width": 64, "height": 48, "exposure_us": 500.0} | settings
    return PylonCamera(PylonSettings(**options), attach=CameraBench().attach, listener=feed), feed


@pytest.mark.parametrize("encoding", ["mono8", "mono16", "rgb8", "bgr8"])
def test_pylon_shows_the_rendered_picture(encoding: str, tmp_path: Path) -> None:
    shape = (48, 64) if encoding.startswith("mono") else (48, 64, 3)
    deep = encoding == "mono16"
    picture = RNG.integers(0, 256, shape).astype(np.uint8)
    if deep:  # 12 bits, the upper ones
        picture = RNG.integers(0, 4096, shape).astype(np.uint16) << 4
    camera, feed = camera_for(Painter(picture), tmp_path, encoding=encoding)
    camera.open()
    frame = camera.capture()
    camera.close()
    feed.close()
    assert frame is not None
    seen = frame.pixels[..., ::-1] if encoding == "bgr8" else frame.pixels
    assert np.array_equal(seen, picture)
    assert frame.pixels.dtype == picture.dtype


def test_each_frame_is_rendered_once_with_the_current_settings(tmp_path: Path) -> None:
    painter = Painter(np.zeros((48, 64), np.uint8))
    camera, feed = camera_for(painter, tmp_path)
    camera.open()
    gains = []
    for exposure_us, gain_db in ((200.0, 0.0), (900.0, 6.0), (300.0, 3.0)):
        camera.set_exposure(exposure_us)
        gains.append(camera.set_gain(gain_db))
        camera.capture()
    camera.close()
    feed.close()
    assert painter.asked == list(zip([200.0, 900.0, 300.0], gains, strict=True))
    assert not any(tmp_path.iterdir())


def grey_level(camera: PylonCamera, not_before_ns: int = 0) -> int:
    frame = camera.capture(not_before_ns)
    assert frame is not None
    assert (frame.pixels == frame.pixels[0, 0]).all()
    return int(frame.pixels[0, 0])


def test_a_picture_is_rendered_ahead_and_again_if_it_is_outdated(tmp_path: Path) -> None:
    stage = Level()
    camera, feed = camera_for(stage, tmp_path)
    camera.open()
    assert grey_level(camera) == 10
    assert feed.painted == 2  # the blank one of the opening, and this one
    begin_ns = time.monotonic_ns() + 50_000_000

    def change() -> None:
        assert stage.begins[-1] == begin_ns  # painted ahead
        stage.level = 20

    timer = threading.Timer(0.02, change)
    timer.start()
    assert grey_level(camera, begin_ns) == 20
    timer.join()
    camera.close()
    feed.close()


def test_a_preview_is_rendered_only_if_something_changed(tmp_path: Path) -> None:
    stage = Level()
    camera, feed = camera_for(stage, tmp_path)
    camera.open()
    camera.start_preview(200.0)
    assert [camera.latest(1.0).pixels[0, 0] for _ in range(20)] == [10] * 20
    assert feed.painted == 2
    stage.level = 20
    seen = [int(camera.latest(1.0).pixels[0, 0]) for _ in range(100)]
    assert seen[-1] == 20
    assert feed.painted == 3
    camera.close()
    feed.close()


@pytest.mark.parametrize("encoding", ["mono16", "rgb8"])
def test_perception_sees_the_same_in_every_encoding(encoding: str, tmp_path: Path, chart: World) -> None:
    greys = []
    with LensEmulator(tmp_path / "lens", LensEmulatorSettings(paced=False)) as emulator:
        lens = VariopticLens(VariopticSettings(port=str(emulator.link), settle_s=0.2))
        lens.open()
        settled_ns = time.monotonic_ns() + round(lens.move(43.2).settle_s * 1e9)
        for kind in ("mono8", encoding):
            view = TwinView(emulator.link, world=chart, width=320, height=170, encoding=kind, seed=1)
            camera, feed = camera_for(view, tmp_path, width=320, height=170, encoding=kind)
            camera.open()
            camera.set_exposure(8_000.0)
            frame = camera.capture(settled_ns)
            assert frame is not None
            assert frame.encoding == kind
            greys.append(working_image(frame.pixels, frame.encoding, 320).astype(float))
            camera.close()
            feed.close()
        lens.close()
    assert 40 < greys[0].mean() < 215
    assert greys[1].mean() == pytest.approx(greys[0].mean(), rel=0.03)
    assert np.corrcoef(greys[0].ravel(), greys[1].ravel())[0, 1] > 0.97


def test_folders_of_killed_processes_are_removed(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, signal, numpy\n"
        "from dasha_ros.emulators.camera.pictures import PictureFeed\n"
        f"feed = PictureFeed(lambda *_: numpy.zeros((4, 4)), pathlib.Path({str(tmp_path)!r}))\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=600)
    assert list(tmp_path.iterdir()) == []
    killed = subprocess.run(
        [sys.executable, "-c", program + "os.kill(os.getpid(), signal.SIGKILL)"], check=False, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1
    feeds = [PictureFeed(Painter(np.zeros((4, 4), np.uint8)), tmp_path) for _ in range(2)]
    assert len(list(tmp_path.iterdir())) == 2
    for feed in feeds:
        feed.close()
        feed.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((48, 64), np.float32),
        np.zeros((48, 64), np.uint16),
        np.zeros(5, np.uint8),
        np.zeros((0, 4), np.uint8),
    ],
)
def test_invalid_pictures_are_refused(picture: np.ndarray, tmp_path: Path) -> None:
    camera, feed = camera_for(Painter(picture), tmp_path)
    camera.open()
    with pytest.raises(ValueError, match="this camera shows uint8"):
        camera.capture()
    camera.close()
    feed.close()


def test_a_preview_survives_a_failing_renderer(tmp_path: Path) -> None:
    calls = 0

    def render(exposure_us: float, gain_db: float) -> np.ndarray:
        nonlocal calls
        calls += 1
        if calls % 2 == 0:
            raise DeviceLost("the light went out")
        return np.full((48, 64), calls % 256, np.uint8)

    camera, feed = camera_for(render, tmp_path)
    camera.open()
    camera.start_preview(200.0)
    levels = set()
    for _ in range(100):
        frame = camera.latest(1.0)
        assert frame is not None
        levels.add(int(frame.pixels[0, 0]))
        if len(levels) > 2:
            break
    camera.close()
    feed.close()
    assert len(levels) > 2
    assert feed.trouble == "the light went out"


def test_a_real_camera_gets_no_rendered_pictures() -> None:
    class NodeMap:
        def GetNode(self, name: str) -> None:
            return None

    feed = PictureFeed(Painter(np.zeros((4, 4), np.uint8)))
    with pytest.raises(DeviceError, match="not an emulated camera"):
        feed.opened(NodeMap())
    feed.close()


@pytest.fixture
def chart(tmp_path: Path) -> World:
    squares = np.random.default_rng(0).integers(0, 256, (34, 64, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "chart.png"), cv2.resize(squares, (640, 340), interpolation=cv2.INTER_NEAREST))
    scene = tmp_path / "chart.yaml"
    scene.write_text(
        "description: Squares.\n"
        "layers:\n  - {kind: photograph, photo: chart.png, distance_m: 1.0}\n"
        "objects:\n  - {label: chart, layer: 0}\n"
    )
    return World(scene=str(scene), illuminance_lx=300.0)


@pytest.fixture
def rig(tmp_path: Path, chart: World) -> Iterator[tuple[PylonCamera, VariopticLens, TwinView]]:
    """Real pylon and real pyserial around an emulated camera and an emulated lens."""
    with LensEmulator(tmp_path / "lens", LensEmulatorSettings(paced=False)) as emulator:
        view = TwinView(emulator.link, world=chart, width=320, height=170, seed=1)
        camera, feed = camera_for(view, tmp_path, width=320, height=170)
        lens = VariopticLens(VariopticSettings(port=str(emulator.link), settle_s=0.2))
        lens.open()
        camera.open()
        yield camera, lens, view
        camera.close()
        lens.close()
        feed.close()


def settled(camera: PylonCamera, lens: VariopticLens, position: float) -> np.ndarray:
    not_before_ns = time.monotonic_ns() + round(lens.move(position).settle_s * 1e9)
    frame = camera.capture(not_before_ns)
    assert frame is not None
    return frame.pixels


def test_pylon_shows_the_twin_in_the_focus_of_the_serial_lens(
    rig: tuple[PylonCamera, VariopticLens, TwinView],
) -> None:
    camera, lens, _ = rig
    camera.set_exposure(5_000.0)
    in_focus = 40.0 + 1.0 / 0.31  # the physical profile at 1 m
    sharp = Sharpness(settled(camera, lens, in_focus)).frame()
    assert sharp > 3 * Sharpness(settled(camera, lens, in_focus - 8.0)).frame()
    assert sharp > 3 * Sharpness(settled(camera, lens, in_focus + 8.0)).frame()


def test_pylon_shows_the_twin_at_its_exposure(
    rig: tuple[PylonCamera, VariopticLens, TwinView],
) -> None:
    camera, _, _ = rig
    means = []
    for exposure_us in (500.0, 1_000.0, 2_000.0):
        camera.set_exposure(exposure_us)
        frame = camera.capture()
        assert frame is not None
        means.append(float(frame.pixels.mean()))
    assert means[1] / means[0] == pytest.approx(2.0, rel=0.15)
    assert means[2] / means[0] == pytest.approx(4.0, rel=0.15)


def test_the_picture_equals_that_of_the_twins_own_camera(
    rig: tuple[PylonCamera, VariopticLens, TwinView], chart: World
) -> None:
    camera, lens, view = rig
    camera.set_exposure(5_000.0)
    seen = settled(camera, lens, 43.0)
    twin = TwinCamera(view.camera._clock, world=chart, width=320, height=170, seed=2)
    twin.open()
    twin.set_trajectory(view.camera._trajectories[-1])
    twin.set_exposure(5_000.0)
    frame = twin.capture()
    assert frame is not None
    # Two draws of the same noise: far closer than any other focus or exposure would be.
    assert np.abs(frame.pixels.astype(int) - seen.astype(int)).mean() < 4.0


def test_the_view_recognises_an_unchanged_picture(tmp_path: Path, chart: World) -> None:
    with LensEmulator(tmp_path / "lens", LensEmulatorSettings(paced=False)) as emulator:
        view = TwinView(emulator.link, world=chart, width=64, height=48, seed=1)

        def has_changed(exposure_us: float = 1_000.0, gain_db: float = 0.0, begin_ns: int = 0) -> bool:
            return view.seen(exposure_us, gain_db, begin_ns, only_if_changed=True) is not None

        assert has_changed()
        assert not has_changed()
        assert has_changed(2_000.0)
        assert has_changed(2_000.0, 6.0)
        view.camera.set_world(dataclasses.replace(chart, illuminance_lx=50.0))
        assert has_changed(2_000.0, 6.0)
        assert view.seen(2_000.0, 6.0) is not None  # asked for in any case
        lens = VariopticLens(VariopticSettings(port=str(emulator.link), standby_on_close=False))
        lens.open()
        lens.move(60.0)
        lens.close()
        rests_ns = time.monotonic_ns() + 10**9
        assert has_changed(2_000.0, 6.0, rests_ns)
        assert not has_changed(2_000.0, 6.0, rests_ns + 10**9)
        # Under a lamp, each exposure shows another moment.
        view.camera.set_world(dataclasses.replace(chart, lamp_hz=100.0))
        assert has_changed(2_000.0, 6.0, rests_ns + 2 * 10**9)
        assert has_changed(2_000.0, 6.0, rests_ns + 3 * 10**9)


def test_there_is_no_picture_before_the_world_is_known(
    rig: tuple[PylonCamera, VariopticLens, TwinView], monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, _, view = rig
    monkeypatch.setattr("dasha_ros.emulators.camera.twin_view.WORLD_S", 0.01)
    view.world_known.clear()
    with pytest.raises(DeviceLost, match="does twin_world run"):
        camera.capture()
    view.world_known.set()
    assert camera.capture() is not None


def test_without_a_lens_emulator_there_is_no_picture(tmp_path: Path, chart: World) -> None:
    view = TwinView(tmp_path / "nobody", world=chart, width=64, height=48)
    camera, feed = camera_for(view, tmp_path)
    camera.open()
    with pytest.raises(DeviceLost, match="no lens: no lens emulator serves"):
        camera.capture()
    camera.close()
    feed.close()
