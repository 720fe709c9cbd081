"""A lens measured by its camera, on the twin: no device, no waiting, and the truth is known."""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np
import pytest

from dasha_ros.devices.calibration.profile import CalibrationError, Measurement, fit
from dasha_ros.devices.calibration.scan import Scanner
from dasha_ros.devices.errors import DeviceTimeout, FrameIncomplete
from dasha_ros.devices.fake.fake import FakeCamera, FakeLens
from dasha_ros.devices.twin.camera import TwinCamera
from dasha_ros.devices.twin.lens import TwinLens
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.optics.profiles import lens_model
from dasha_ros.twin.world import World

MODEL = lens_model("physical")


class Bench:
    """A lens that tells the camera how it moves, as light does."""

    def __init__(self, scene: str, distance_m: float, time_constant_s: float = 0.02) -> None:
        self.clock = ManualClock()
        world = World(scene=scene, illuminance_lx=300.0, distances_m=(distance_m,))
        self.camera = TwinCamera(self.clock, MODEL, world=world, width=320, height=170, seed=1)
        self.twin = TwinLens(self.clock, MODEL, hysteresis=0.02, time_constant_s=time_constant_s)
        self.info = self.twin.info
        self.camera.open()
        self.camera.set_exposure(4_000.0)
        self.scanner = Scanner(self.camera, self, self.clock)
        self.twin.open()

    def move(self, position: float) -> object:
        reading = self.twin.move(position)
        self.camera.set_trajectory(self.twin.trajectory)
        return reading


@pytest.mark.parametrize("distance_m", [0.4, 1.0, 3.0])
def test_the_focus_of_a_target_is_found(chart_scene: str, distance_m: float) -> None:
    peak = Bench(chart_scene, distance_m).scanner.find_focus(38.0, 50.0)
    assert peak.position == pytest.approx(MODEL.position(1 / distance_m), abs=0.1)
    # Half a volt is 0.35 px of blur here: nothing that a camera could see.
    best = max(peak.scan, key=lambda point: point[1])
    assert best[0] == pytest.approx(peak.position, abs=0.5)


def test_three_targets_make_a_profile(chart_scene: str) -> None:
    distances = (0.4, 0.7, 1.5)
    pairs = [Measurement(Bench(chart_scene, s).scanner.find_focus(38.0, 50.0).position, s) for s in distances]
    calibration = fit(pairs, LensInfo.of(MODEL))
    assert calibration.dioptres_per_unit == pytest.approx(0.31, rel=0.02)
    assert calibration.infinity_position == pytest.approx(40.0, abs=0.2)


def test_a_target_out_of_reach_is_no_measurement(chart_scene: str) -> None:
    with pytest.raises(CalibrationError, match="no clear focus between 50 and 60 V"):
        Bench(chart_scene, 3.0).scanner.find_focus(50.0, 60.0)


def test_a_blank_wall_is_no_target(chart_scene: str) -> None:
    wall = cv2.imread(chart_scene.replace("chart.yaml", "chart.png"))
    cv2.imwrite(chart_scene.replace("chart.yaml", "chart.png"), np.full_like(wall, 128))
    with pytest.raises(CalibrationError, match="fine texture"):
        Bench(chart_scene, 1.0).scanner.find_focus(38.0, 50.0)


@pytest.mark.parametrize("time_constant_s", [0.01, 0.03])
def test_the_settling_time_is_measured(chart_scene: str, time_constant_s: float) -> None:
    bench = Bench(chart_scene, 1.0, time_constant_s)
    focus = MODEL.position(1.0)
    delays = [step * 0.005 for step in range(61)]
    measured = bench.scanner.settling_s(focus - 5.0, focus, delays)
    # Blurs of less than a third of a pixel are not seen; that is 10 % of a dioptre here, of 1.55.
    expected = time_constant_s * math.log(5.0 * 0.31 / 0.1)
    assert measured == pytest.approx(expected, abs=1.0 * time_constant_s + 0.005)


def test_a_slower_lens_takes_longer(chart_scene: str) -> None:
    focus = MODEL.position(1.0)
    delays = [step * 0.005 for step in range(61)]
    fast, slow = (
        Bench(chart_scene, 1.0, tau).scanner.settling_s(focus - 5.0, focus, delays) for tau in (0.01, 0.03)
    )
    assert slow / fast == pytest.approx(3.0, rel=0.35)


def test_no_change_is_no_measurement(chart_scene: str) -> None:
    with pytest.raises(CalibrationError, match="choose a blurred start"):
        Bench(chart_scene, 1.0).scanner.settling_s(43.0, 43.0, [0.0, 0.1, 0.2])


def test_a_damaged_frame_is_taken_again_and_a_dead_camera_is_not() -> None:
    clock = ManualClock()
    camera, lens = FakeCamera(clock), FakeLens(clock)
    camera.open()
    lens.open()
    scanner = Scanner(camera, lens, clock)
    camera.failures.fail_next("capture", FrameIncomplete("damaged"), times=2)
    with pytest.raises(CalibrationError):  # flat pictures: got as far as judging them
        scanner.find_focus(40.0, 45.0)
    camera.failures.fail_next("capture", DeviceTimeout("silent"), times=100)
    with pytest.raises(DeviceTimeout):
        scanner.find_focus(40.0, 45.0)
    assert all(24.0 <= position <= 70.0 for position in lens.moves)


def test_colour_and_deep_pictures_are_judged_alike(chart_scene: str) -> None:
    peaks = []
    for encoding in ("mono8", "mono16", "rgb8"):
        bench = Bench(chart_scene, 1.0)
        camera = TwinCamera(
            bench.clock,
            MODEL,
            world=dataclasses.replace(bench.camera.world),
            width=160,
            height=85,
            encoding=encoding,
            seed=1,
        )
        camera.open()
        camera.set_exposure(4_000.0)
        bench.camera = camera
        peaks.append(Scanner(camera, bench, bench.clock).find_focus(41.0, 46.0).position)
    assert max(peaks) - min(peaks) < 0.15
