"""Draws frames at half size by a table look-up: the result of averaging 2 x 2 pixels of a sensor.

Perception first halves a frame (`perception.image`). If nothing else needs the full frame, the half
frame can be drawn directly. The grey level of one pixel has a known distribution (`optics.sensor`:
photons, dark current, full well, read noise, rounding). Convolving it four times gives the sum of
four pixels, which OpenCV rounds as (sum + 2) >> 2. The half frame therefore has the same
distribution as a halved full frame whose light does not vary within four pixels.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.optics.sensor import Sensor

QUANTILES = 256
"""Number of distinct random numbers for a pixel: tails beyond 1 in 512 are cut off."""
_LEVELS_PER_SIGMA = 8
_WELLS = 2.0
"""The table ends at this many full wells of light; beyond, every pixel is clipped."""


class HalfSizeReadout:
    """Turns images of reflectance at half size into grey levels, by inverse transform sampling."""

    def __init__(self, sensor: Sensor | None = None) -> None:
        """Tabulate the quantiles; takes about 0.2 s.

        Args:
            sensor: The sensor; the default one if left out.

        Raises:
            ValueError: The sensor has more than 8 bits.
        """
        self.sensor = sensor or Sensor()
        if self.sensor.bits != 8:
            raise ValueError(f"a half-size readout of {self.sensor.bits} bits is not implemented, only 8")
        self._dark_root = self._root(np.zeros(1))[0]
        levels = math.ceil(
            (self._root(np.array([_WELLS * self.sensor.full_well_e]))[0] - self._dark_root)
            * _LEVELS_PER_SIGMA
        )
        electrons = (self._dark_root + np.arange(levels) / _LEVELS_PER_SIGMA) ** 2 / 4.0
        self._table = _quantiles(_sum_of_four(self._pixel(electrons - self.sensor.read_noise_e**2)))
        self._last = levels - 1

    def expose(
        self,
        reflectance: NDArray[np.float32],
        image_lx: float,
        exposure_us: float,
        noise: NDArray[np.uint8],
        temperature_c: float = 25.0,
    ) -> NDArray[np.uint8]:
        """One frame at half size.

        Args:
            reflectance: Linear, shape (height, width) of the half frame; 1 is white.
            image_lx: Illuminance of the sensor by white (`image_illuminance_lx`) [lx].
            exposure_us: Exposure time [us].
            noise: Uniform random bytes of the same shape; the same bytes give the same noise.
            temperature_c: Temperature of the sensor [deg C].
        """
        per_unit = np.float32(self.sensor.photo_electrons(image_lx, exposure_us))
        dark = np.float32(
            self.sensor.dark_electrons(exposure_us, temperature_c) + self.sensor.read_noise_e**2
        )
        # In 2 sqrt(electrons + read noise^2) the noise has the same width everywhere (Anscombe).
        level = np.sqrt(reflectance * per_unit + dark)
        level *= np.float32(2 * _LEVELS_PER_SIGMA)
        level -= np.float32(self._dark_root * _LEVELS_PER_SIGMA - 0.5)
        np.clip(level, 0, self._last, out=level)
        index = level.astype(np.int32)
        index *= QUANTILES
        index += noise
        frame: NDArray[np.uint8] = self._table.take(index, mode="wrap")
        return frame

    def _root(self, electrons: NDArray[np.float64]) -> NDArray[np.float64]:
        return 2.0 * np.sqrt(electrons + self.sensor.read_noise_e**2)

    def _pixel(self, electrons: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of each grey level (columns) of one pixel for mean electrons (rows)."""
        sensor = self.sensor
        edges = (np.arange(sensor.dn_max) + 0.5 - sensor.offset_dn) / sensor.dn_per_electron
        photon = np.sqrt(electrons)[:, None]
        sigma = np.sqrt(electrons + sensor.read_noise_e**2)[:, None]
        above = _normal_tail((edges - electrons[:, None]) / sigma)
        # A full well cuts off the photons' noise but not that of reading it.
        full = _normal_tail((sensor.full_well_e - electrons[:, None]) / np.maximum(photon, 1e-9))
        above -= full * _normal_tail((sensor.full_well_e - edges) / sensor.read_noise_e)[None, :]
        at_least = np.pad(np.clip(above, 0, 1), ((0, 0), (1, 0)), constant_values=1.0)
        at_least = np.minimum.accumulate(at_least, axis=1)
        return np.asarray(at_least - np.pad(at_least[:, 1:], ((0, 0), (0, 1))))


class BinnedReadout:
    """Turns images of reflectance into half frames, with new noise in every frame.

    The same calls as `sensor.SensorReadout`, for frames that hold the mean of 2 x 2 pixels: their noise is
    half of a single pixel's, and so is their pattern of responsivity.
    """

    def __init__(self, seed: int | None = None, serial: int = 0) -> None:
        """Set up the default sensor.

        Args:
            seed: Seed of the noise; equal seeds and calls give equal frames. ``None``: random noise.
            serial: Number of the specimen; decides the pattern of the pixels' responsivity.
        """
        self._half = _default_readout()
        self._bits = np.random.SFC64(seed)
        self._serial = serial
        self._pattern: NDArray[np.float32] = np.empty((0, 0), np.float32)

    @property
    def sensor(self) -> Sensor:
        """The sensor."""
        return self._half.sensor

    def seed(self, seed: int | None) -> None:
        """Restart the noise; ``None``: with a random seed. The pattern of the pixels stays."""
        self._bits = np.random.SFC64(seed)

    def expose(
        self,
        reflectance: NDArray[np.float32],
        image_lx: float,
        exposure_us: float,
        gain_db: float = 0.0,
        temperature_c: float = 25.0,
    ) -> NDArray[np.uint8]:
        """One half frame; see `HalfSizeReadout.expose`.

        Raises:
            ValueError: There is a gain, or more than one channel: neither is tabulated.
        """
        if gain_db != 0.0 or reflectance.ndim != 2:
            raise ValueError("a binned frame is grey and has no gain: draw the full frame instead")
        if self._pattern.shape != reflectance.shape:
            rng = np.random.Generator(np.random.SFC64(self._serial))
            spread = np.float32(self.sensor.prnu / 2.0)
            self._pattern = 1.0 + spread * rng.standard_normal(reflectance.shape, dtype=np.float32)
        words = self._bits.random_raw(-(-reflectance.size // 8)).view(np.uint8)
        noise = words[: reflectance.size].reshape(reflectance.shape)
        light = np.asarray(reflectance * self._pattern, np.float32)
        return self._half.expose(light, image_lx, exposure_us, noise, temperature_c)


@lru_cache(maxsize=1)
def _default_readout() -> HalfSizeReadout:
    return HalfSizeReadout()


def _sum_of_four(pixel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of (sum of four pixels + 2) >> 2, for rows of probabilities of one pixel."""
    values = pixel.shape[1]
    size = 4 * values
    four = np.fft.irfft(np.fft.rfft(pixel, size, axis=1) ** 4, size, axis=1)
    padded = np.concatenate([np.zeros((len(pixel), 2)), four], axis=1)[:, : 4 * values]
    return np.asarray(np.clip(padded.reshape(len(pixel), values, 4).sum(axis=2), 0.0, None))


def _quantiles(probability: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The `QUANTILES` mid-quantiles of each row, flat."""
    cumulative = np.cumsum(probability, axis=1)
    cumulative /= cumulative[:, -1:]
    wanted = (np.arange(QUANTILES) + 0.5) / QUANTILES
    table = [np.searchsorted(row, wanted) for row in cumulative]
    return np.minimum(np.array(table), probability.shape[1] - 1).astype(np.uint8).ravel()


def _normal_tail(x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """P(Z > x) of a standard normal."""
    from scipy.special import ndtr

    return np.asarray(ndtr(-x))
