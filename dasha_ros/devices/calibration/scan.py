"""Measures a lens with its own camera: where a target is in focus, and how long a move takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.calibration.profile import CalibrationError
from dasha_ros.devices.camera import Camera, CameraLimits, Frame
from dasha_ros.devices.errors import DeviceTimeout, FrameIncomplete
from dasha_ros.devices.lens import Lens
from dasha_ros.freshness.clock import Clock
from dasha_ros.perception.quality.sharpness import Sharpness

COARSE_STEPS = 46
"""Number of steps of a scan over the whole range; a step of 1 V for a Varioptic lens."""
FINE_SHARE = 0.15
"""Step of the fine scan, in coarse steps."""
MIN_CONTRAST = 1.5
"""The peak must be this many times sharper than the median of the scan; a blank wall has no peak."""
RETRIES = 3
METERED = 0.4
"""Brightness of the target to expose for, as a fraction of white: light enough, and nothing clips."""
METER_STEPS = 10
METER_TOLERANCE = 0.15


@dataclass(frozen=True, slots=True)
class FocusPeak:
    """Where the target was sharpest."""

    position: float
    """Interpolated between the steps of the scan, in the lens's unit."""
    scan: tuple[tuple[float, float], ...]
    """(position, sharpness), in the order of the scan."""


class Scanner:
    """Moves a lens, takes pictures, and evaluates their middle part.

    All moves approach from below, so that the lens's play is always taken up on the same side.

    Args:
        camera: Open, with an exposure that suits the target.
        lens: Open.
        clock: The camera's.
        window: Half width and half height of the evaluated part, as fractions of the picture's.
    """

    def __init__(self, camera: Camera, lens: Lens, clock: Clock, window: float = 0.25) -> None:
        self._camera, self._lens, self._clock, self._window = camera, lens, clock, window

    def meter(self, limits: CameraLimits) -> float:
        """Set an exposure that shows the target at `METERED` of white, and return it [us].

        Args:
            limits: Limits of the camera.

        Raises:
            CalibrationError: No exposure of the camera does.
            DeviceError: The camera failed.
        """
        exposure_us = self._camera.set_exposure(
            min(max(5_000.0, limits.exposure_min_us), limits.exposure_max_us)
        )
        mean = 0.0
        for _ in range(METER_STEPS):
            mean = float(self._middle(patient_capture(self._camera, 0)).mean()) / 255.0
            if abs(mean / METERED - 1.0) <= METER_TOLERANCE:
                return exposure_us
            # A clipped picture hides how much too bright it is, and a black one how much too dark.
            factor = min(max(METERED / max(mean, 0.01), 0.2), 10.0)
            wanted = min(max(exposure_us * factor, limits.exposure_min_us), limits.exposure_max_us)
            if wanted == exposure_us:
                break
            exposure_us = self._camera.set_exposure(wanted)
        raise CalibrationError(
            f"at {exposure_us:g} us the target shows {100 * mean:.0f} % of white, not {100 * METERED:.0f} %: "
            "change the light, or give the exposure yourself"
        )

    @property
    def unit(self) -> str:
        """Unit of the lens's positions."""
        return self._lens.info.unit

    @property
    def coarse_step(self) -> float:
        """Distance between two pictures of the coarse scan, in the lens's unit."""
        return (self._lens.info.position_max - self._lens.info.position_min) / COARSE_STEPS

    def find_focus(self, low: float | None = None, high: float | None = None) -> FocusPeak:
        """The position at which the target is sharpest, by a coarse and a fine scan.

        Args:
            low: Least position to try; left out: the lens's least.
            high: Greatest position to try; left out: the lens's greatest.

        Raises:
            CalibrationError: No clear peak: no texture, no light, or out of the lens's reach.
            DeviceError: A device failed.
        """
        info, step = self._lens.info, self.coarse_step
        low = info.position_min if low is None else low
        high = info.position_max if high is None else high
        coarse = self._scan(np.arange(low, high + 1e-9 * step, step))
        best = max(coarse, key=lambda point: point[1])[0]
        reach = 1.5 * step
        centre = np.clip(best, low + reach, high - reach)
        fine = self._scan(np.arange(centre - reach, centre + reach + 1e-9 * step, FINE_SHARE * step))
        position, sharpness = np.array(fine).T
        top = int(np.argmax(sharpness))
        typical = float(np.median([s for _, s in coarse]))
        if not 0 < top < len(fine) - 1 or sharpness[top] < MIN_CONTRAST * typical:
            raise CalibrationError(
                f"no clear focus between {low:g} and {high:g} {info.unit}: give the target fine texture and"
                " even light, let it fill the middle of the picture, and check that the lens reaches it"
            )
        # Use the centre of the curve above half height: the top itself is flat and noisy.
        height = np.clip(sharpness - (sharpness.min() + sharpness.max()) / 2, 0.0, None)
        return FocusPeak(float(np.average(position, weights=height)), tuple(coarse + fine))

    def settling_s(
        self,
        start: float,
        end: float,
        delays_s: Sequence[float],
        tolerance: float = 0.05,
        rest_s: float = 0.3,
    ) -> float:
        """How long a move takes until the picture no longer changes [s].

        The move is repeated with a different delay before the picture each time, so that even a slow
        camera can measure a fast lens. What counts is when each exposure really began.

        Args:
            start: Where each move begins; out of focus.
            end: Where it ends; best in focus.
            delays_s: Delays that are tried; the longest must be more than long enough.
            tolerance: As a fraction of the change in sharpness.
            rest_s: Wait before each move, so that it begins at rest [s].

        Raises:
            CalibrationError: Start and end look the same.
            DeviceError: A device failed.
        """
        seen = sorted(self._after(start, end, delay, rest_s) for delay in delays_s)
        _, before = self._after(start, start, rest_s, rest_s)
        final = float(np.mean([value for _, value in seen[-3:]]))
        change = abs(final - before)
        if change <= 0.1 * max(final, before):
            raise CalibrationError(
                f"the picture is as sharp at {start:g} as at {end:g} {self.unit}; choose a blurred start"
            )
        unsettled = [i for i, (_, value) in enumerate(seen) if abs(value - final) > tolerance * change]
        return seen[min(unsettled[-1] + 1, len(seen) - 1) if unsettled else 0][0]

    def _after(self, start: float, end: float, delay_s: float, rest_s: float) -> tuple[float, float]:
        """Sharpness after a move, and after which delay the exposure began [s]."""
        self._lens.move(start)
        self._clock.wait_until(self._clock.now_ns() + round(rest_s * 1e9))
        self._lens.move(end)
        moved_ns = self._clock.now_ns()
        frame = patient_capture(self._camera, moved_ns + round(delay_s * 1e9))
        return (frame.begun_ns - moved_ns) / 1e9, Sharpness(self._middle(frame)).frame()

    def _scan(self, positions: NDArray[Any]) -> list[tuple[float, float]]:
        info = self._lens.info
        self._lens.move(max(info.position_min, float(positions[0]) - 2.0 * self.coarse_step))
        points = []
        for position in positions:
            reading = self._lens.move(float(min(max(position, info.position_min), info.position_max)))
            settled_ns = self._clock.now_ns() + round(reading.settle_s * 1e9)
            points.append((reading.position, self._sharpness(settled_ns)))
        return points

    def _sharpness(self, not_before_ns: int) -> float:
        return Sharpness(self._middle(patient_capture(self._camera, not_before_ns))).frame()

    def _middle(self, frame: Frame) -> NDArray[np.uint8]:
        """The evaluated part of a picture, in grey."""
        pixels = frame.pixels
        grey = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
        scale = 1.0 if pixels.dtype == np.uint8 else 255.0 / 65535.0
        height, width = grey.shape
        top, left = round(height * (0.5 - self._window)), round(width * (0.5 - self._window))
        middle = grey[top : height - top, left : width - left]
        return np.ascontiguousarray(np.clip(middle * scale, 0, 255), dtype=np.uint8)


def patient_capture(camera: Camera, not_before_ns: int) -> Frame:
    """A frame whose exposure begins at ``not_before_ns`` or later; damaged and late ones are asked for again.

    Raises:
        DeviceError: The camera failed `RETRIES` times, or is gone.
    """
    for attempt in range(RETRIES):
        try:
            frame = camera.capture(not_before_ns)
        except (DeviceTimeout, FrameIncomplete):
            if attempt == RETRIES - 1:
                raise
        else:
            if frame is not None:
                return frame
    raise DeviceTimeout("the camera's exposures were aborted again and again")
