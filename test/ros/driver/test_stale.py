"""No stale frame of a camera node is used: camera and lens behind one driver, whose pictures follow late."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from scripted_driver import Script, ScriptedHost
from webcam_in_memory import told

from dasha_ros.devices.lag.latency import Latency, write_latency
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.ros.driver.camera import DriverCamera, DriverSettings
from dasha_ros.ros.driver.lens import DriverLens
from dasha_ros.ros.driver.table import driver_named

STEPS = 2_000
DRIVER = driver_named("camera_ros")


class Bench:
    """Camera and lens of one driver, as two nodes have them, with its lag as it was measured or assumed."""

    def __init__(self, folder: Path, script: Script, measured: tuple[int, int] | None) -> None:
        self.clock = ManualClock()
        self.host = ScriptedHost(self.clock, script, size=(2, 4))
        path = folder / "latency.yaml"
        latency = ""
        if measured is not None:
            write_latency(path, Latency("camera_ros /camera", *measured, 1 / 30))
            latency = str(path)
        settings = DriverSettings(latency=latency)
        self.camera = DriverCamera(DRIVER, settings, self.port, self.clock)
        self.lens = DriverLens(DRIVER, self.port, latency=latency, clock=self.clock)
        self.camera.open()
        self.lens.open()

    def port(self):
        return self.host.port()

    def stale_frames(self, steps: int, choices: Sequence[float] = ()) -> int:
        """Steps whose picture was not made by the settings in force, or began too early.

        Args:
            steps: How many.
            choices: Exposures to choose from [us]; empty: any, up to four times the time between two frames.
        """
        rng, stale, rest_ns = random.Random(steps), 0, 0
        exposure_us, focus = self.camera.set_exposure(10_000.0), self.lens.move(0.0).position
        rest_ns = self.clock.now_ns() + 2_000_000_000
        for _ in range(steps):
            self.clock.advance(rng.randrange(100_000_000))
            if rng.random() < 0.7:
                any_us = 100.0 * rng.choice((rng.randrange(1, 333), rng.randrange(333, 1300)))
                exposure_us = rng.choice(choices) if choices else any_us
                self.camera.set_exposure(exposure_us)
            if rng.random() < 0.7:
                reading = self.lens.move(rng.randrange(41) / 8.0)
                focus, rest_ns = reading.position, self.clock.now_ns() + round(reading.settle_s * 1e9)
            asked_ns = self.clock.now_ns()
            frame = self.camera.capture(rest_ns)
            shown = told(frame.pixels)
            wrong = shown != (round(exposure_us / 100.0), pytest.approx(focus, abs=0.02))
            stale += wrong or frame.begun_ns < asked_ns or frame.exposure_us != exposure_us
        return stale


@pytest.mark.parametrize("has_metadata", [True, False])
@pytest.mark.parametrize("lag", range(7))
def test_no_stale_frame_in_two_thousand_steps(lag: int, has_metadata: bool, tmp_path: Path) -> None:
    script = Script(lag, lag, has_metadata)
    assert Bench(tmp_path, script, (lag + 1, lag + 1)).stale_frames(STEPS) == 0


@pytest.mark.parametrize("lag", [0, 6])
def test_metadata_tell_even_where_the_lag_was_measured_too_short(lag: int, tmp_path: Path) -> None:
    bench = Bench(tmp_path, Script(lag, 0), (0, 1))
    # Metadata tell exposures apart that differ by more than their tolerance.
    assert bench.stale_frames(300, [100.0 * round(5.0 * 1.3**step) for step in range(20)]) == 0


def test_without_metadata_a_lag_that_was_measured_too_short_is_found_by_this_test(tmp_path: Path) -> None:
    assert Bench(tmp_path, Script(5, 0, has_metadata=False), (0, 1)).stale_frames(100) > 20


@pytest.mark.parametrize("has_metadata", [True, False])
def test_lost_frames_lost_metadata_and_foreign_stamps_make_no_frame_stale(
    has_metadata: bool, tmp_path: Path
) -> None:
    rng = random.Random(3)
    script = Script(4, 4, has_metadata)
    script.lose = lambda _: rng.random() < 0.3
    script.lose_metadata = lambda _: rng.random() < 0.3
    assert Bench(tmp_path, script, (5, 5)).stale_frames(200) == 0


def test_stamps_of_another_clock_are_not_trusted(tmp_path: Path) -> None:
    assert Bench(tmp_path, Script(4, 4, stamps_lie=True), (5, 5)).stale_frames(200) == 0


@pytest.mark.parametrize("has_metadata", [True, False])
def test_an_assumed_lag_is_enough_for_six_frames(has_metadata: bool, tmp_path: Path) -> None:
    assert Bench(tmp_path, Script(5, 5, has_metadata), None).stale_frames(200) == 0


@pytest.mark.parametrize(("lag", "most"), [(0, 2), (3, 5), (6, 8)])
def test_with_metadata_an_exposure_costs_the_lag_and_the_frame_itself(
    lag: int, most: int, tmp_path: Path
) -> None:
    bench = Bench(tmp_path, Script(lag, 0), (lag + 1, 1))
    bench.camera.capture()
    for number in range(20, 40):
        begun = len(bench.host.made)
        bench.camera.set_exposure(500.0 * number)
        bench.camera.capture()
        assert len(bench.host.made) - begun <= most


@pytest.mark.parametrize("has_metadata", [True, False])
@pytest.mark.parametrize("lag", [0, 3, 6])
def test_a_move_costs_at_most_a_frame_more_than_the_lag(lag: int, has_metadata: bool, tmp_path: Path) -> None:
    bench, rng = Bench(tmp_path, Script(lag, lag, has_metadata), (lag + 1, lag + 1)), random.Random(lag)
    # After a dozen pictures it is known that none has metadata.
    for _ in range(12):
        bench.camera.capture()
    for number in range(20, 60):
        bench.clock.advance(rng.randrange(33_000_000))
        begun, asked_ns = len(bench.host.made), bench.clock.now_ns()
        bench.camera.set_exposure(500.0 * number)
        reading = bench.lens.move(rng.randrange(41) / 8.0)
        bench.camera.capture(asked_ns + round(reading.settle_s * 1e9))
        # The lag, the frame on its way, the margin, and the frame that answers.
        assert len(bench.host.made) - begun <= lag + 3
