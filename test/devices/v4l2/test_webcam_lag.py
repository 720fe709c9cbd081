"""No stale frame of a webcam is used: camera and lens on one device, whose picture follows late."""

from __future__ import annotations

import random
from collections import deque
from pathlib import Path

import numpy as np
import pytest
from webcam_in_memory import MemoryWebcam, told

from dasha_ros.devices.lag.latency import Latency, write_latency
from dasha_ros.devices.v4l2.camera import WebcamCamera, WebcamSettings
from dasha_ros.devices.v4l2.lens import WebcamLens
from dasha_ros.emulators.webcam.controls import Shown, WebcamKnobs
from dasha_ros.emulators.webcam.optics import WEBCAM_LENS
from dasha_ros.freshness.clock import ManualClock

STEPS = 2_000


class Bench:
    """Camera and lens of one webcam, as two drivers have them, with its lag as it was measured."""

    def __init__(
        self, folder: Path, lag: int, focus_lag: int | None = None, *, measured: int | None = None
    ) -> None:
        self.clock = ManualClock()
        focus_lag = lag if focus_lag is None else focus_lag
        knobs = WebcamKnobs(lag, focus_lag, focus_time_constant_s=0.0, focus_play=0.0)
        self.device = MemoryWebcam(self.clock, folder, knobs=knobs, size=(2, 4))
        # One frame more: the one that is on its way when a command comes shows the old setting, too.
        frames, focus_frames = (lag + 1, focus_lag + 1) if measured is None else (measured, measured)
        path = folder / "latency.yaml"
        write_latency(path, Latency(self.device.found.model, frames, focus_frames, 1 / 30))
        self.camera = WebcamCamera(WebcamSettings(latency=str(path)), self.clock, self.device.access)
        self.lens = WebcamLens(latency=str(path), clock=self.clock, access=self.device.access)
        self.camera.open()
        self.lens.open()

    def shown(self, not_before_ns: int) -> tuple[int, float]:
        """Exposure [100 us] and focus [D] in the next picture."""
        return told(self.camera.capture(not_before_ns).pixels)


def stale_frames(bench: Bench, steps: int) -> int:
    rng, stale, rest_ns = random.Random(steps), 0, 0
    exposure, focus = 100, 0.0
    for _ in range(steps):
        bench.clock.advance(rng.randrange(100_000_000))
        if rng.random() < 0.7:
            # Up to four times as long as the time between two frames.
            exposure = rng.choice((rng.randrange(1, 333), rng.randrange(333, 1300)))
            bench.camera.set_exposure(exposure * 100.0)
        if rng.random() < 0.7:
            reading = bench.lens.move(5.0 * rng.randrange(51))
            focus, rest_ns = reading.position, bench.clock.now_ns() + round(reading.settle_s * 1e9)
        shown = bench.shown(rest_ns)
        stale += shown != (exposure, pytest.approx(WEBCAM_LENS.dioptres(focus), abs=0.02))
    return stale


@pytest.mark.parametrize("lag", range(7))
def test_no_stale_frame_in_two_thousand_steps(lag: int, tmp_path: Path) -> None:
    bench = Bench(tmp_path, lag)
    bench.camera.set_exposure(10_000.0)
    bench.lens.move(0.0)
    assert stale_frames(bench, STEPS) == 0


@pytest.mark.parametrize(("lag", "focus_lag"), [(0, 6), (6, 0), (2, 5), (4, 3)])
def test_no_stale_frame_where_exposure_and_focus_lag_differently(
    lag: int, focus_lag: int, tmp_path: Path
) -> None:
    bench = Bench(tmp_path, lag, focus_lag)
    bench.camera.set_exposure(10_000.0)
    bench.lens.move(0.0)
    assert stale_frames(bench, STEPS) == 0


def test_stale_frames_are_found_where_the_measured_lag_is_too_short(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 5, measured=0)
    assert stale_frames(bench, 100) > 20


@pytest.mark.parametrize("lag", [0, 3, 6])
def test_an_exposure_costs_at_most_a_frame_more_than_the_lag(lag: int, tmp_path: Path) -> None:
    bench = Bench(tmp_path, lag)
    bench.camera.capture()
    for exposure in range(20, 60):
        begun = len(bench.device.shown)
        bench.camera.set_exposure(exposure * 100.0)
        bench.camera.capture()
        # The lag, the frame on its way, the margin, and the frame that answers.
        assert len(bench.device.shown) - begun <= lag + 3


@pytest.mark.parametrize("exposure_us", [100.0, 24_000.0, 100_000.0])
@pytest.mark.parametrize("lag", [0, 3, 6])
def test_a_move_costs_at_most_a_frame_more_than_the_lag(lag: int, exposure_us: float, tmp_path: Path) -> None:
    """Also at exposures that are nearly as long as the time between two frames, or longer."""
    bench, rng = Bench(tmp_path, lag), random.Random(lag)
    bench.camera.set_exposure(exposure_us)
    bench.camera.capture()
    for _ in range(40):
        bench.clock.advance(rng.randrange(33_000_000))
        begun, asked_ns = len(bench.device.shown), bench.clock.now_ns()
        reading = bench.lens.move(5.0 * rng.randrange(51))
        frame = bench.camera.capture(asked_ns + round(reading.settle_s * 1e9))
        assert frame.begun_ns >= asked_ns + round(reading.settle_s * 1e9)
        # As an exposure: the lag, the frame on its way, the margin, and the frame that answers.
        assert len(bench.device.shown) - begun <= lag + 3


def test_frames_that_are_lost_on_the_way_do_not_count(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 4)
    rng = random.Random(1)
    bench.device.lose = lambda _: rng.random() < 0.3
    bench.camera.set_exposure(10_000.0)
    bench.lens.move(0.0)
    assert stale_frames(bench, 200) == 0


def test_the_diagnostics_say_which_lag_is_assumed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 2)
    assert "exposure 3, focus 3 frames, from " in bench.camera.describe()["lag"]
    assert "exposure 3, focus 3 frames, from " in bench.lens.describe()["lag"]


def test_a_lag_that_nobody_measured_is_said_to_be_assumed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    device = MemoryWebcam(ManualClock(), tmp_path)
    camera = WebcamCamera(WebcamSettings(), device.clock, device.access)
    camera.open()
    assert "assumed; measure it with `dasha calibrate latency`" in camera.describe()["lag"]


def test_a_picture_never_shows_what_was_there_before_it_was_asked_for(tmp_path: Path) -> None:
    # The knob's lag is that of the way from the sensor to here, too: the light changes at once.
    lag, light = 4, {"now": 0}
    bench = Bench(tmp_path, lag)
    line: deque[int] = deque([0] * lag)

    def paint(shown: Shown, size: tuple[int, int]) -> np.ndarray:
        line.append(light["now"])
        return np.full(size, line.popleft(), np.uint8)

    bench.device.paint = paint
    rng = random.Random(0)
    for number in range(1, 200):
        bench.clock.advance(rng.randrange(300_000_000))
        bench.camera.capture()
        light["now"] = number
        assert bench.camera.capture().pixels[0, 0] == number


def test_a_lens_of_another_device_has_to_be_shown_as_well(tmp_path: Path) -> None:
    lag = 3
    bench = Bench(tmp_path, lag)
    bench.camera.close()
    path = tmp_path / "exposure_only.yaml"
    write_latency(path, Latency(bench.device.found.model, lag + 1, None, 1 / 30))
    camera = WebcamCamera(WebcamSettings(latency=str(path)), bench.clock, bench.device.access)
    camera.open()
    rest_ns = bench.clock.now_ns() + 400_000_000
    frame = camera.capture(rest_ns)
    assert frame.begun_ns >= rest_ns + (lag + 1) * 33_000_000
