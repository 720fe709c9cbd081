"""A camera in software: a real camera's timing and noise, and the focus that the lens really had.

An exposure takes its time on the clock. The owner passes the lens's trajectory to the camera, so that a frame
shows the focus that the lens had in the middle of its exposure.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.camera import CameraLimits, Frame, never
from dasha_ros.devices.errors import OutOfRange
from dasha_ros.devices.software_camera import SoftwareCamera
from dasha_ros.freshness.clock import Clock
from dasha_ros.optics.binned import BinnedReadout
from dasha_ros.optics.sensor import Pixels, Sensor, SensorReadout

GAIN_DB_MIN, GAIN_DB_MAX = 0.0, 24.08
"""GainRaw 32 to 512 of acA2000-50gm, dB = 20 log10(GainRaw/32); the sensor's own 0 dB is allowed."""

View = TypeVar("View")
"""What is before a camera: compared to see whether it changed."""


class SimulatedCamera(SoftwareCamera, Generic[View]):
    """A CMV2000 sensor before something that subclasses show.

    Pictures are computed while the clock waits for the exposure. In real time a frame therefore
    takes the longer of the two, not their sum.
    """

    def __init__(
        self,
        clock: Clock,
        name: str,
        sensor: Sensor,
        *,
        seed: int | None,
        exposure_min_us: float,
        exposure_max_us: float,
        latency_s: float = 0.0,
        binned: bool = False,
    ) -> None:
        """Set up a camera that is not open yet.

        Args:
            clock: Exposures take their time on it.
            name: What it is called in messages.
            sensor: Its sensor.
            seed: Seed of the noise; ``None``: new noise every time.
            exposure_min_us: Shortest exposure [us].
            exposure_max_us: Longest exposure [us].
            latency_s: Delay of a finished frame, as on a slow link [s].
            binned: Frames hold the mean of 2 x 2 pixels of the default sensor, which has no gain then.
        """
        super().__init__(clock, name, exposure_min_us=exposure_min_us, exposure_max_us=exposure_max_us)
        self._seed = seed
        self._readout = BinnedReadout(seed) if binned else SensorReadout(sensor, seed)
        self._gain_max_db = GAIN_DB_MIN if binned else GAIN_DB_MAX
        self._latency_ns = round(latency_s * 1e9)

    @abstractmethod
    def _load(self) -> tuple[int, int, str]:
        """Read what it shows; return width and height [px] and the encoding.

        Raises:
            DeviceLost: There is nothing to show.
        """

    @abstractmethod
    def _view(self) -> View:
        """What is before it now."""

    @abstractmethod
    def _light(self, view: View, focus_dioptres: float) -> NDArray[np.float32]:
        """The light on the sensor: linear, 1 is white, shape (height, width) or (height, width, 3)."""

    @abstractmethod
    def _image_lx(self, view: View) -> float:
        """Illuminance of the sensor by white [lx]."""

    def _lit(self, view: View, begun_ns: int, exposure_us: float) -> float:
        """Mean light while an exposure lasts, relative to `_image_lx`: lamps flicker.

        Args:
            view: What is before the camera.
            begun_ns: When the exposure began, on the clock.
            exposure_us: How long it took [us].
        """
        return 1.0

    def _temperature_c(self, view: View) -> float:
        """Temperature of the sensor [deg C]."""
        return 25.0

    def _developed(self, pixels: Pixels) -> Pixels:
        """The frame's pixels, made of the sensor's levels."""
        return pixels

    def seed_noise(self, seed: int | None) -> None:
        """Restart the sensor's noise: equal views, commands and seeds give equal frames."""
        self._seed = seed
        self._readout.seed(seed)

    def open(self) -> CameraLimits:
        """Read what it shows.

        Raises:
            DeviceLost: There is nothing to show; the message says why.
        """
        width, height, encoding = self._load()
        self._limits = CameraLimits(
            width, height, encoding, *self._exposures_us, GAIN_DB_MIN, self._gain_max_db
        )
        return self._limits

    def set_gain(self, gain_db: float) -> float:
        """Set the gain; see `devices.camera.Camera`. GainRaw = 32 10^(dB/20) is a whole number."""
        low, high = GAIN_DB_MIN, self._gain_max_db
        if not low <= gain_db <= high:
            raise OutOfRange(f"gain {gain_db!r} dB refused: it must be a number from {low:g} to {high:g} dB")
        self._gain_db = 20.0 * math.log10(round(32.0 * 10.0 ** (gain_db / 20.0)) / 32.0)
        return self._gain_db

    def capture(self, not_before_ns: int = 0, overtaken: Callable[[], bool] = never) -> Frame | None:
        """Take one picture; see `devices.camera.Camera`."""
        limits = self._opened()
        self._interrupt.clear()
        if overtaken():
            return None
        exposure_us, gain_db = self._exposure_us, self._gain_db
        begun_ns = max(self._clock.now_ns(), not_before_ns)
        middle_ns = begun_ns + round(exposure_us * 500)
        # Compute a guess while there is time; it is nearly always right.
        guess = self._view(), self._focus_at(middle_ns)
        light = self._light(*guess)
        if not self._clock.wait_until(begun_ns, self._interrupt):
            return None
        view = self._view()
        if not self._clock.wait_until(begun_ns + round(exposure_us * 1000), self._interrupt):
            return None
        # The message about a move may arrive later than the move itself.
        seen = view, self._focus_at(middle_ns)
        if seen != guess:
            light = self._light(*seen)
        image_lx = self._image_lx(view) * self._lit(view, begun_ns, exposure_us)
        levels = self._readout.expose(light, image_lx, exposure_us, gain_db, self._temperature_c(view))
        pixels = self._developed(levels)
        if self._latency_ns and not self._clock.wait_until(
            self._clock.now_ns() + self._latency_ns, self._interrupt
        ):
            return None
        return Frame(pixels, limits.encoding, begun_ns, exposure_us, gain_db)

    def describe(self) -> dict[str, Any]:
        """For diagnostics."""
        seed = "none" if self._seed is None else self._seed
        return {**super().describe(), "hardware_id": f"{self._name}, seed {seed}"}
