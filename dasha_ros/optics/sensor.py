"""From light on a scene to grey levels: a CMV2000-like sensor (camera of the paper) behind a lens.

Formulas: the camera equation for the illuminance of the image, and the EMVA 1288 model
of photon, dark, read and quantisation noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8] | NDArray[np.uint16]

PHOTONS_PER_LUX_SECOND = 123_741 * 1.35
"""White-light photons on a 5.5 um pixel: 30.25e-12 m2 / (683 lm/W h c / 555 nm), times 1.35 for white."""
WORKING_MAGNIFICATION = 0.025 / (1.7 - 0.025)
"""f/(s - f) at f = 25 mm and 1.7 m, the middle of the paper's range. It does not change with focus: in front
of a fixed sensor, a liquid lens keeps its working f-number."""


def image_illuminance_lx(
    scene_lx: float,
    f_number: float,
    *,
    transmission: float = 0.9,
    magnification: float = WORKING_MAGNIFICATION,
) -> float:
    """Illuminance of the sensor by a white (reflectance 1) matt surface [lx].

    E = E_scene T / (4 N^2 (1+m)^2), the camera equation.

    Args:
        scene_lx: Illuminance of the scene [lx].
        f_number: F-number of the lens.
        transmission: Transmission of the lens, 0..1.
        magnification: Image size over object size.
    """
    return scene_lx * transmission / (4.0 * f_number**2 * (1.0 + magnification) ** 2)


@dataclass(frozen=True)
class Sensor:
    """The numbers of a sensor; defaults are the CMV2000's (its datasheet)."""

    full_well_e: float = 13_500.0
    read_noise_e: float = 13.0
    quantum_efficiency: float = 0.60
    dark_e_per_s: float = 125.0
    """At 25 deg C."""
    dark_doubling_k: float = 6.5
    prnu: float = 0.005
    """Standard deviation of the pixels' responsivity; below 1 % by the datasheet."""
    offset_dn: float = 0.0
    bits: int = 8

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.bits not in (8, 12):
            raise ValueError(f"sensor bits {self.bits!r}: 8 or 12")

    @property
    def dn_max(self) -> int:
        """Greatest grey level."""
        return (1 << self.bits) - 1

    @property
    def dn_per_electron(self) -> float:
        """K at a gain of 1: the full well fills the range of grey levels."""
        return self.dn_max / self.full_well_e

    def photo_electrons(self, image_lx: float, exposure_us: float) -> float:
        """Mean electrons made by light of ``image_lx`` [lx] on the sensor in ``exposure_us`` [us]."""
        return image_lx * exposure_us * 1e-6 * PHOTONS_PER_LUX_SECOND * self.quantum_efficiency

    def dark_electrons(self, exposure_us: float, temperature_c: float = 25.0) -> float:
        """Mean electrons made by heat; they double every 6.5 K."""
        rate = self.dark_e_per_s * 2.0 ** ((temperature_c - 25.0) / self.dark_doubling_k)
        return float(rate * exposure_us * 1e-6)


class SensorReadout:
    """Turns images of reflectance into frames, with new noise in every frame.

    Electrons are Poisson and read noise is Gaussian; their sum is drawn as one Gaussian of
    the same mean and variance. The read noise of 13 e- hides the Poisson's shape even in the
    dark: the sum's skewness is mean/(mean + 169)^1.5, at most 0.030, which moves no point of
    the distribution by more than 0.002 (Berry-Esseen, Edgeworth's first term).
    """

    _STRIP = 1 << 17
    """Number of pixels processed at once: they fit into the processor's second-level cache."""

    def __init__(self, sensor: Sensor | None = None, seed: int | None = None, serial: int = 0) -> None:
        """Set up a sensor.

        Args:
            sensor: The sensor; the default one if left out.
            seed: Seed of the noise; equal seeds and calls give equal frames. ``None``: random noise.
            serial: Number of the specimen; decides the pattern of the pixels' responsivity.
        """
        self.sensor = sensor or Sensor()
        self._bits = np.random.SFC64(seed)
        self._serial = serial
        self._pattern: NDArray[np.float32] = np.empty((0, 0), np.float32)

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
    ) -> Pixels:
        """One frame.

        Args:
            reflectance: Linear, shape (height, width) or (height, width, channels); 1 is white.
                Channels are independent sensors: there is no colour mosaic.
            image_lx: Illuminance of the sensor by white (`image_illuminance_lx`) [lx].
            exposure_us: Exposure time [us].
            gain_db: Analog gain before the converter [dB].
            temperature_c: Temperature of the sensor [deg C].

        Returns:
            Grey levels in the same shape, ``uint8`` for 8 bits, else ``uint16``.
        """
        sensor = self.sensor
        per_unit = np.float32(sensor.photo_electrons(image_lx, exposure_us))
        dark = np.float32(sensor.dark_electrons(exposure_us, temperature_c))
        scale = np.float32(sensor.dn_per_electron * 10.0 ** (gain_db / 20.0))
        flat = np.ascontiguousarray(reflectance, np.float32).reshape(-1)
        pattern = self._responsivity(reflectance.shape).reshape(-1)
        frame: Pixels = np.empty(flat.size, np.uint8) if sensor.bits == 8 else np.empty(flat.size, np.uint16)
        for begin in range(0, flat.size, self._STRIP):
            part = slice(begin, begin + self._STRIP)
            electrons = flat[part] * pattern[part]
            electrons *= per_unit
            electrons += dark
            self._add_noise(electrons)
            electrons *= scale
            # Add half a level, because the conversion to integers truncates.
            electrons += np.float32(sensor.offset_dn + 0.5)
            np.clip(electrons, 0.0, sensor.dn_max, out=electrons)
            frame[part] = electrons
        return frame.reshape(reflectance.shape)

    def _add_noise(self, electrons: NDArray[np.float32]) -> None:
        read, well = np.float32(self.sensor.read_noise_e), np.float32(self.sensor.full_well_e)
        variance = np.maximum(electrons, np.float32(0.0))
        if float(variance.max()) + 6.0 * math.sqrt(well) < well:
            variance += read * read
            electrons += np.sqrt(variance, out=variance) * self._normal(electrons.size)
        else:
            # A full well cuts off photon noise, but not read noise.
            electrons += np.sqrt(variance, out=variance) * self._normal(electrons.size)
            np.minimum(electrons, well, out=electrons)
            electrons += read * self._normal(electrons.size)

    def _normal(self, n: int) -> NDArray[np.float32]:
        """Standard normal numbers: 16 random bits each, through a table of quantiles."""
        words = self._bits.random_raw(-(-n // 4)).view(np.uint16)[:n]
        # Every index is inside the table; "wrap" skips the check.
        return np.asarray(np.take(_normal_quantiles(), words, mode="wrap"), np.float32)

    def _responsivity(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        if self._pattern.shape != shape:
            rng = np.random.Generator(np.random.SFC64(self._serial))
            pattern = rng.standard_normal(shape, dtype=np.float32)
            self._pattern = np.maximum(1.0 + np.float32(self.sensor.prnu) * pattern, 0.0).astype(np.float32)
        return self._pattern


@lru_cache(maxsize=1)
def _normal_quantiles() -> NDArray[np.float32]:
    """The 65536 mid-quantiles of the standard normal distribution, scaled to a variance of 1."""
    from statistics import NormalDist

    inverse = NormalDist().inv_cdf
    upper = np.array([inverse((i + 0.5) / 65536) for i in range(32768, 65536)], np.float64)
    table = np.concatenate([-upper[::-1], upper])
    return np.asarray(table / table.std(), np.float32)
