"""The twin's camera under a lamp of its world."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from studio import Studio

from dasha_ros.devices.twin.camera import TwinCamera
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.freshness.command import NO_COMMAND
from dasha_ros.freshness.state import CaptureInfo, LensMove
from dasha_ros.optics.lamp import lamp_light
from dasha_ros.optics.profiles import lens_model
from dasha_ros.optics.sensor import SensorReadout, image_illuminance_lx
from dasha_ros.perception.quality.flicker import FlickerWatch
from dasha_ros.twin.renderer import Renderer
from dasha_ros.twin.world import World

FRAME: dict[str, Any] = {"width": 256, "height": 136}
FRACTION_US, WHOLE_US = 14_000.0, 20_000.0


@pytest.fixture
def daylight(tmp_path: Path) -> World:
    studio = Studio(tmp_path)
    path = studio.card_before(studio.texture("card.png", 1, (64, 64)), studio.texture("wall.png", 2))
    return World(str(path), illuminance_lx=100.0)


def frames(world: World, exposure_us: float, number: int = 12) -> list[tuple[int, NDArray[Any]]]:
    """Pictures, and when they began: half a second apart give or take 25 ms, as previews are."""
    clock, jitter = ManualClock(), np.random.default_rng(0)
    camera = TwinCamera(clock, world=world, seed=1, **FRAME)
    camera.open()
    camera.set_exposure(exposure_us)
    seen = []
    for _ in range(number):
        clock.advance(500_000_000 + int(jitter.uniform(-25e6, 25e6)))
        frame = camera.capture()
        assert frame is not None
        seen.append((frame.begun_ns, frame.pixels))
    return seen


@pytest.mark.parametrize("change", [{"lamp_depth": 1.0}, {"lamp_hz": 100.0, "lamp_depth": 0.0}])
def test_without_a_lamp_not_one_bit_changes(daylight: World, change: dict[str, float]) -> None:
    lens = lens_model()
    light = Renderer(daylight.scene, **FRAME, lens=lens).render(0.0, daylight.distances_m)
    readout = SensorReadout(seed=1)
    image_lx = image_illuminance_lx(daylight.illuminance_lx, lens.f_number)
    camera = TwinCamera(ManualClock(), lens, world=replace(daylight, **change), seed=1, **FRAME)
    camera.open()
    camera.set_exposure(FRACTION_US)
    for _ in range(3):
        frame = camera.capture()
        assert frame is not None
        expected = readout.expose(light, image_lx, FRACTION_US, 0.0, daylight.temperature_c)
        np.testing.assert_array_equal(frame.pixels, expected)


def test_a_frame_has_the_light_of_its_own_exposure(daylight: World) -> None:
    lamp = replace(daylight, lamp_hz=100.0, lamp_depth=0.5)
    steady, lit = frames(daylight, FRACTION_US), frames(lamp, FRACTION_US)
    seen = [float(b.mean() / a.mean()) for (_, a), (_, b) in zip(steady, lit, strict=True)]
    expected = [lamp_light(100.0, 0.5, begun_ns / 1e9, FRACTION_US / 1e6) for begun_ns, _ in lit]
    assert max(expected) - min(expected) > 0.15
    # The sensor's black level and rounding take a little away.
    assert seen == pytest.approx(expected, abs=0.02)


def test_whole_flickers_are_equally_bright(daylight: World) -> None:
    for hz, whole_us in ((100.0, WHOLE_US), (120.0, 1e6 / 60.0)):
        lamp = replace(daylight, lamp_hz=hz)
        brightness = [float(pixels.mean()) for _, pixels in frames(lamp, whole_us)]
        assert np.ptp(brightness) < 0.005 * np.mean(brightness)
        fraction = [float(pixels.mean()) for _, pixels in frames(lamp, FRACTION_US)]
        assert np.ptp(fraction) > 0.1 * np.mean(fraction)


@pytest.mark.parametrize(("hz", "says"), [(100.0, 100.0), (120.0, 120.0), (0.0, None), (67.0, None)])
def test_perception_names_the_lamp(daylight: World, hz: float, says: float | None) -> None:
    watch = FlickerWatch()
    for number, (begun_ns, pixels) in enumerate(frames(replace(daylight, lamp_hz=hz), FRACTION_US, 24)):
        watch.see(
            pixels,
            CaptureInfo(
                begun_ns, FRACTION_US, 0.0, NO_COMMAND, number, driver="camera#1", lens=LensMove("lens#1", 1)
            ),
        )
    assert (watch.seen.hz if watch.seen else None) == says
