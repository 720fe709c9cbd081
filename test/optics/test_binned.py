"""Frames drawn at half size against frames of the full sensor, halved by OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from dasha_ros.devices.errors import OutOfRange
from dasha_ros.devices.twin.camera import TwinCamera
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.optics.binned import BinnedReadout, HalfSizeReadout
from dasha_ros.optics.sensor import Sensor, SensorReadout, image_illuminance_lx

IMAGE_LX = image_illuminance_lx(100.0, 2.0)
SIZE = (136, 256)


@pytest.fixture(scope="module")
def half() -> HalfSizeReadout:
    return HalfSizeReadout()


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, SIZE, np.uint8)


def halved(reflectance: np.ndarray, exposure_us: float) -> np.ndarray:
    """The full sensor, without a fixed pattern, and perception's first step of shrinking."""
    full = np.repeat(np.repeat(reflectance, 2, axis=0), 2, axis=1)
    frame = SensorReadout(Sensor(prnu=0.0), seed=1).expose(full, IMAGE_LX, exposure_us)
    return cv2.resize(frame, SIZE[::-1], interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("exposure_us", [24, 100, 400, 1000, 3000, 10_000, 20_000, 45_000])
def test_mean_and_spread_are_those_of_the_full_sensor(half: HalfSizeReadout, exposure_us: float) -> None:
    grey = np.full(SIZE, 0.5, np.float32)
    expected, drawn = halved(grey, exposure_us), half.expose(grey, IMAGE_LX, exposure_us, noise())
    assert drawn.mean() == pytest.approx(expected.mean(), abs=0.05)
    assert drawn.std() == pytest.approx(expected.std(), abs=0.05)


@pytest.mark.parametrize("exposure_us", [100, 3000, 20_000])
def test_grey_levels_have_the_same_distribution(half: HalfSizeReadout, exposure_us: float) -> None:
    grey = np.full(SIZE, 0.5, np.float32)
    expected, drawn = halved(grey, exposure_us), half.expose(grey, IMAGE_LX, exposure_us, noise())
    both = [np.cumsum(np.bincount(x.ravel(), minlength=256)) / x.size for x in (expected, drawn)]
    # Kolmogorov's distance; chance allows 0.01 at this size, the table's steps of light the rest.
    assert np.abs(both[0] - both[1]).max() < 0.05


def test_a_full_well_and_darkness_are_the_ends(half: HalfSizeReadout) -> None:
    white = half.expose(np.ones(SIZE, np.float32), IMAGE_LX, 1e6, noise())
    black = half.expose(np.zeros(SIZE, np.float32), IMAGE_LX, 24.0, noise())
    assert white.min() == 255
    assert black.max() <= 1


def test_brightness_follows_light(half: HalfSizeReadout) -> None:
    ramp = np.broadcast_to(np.linspace(0.0, 1.0, SIZE[1], dtype=np.float32), SIZE)
    columns = half.expose(ramp, IMAGE_LX, 20_000, noise()).mean(axis=0)
    expected = halved(np.ascontiguousarray(ramp), 20_000).mean(axis=0)
    assert np.abs(columns - expected).max() < 0.5


def test_the_same_bytes_give_the_same_frame(half: HalfSizeReadout) -> None:
    grey = np.full(SIZE, 0.3, np.float32)
    first = half.expose(grey, IMAGE_LX, 5000, noise(1))
    assert (first == half.expose(grey, IMAGE_LX, 5000, noise(1))).all()
    assert (first != half.expose(grey, IMAGE_LX, 5000, noise(2))).any()


def test_twelve_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="12 bits"):
        HalfSizeReadout(Sensor(bits=12))


@pytest.mark.parametrize("exposure_us", [400, 10_000, 45_000])
def test_binned_frames_have_the_noise_and_the_pattern_of_four_pixels(exposure_us: float) -> None:
    grey = np.full(SIZE, 0.5, np.float32)
    full = np.repeat(np.repeat(grey, 2, axis=0), 2, axis=1)
    expected, drawn = [], []
    pixels, binned = SensorReadout(seed=1), BinnedReadout(seed=1)
    for _ in range(6):
        frame = pixels.expose(full, IMAGE_LX, exposure_us)
        expected.append(cv2.resize(frame, SIZE[::-1], interpolation=cv2.INTER_AREA))
        drawn.append(binned.expose(grey, IMAGE_LX, exposure_us))
    assert np.mean(drawn) == pytest.approx(np.mean(expected), abs=0.1)
    assert np.std(drawn) == pytest.approx(np.std(expected), rel=0.05, abs=0.03)
    # What stays from frame to frame is the pattern; what changes is the noise.
    assert np.mean(drawn, axis=0).std() == pytest.approx(np.mean(expected, axis=0).std(), rel=0.06, abs=0.03)
    assert not np.array_equal(drawn[0], drawn[1])


def test_a_seed_repeats_binned_frames() -> None:
    grey = np.full(SIZE, 0.5, np.float32)
    binned = BinnedReadout(seed=3)
    first = [binned.expose(grey, IMAGE_LX, 5_000) for _ in range(2)]
    binned.seed(3)
    again = [binned.expose(grey, IMAGE_LX, 5_000) for _ in range(2)]
    assert np.array_equal(first, again)
    binned.seed(4)
    assert not np.array_equal(binned.expose(grey, IMAGE_LX, 5_000), first[0])


def test_a_binned_frame_has_neither_gain_nor_colour() -> None:
    grey = np.full(SIZE, 0.5, np.float32)
    with pytest.raises(ValueError, match="no gain"):
        BinnedReadout().expose(grey, IMAGE_LX, 5_000, gain_db=6.0)
    with pytest.raises(ValueError, match="no gain"):
        BinnedReadout().expose(np.repeat(grey[..., None], 3, axis=2), IMAGE_LX, 5_000)
    with pytest.raises(ValueError, match="binned frames are mono8"):
        TwinCamera(ManualClock(), encoding="rgb8", binned=True)
    with pytest.raises(OutOfRange, match="from 0 to 0 dB"):
        TwinCamera(ManualClock(), binned=True).set_gain(6.0)
