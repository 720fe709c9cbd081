from __future__ import annotations

import numpy as np
import pytest

from dasha_ros.optics.sensor import Sensor, SensorReadout, image_illuminance_lx

SHAPE = (1000, 1000)
QUIET = Sensor(bits=12, prnu=0.0, offset_dn=400.0)
"""Twelve bits, no fixed pattern, and an offset that keeps noise off zero."""
GAIN_DB = 20.0 * np.log10(8.0)
"""With `QUIET` one electron is 2.4 levels, so quantisation hides nothing."""


def flat(value: float = 1.0) -> np.ndarray:
    return np.full(SHAPE, value, np.float32)


def exposure_for(sensor: Sensor, electrons: float, image_lx: float = 1.0) -> float:
    """Exposure [us] in which light of `image_lx` makes so many electrons."""
    return electrons / sensor.photo_electrons(image_lx, 1.0)


@pytest.mark.parametrize(
    ("f_number", "scene_lx", "milliseconds"),
    [
        (2.0, 300, 8.2), (2.0, 100, 24.7), (2.0, 13, 189.6),
        (4.0, 300, 32.9), (4.0, 100, 98.6), (4.0, 13, 759.0),
        (8.0, 300, 131.0), (8.0, 100, 394.0), (8.0, 13, 3030.0),
    ],
)  # fmt: skip
def test_mid_grey_exposures(f_number: float, scene_lx: float, milliseconds: float) -> None:
    sensor = Sensor()
    lx = image_illuminance_lx(scene_lx, f_number) * 0.5
    electrons = sensor.photo_electrons(lx, milliseconds * 1e3)
    assert electrons == pytest.approx(sensor.full_well_e / 2, rel=0.006)
    frame = SensorReadout(sensor, seed=0).expose(
        flat(0.5), image_illuminance_lx(scene_lx, f_number), milliseconds * 1e3
    )
    dark = 255 * sensor.dark_electrons(milliseconds * 1e3) / sensor.full_well_e
    assert frame.mean() == pytest.approx(127.5 + dark, rel=0.006)


@pytest.mark.parametrize(
    ("bits", "electrons"), [(8, 1000.0), (8, 6750.0), (12, 10.0), (12, 100.0), (12, 1000.0), (12, 6750.0)]
)
def test_variance_of_grey_levels(bits: int, electrons: float) -> None:
    # The 1/12 of quantisation holds where the noise spreads over levels: not at 8 bits in the dark.
    sensor = Sensor(bits=bits, prnu=0.0, dark_e_per_s=0.0, offset_dn=10.0 if bits == 8 else 100.0)
    frame = SensorReadout(sensor, seed=1).expose(flat(), 1.0, exposure_for(sensor, electrons))
    k = sensor.dn_per_electron
    assert frame.mean() == pytest.approx(k * electrons + sensor.offset_dn, abs=0.02)
    assert frame.var() == pytest.approx(k**2 * (13.0**2 + electrons) + 1 / 12, rel=0.01)


@pytest.mark.parametrize("electrons", [0.0, 5.0, 50.0, 338.0, 700.0])
def test_the_gaussian_stands_in_for_poisson_and_read_noise(electrons: float) -> None:
    sensor = QUIET
    exposure_us = exposure_for(sensor, electrons) if electrons else 1.0
    lx = 1.0 if electrons else 0.0
    frame = SensorReadout(sensor, seed=2).expose(flat(), lx, exposure_us, GAIN_DB).ravel()
    rng = np.random.default_rng(3)
    mean = electrons + sensor.dark_electrons(exposure_us)
    exact = rng.poisson(mean, frame.size) + rng.normal(0.0, sensor.read_noise_e, frame.size)
    exact = np.clip(np.round(exact * sensor.dn_per_electron * 8.0 + 400.0), 0, 4095)
    levels = np.arange(4097) - 0.5
    distance = (
        np.abs(np.cumsum(np.histogram(frame, levels)[0]) - np.cumsum(np.histogram(exact, levels)[0])).max()
        / frame.size
    )
    # 0.002 by the argument in SensorReadout's docstring, and as much again for a million samples.
    assert distance < 0.004
    assert frame.mean() == pytest.approx(exact.mean(), abs=0.2)
    assert frame.var() == pytest.approx(exact.var(), rel=0.01)


def test_gain_multiplies_signal_and_noise() -> None:
    sensor = Sensor(bits=12, prnu=0.0, offset_dn=100.0)
    exposure_us = exposure_for(sensor, 500.0)
    low = SensorReadout(sensor, seed=4).expose(flat(), 1.0, exposure_us)
    high = SensorReadout(sensor, seed=4).expose(flat(), 1.0, exposure_us, gain_db=20 * np.log10(4.0))
    assert (high.mean() - 100) / (low.mean() - 100) == pytest.approx(4.0, rel=0.005)
    assert high.std() / low.std() == pytest.approx(4.0, rel=0.02)


def test_a_full_well_is_white_and_flat_but_for_the_read_noise() -> None:
    frame = SensorReadout(Sensor(), seed=5).expose(flat(), 1.0, exposure_for(Sensor(), 40_000.0))
    assert frame.min() >= 253
    # Half of the read noise lies above the range of the converter.
    assert (frame == 255).mean() > 0.9


def test_a_full_well_stays_full_where_the_converter_has_room() -> None:
    sensor = Sensor(bits=12, full_well_e=13_500.0)
    half = SensorReadout(sensor, seed=6).expose(
        flat(), 1.0, exposure_for(sensor, 40_000.0), gain_db=20 * np.log10(0.5)
    )
    k = sensor.dn_per_electron * 0.5
    assert half.mean() == pytest.approx(13_500.0 * k, abs=0.5)
    assert half.std() == pytest.approx(13.0 * k, rel=0.05)


def test_dark_current_doubles_every_6_5_kelvin() -> None:
    sensor = Sensor()
    assert sensor.dark_electrons(1e6) == pytest.approx(125.0)
    assert sensor.dark_electrons(1e6, 31.5) == pytest.approx(250.0)
    frame = SensorReadout(QUIET, seed=7).expose(flat(), 0.0, 1e6, GAIN_DB)
    assert (frame.mean() - 400) / (QUIET.dn_per_electron * 8) == pytest.approx(125.0, abs=0.5)


def test_the_pattern_of_responsivity_belongs_to_the_specimen() -> None:
    sensor = Sensor(bits=12, prnu=0.01)
    exposure_us = exposure_for(sensor, 10_000.0)

    def mean_of_frames(serial: int, seed: int) -> np.ndarray:
        readout = SensorReadout(sensor, seed, serial)
        light = np.ones((200, 200), np.float32)
        return np.mean([readout.expose(light, 1.0, exposure_us) for _ in range(50)], axis=0)

    one, again, other = mean_of_frames(1, 8), mean_of_frames(1, 9), mean_of_frames(2, 10)
    assert one.std() / one.mean() == pytest.approx(0.01, rel=0.1)
    assert np.corrcoef(one.ravel(), again.ravel())[0, 1] > 0.9
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.05


def test_noise_is_white() -> None:
    frame = SensorReadout(QUIET, seed=11).expose(flat(), 1.0, exposure_for(QUIET, 500.0), GAIN_DB)
    noise = frame - frame.mean()
    for shifted in (np.roll(noise, 1, axis=0), np.roll(noise, 1, axis=1)):
        assert abs((noise * shifted).mean() / noise.var()) < 0.005


def test_a_seed_repeats_the_frames_and_every_frame_is_new() -> None:
    light = np.full((64, 64), 0.5, np.float32)
    one, two, other = SensorReadout(seed=1), SensorReadout(seed=1), SensorReadout(seed=2)
    first, second = one.expose(light, 1.0, 1e4), one.expose(light, 1.0, 1e4)
    assert not np.array_equal(first, second)
    assert np.array_equal(first, two.expose(light, 1.0, 1e4))
    assert np.array_equal(second, two.expose(light, 1.0, 1e4))
    assert not np.array_equal(first, other.expose(light, 1.0, 1e4))


@pytest.mark.parametrize(("bits", "dtype"), [(8, np.uint8), (12, np.uint16)])
def test_shapes_and_types(bits: int, dtype: type) -> None:
    readout = SensorReadout(Sensor(bits=bits), seed=0)
    for shape in ((7, 5), (7, 5, 3)):
        frame = readout.expose(np.ones(shape, np.float32), 1.0, 1e4)
        assert frame.shape == shape
        assert frame.dtype == dtype


def test_other_depths_are_refused() -> None:
    with pytest.raises(ValueError, match="8 or 12"):
        Sensor(bits=10)
