"""A camera of your own, as a back end of the camera driver; see own_lens.py, too.

It is made up: replace what is marked HERE by calls of your device's library.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from dasha_ros.devices.camera import CameraLimits, Frame, never
from dasha_ros.devices.errors import DeviceLost, OutOfRange
from dasha_ros.freshness.clock import Clock


class OwnCamera:
    """Implements `Camera`. Used from one thread at a time, but `abort` may come from any."""

    LIMITS = CameraLimits(64, 48, "mono8", 24.0, 1e6, 0.0, 24.0)

    def __init__(self, clock: Clock) -> None:
        """Settings are kept here, and given to the device whenever it is opened."""
        self._clock, self._open, self._exposure_us, self._gain_db = clock, False, 10_000.0, 0.0
        self._abort = threading.Event()

    def open(self) -> CameraLimits:
        """Claim the device and apply every setting."""
        self._open = True  # HERE
        return self.LIMITS

    def close(self) -> None:
        """Give it back. Never raises."""
        self._open = False  # HERE

    def set_exposure(self, exposure_us: float) -> float:
        """Set the exposure of the next picture; return what the device says [us]."""
        if not self.LIMITS.exposure_min_us <= exposure_us <= self.LIMITS.exposure_max_us:
            raise OutOfRange(f"exposure {exposure_us!r} us refused: this camera takes 24 to 1000000 us")
        self._exposure_us = float(exposure_us)  # HERE
        return self._exposure_us

    def set_gain(self, gain_db: float) -> float:
        """Set the gain of the next picture; return what the device says [dB]."""
        if not math.isfinite(gain_db):
            raise OutOfRange(f"gain {gain_db!r} dB refused: it must be a number")
        self._gain_db = self.LIMITS.nearest_gain_db(gain_db)  # HERE
        return self._gain_db

    def capture(self, not_before_ns: int = 0, overtaken: Callable[[], bool] = never) -> Frame | None:
        """Take one picture whose exposure begins now or later, never one that was under way."""
        if not self._open:
            raise DeviceLost("the camera was never opened, or its cable was pulled")
        self._abort.clear()
        if overtaken():  # a newer command came before this call: its abort must not be missed
            return None
        begun_ns = max(self._clock.now_ns(), not_before_ns)
        if not self._clock.wait_until(begun_ns + round(self._exposure_us * 1e3), self._abort):
            return None
        pixels = np.full((self.LIMITS.height, self.LIMITS.width), 128, np.uint8)  # HERE
        return Frame(pixels, "mono8", begun_ns, self._exposure_us, self._gain_db)

    def abort(self) -> None:
        """End a capture that is under way."""
        self._abort.set()

    def describe(self) -> dict[str, Any]:
        """For diagnostics; ``hardware_id`` names the device."""
        return {"hardware_id": "own camera", "model": "own camera"}
