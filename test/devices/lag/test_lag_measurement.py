"""The measured lag of a webcam whose lag is known, and scenes that can't be measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from webcam_in_memory import MemoryWebcam

from dasha_ros.devices.errors import DeviceLost
from dasha_ros.devices.lag.latency import Latency
from dasha_ros.devices.lag.measurement import (
    WATCHED,
    LagError,
    exposure_setting,
    focus_setting,
    frames_at_odds,
    measure,
)
from dasha_ros.devices.v4l2.camera import WebcamCamera, WebcamSettings
from dasha_ros.devices.v4l2.lag_bench import WebcamLagBench
from dasha_ros.emulators.webcam.controls import Shown, WebcamKnobs
from dasha_ros.freshness.clock import ManualClock

SIZE = (24, 32)
EXPOSURE = exposure_setting((1.0, 2.0), lambda value: None)
FRAMES = WATCHED["exposure"]


class Painter:
    """A chequered wall at 1 m whose contrast falls with its blur, with noise of the sensor."""

    def __init__(
        self, *, contrast: float = 40.0, noise: float = 1.0, drift: Callable[[int], float] | None = None
    ):
        self._contrast, self._noise, self._drift = contrast, noise, drift or (lambda frame: 1.0)
        self._rng, self._frames = np.random.default_rng(0), 0
        self._wall = (np.indices(SIZE) // 4).sum(axis=0) % 2 * 2.0 - 1.0

    def __call__(self, shown: Shown, size: tuple[int, int]) -> np.ndarray:
        self._frames += 1
        light = min(shown.exposure_us / 300.0, 230.0) * self._drift(self._frames)
        sharp = self._contrast / (1.0 + (4.0 * (shown.focus_dioptres - 1.0)) ** 2)
        picture = light * (1.0 + sharp / 100.0 * self._wall) + self._rng.normal(0.0, self._noise, size)
        return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def bench_on(folder: Path, painter: Painter, knobs: WebcamKnobs, **options: object) -> MemoryWebcam:
    return MemoryWebcam(ManualClock(), folder, knobs=knobs, size=SIZE, paint=painter, **options)


def measured(device: MemoryWebcam, *, with_focus: bool = True) -> Latency:
    with WebcamLagBench("", device.access) as bench:
        return measure(bench, device.clock, lambda *_: None, with_focus=with_focus)


@pytest.mark.parametrize(("exposure", "focus"), [(0, 0), (2, 5), (6, 3)])
def test_the_measured_lag_is_the_true_one(exposure: int, focus: int, tmp_path: Path) -> None:
    knobs = WebcamKnobs(exposure, focus, focus_time_constant_s=0.0)
    device = bench_on(tmp_path, Painter(), knobs)
    latency = measured(device)
    # The frame that is on its way when the command comes shows the old setting, too.
    assert (latency.exposure_frames, latency.focus_frames) == (exposure + 1, focus + 1)
    assert latency.frame_s == pytest.approx(1 / 30, rel=1e-3)
    assert latency.model == device.found.model


def test_a_lens_that_travels_lags_until_it_has_arrived(tmp_path: Path) -> None:
    slow = WebcamKnobs(2, 2, focus_time_constant_s=0.1)
    frames = measured(bench_on(tmp_path, Painter(), slow)).focus_frames
    # exp(-t / 0.1 s) of a whole range is small after some 0.5 to 0.7 s, which are 15 to 21 frames.
    assert frames is not None
    assert 2 + 15 <= frames <= 2 + 21


def test_a_lens_counts_as_arrived_later_than_an_exposure_that_is_as_near() -> None:
    creeps = [0.0] * 3 + [1.0 - 0.3**n for n in range(1, FRAMES - 2)]
    focus = focus_setting((0.0, 1.0), lambda value: None)
    # After the third frame, 0.3, 0.09 and 0.027 are left. An exposure may be off by 0.12, a lens by 0.06.
    assert frames_at_odds([0.0] * FRAMES, creeps, EXPOSURE) == 4
    assert frames_at_odds([0.0] * FRAMES, creeps, focus) == 5


def test_where_noise_hides_the_end_of_a_travel_a_frame_more_counts() -> None:
    focus = focus_setting((0.0, 1.0), lambda value: None)
    after = [0.0] * 5 + [1.0 + 0.02 * (-1) ** n for n in range(FRAMES - 5)]
    assert frames_at_odds([0.0] * FRAMES, after, focus) == 6
    assert frames_at_odds([0.0] * FRAMES, after, EXPOSURE) == 5


def test_a_measured_webcam_is_left_as_it_was_found(tmp_path: Path) -> None:
    device = bench_on(tmp_path, Painter(), WebcamKnobs())
    before = [device.states.get(control.name) for control in device.states.controls]
    measured(device)
    assert [device.states.get(control.name) for control in device.states.controls] == before


def test_a_webcam_without_focus_is_measured_for_its_exposure(tmp_path: Path) -> None:
    latency = measured(bench_on(tmp_path, Painter(), WebcamKnobs(1), has_focus=False))
    assert (latency.exposure_frames, latency.focus_frames) == (2, None)


def test_the_focus_can_be_left_out(tmp_path: Path) -> None:
    assert (
        measured(bench_on(tmp_path, Painter(contrast=0.0), WebcamKnobs(1)), with_focus=False).focus_frames
        is None
    )


@pytest.mark.parametrize(
    ("painter", "says"),
    [
        (Painter(contrast=0.0), "does not answer to the focus: point the camera at something still"),
        (Painter(drift=lambda frame: 0.0), "does not show the exposure: point the camera at something lit"),
        (Painter(drift=lambda frame: 1.0 + 0.5 * (frame % 3 == 0)), "does not answer to the exposure"),
        (Painter(drift=lambda frame: 1.0 + 0.4 * np.sin(frame / 9)), "has not come to rest|does not answer"),
    ],
    ids=["blank wall", "dark", "flicker", "light that changes"],
)
def test_a_scene_that_cannot_be_measured_is_refused_with_a_reason(
    painter: Painter, says: str, tmp_path: Path
) -> None:
    with pytest.raises(LagError, match=says):
        measured(bench_on(tmp_path, painter, WebcamKnobs()))


def test_a_webcam_in_use_is_not_measured(tmp_path: Path) -> None:
    device = bench_on(tmp_path, Painter(), WebcamKnobs())
    camera = WebcamCamera(WebcamSettings(), device.clock, device.access)
    camera.open()
    with pytest.raises(DeviceLost, match="another process already uses the camera"):
        measured(device)
    camera.close()
    measured(device, with_focus=False)


@given(st.integers(0, FRAMES // 2), st.floats(-100, 100), st.floats(5, 100), st.booleans())
def test_a_clean_step_is_counted_exactly(lag: int, base: float, step: float, falls: bool) -> None:
    sign = -1.0 if falls else 1.0
    before = [base] * FRAMES
    after = [base] * lag + [base + sign * step] * (FRAMES - lag)
    assert frames_at_odds(before, after, EXPOSURE) == lag


def test_a_late_spike_counts() -> None:
    after = [1.0] * FRAMES
    after[10] = 0.2
    assert frames_at_odds([0.0] * FRAMES, after, EXPOSURE) == 11


def test_a_picture_that_moves_at_the_end_is_not_at_rest() -> None:
    after = [1.0] * FRAMES
    after[-1] = 0.2
    with pytest.raises(LagError, match=r"does not answer|has not come to rest"):
        frames_at_odds([0.0] * FRAMES, after, EXPOSURE)
