"""A camera and a lens that fail when told to, for tests of drivers.

They implement the protocols exactly and wait on the clock that they are given. They have no optics (see
`twin`) and speak no protocol (see the emulators).
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

import numpy as np

from dasha_ros.devices.camera import CameraLimits, Frame, never
from dasha_ros.devices.errors import DeviceError, DeviceLost, OutOfRange
from dasha_ros.devices.lens import LensReading, LimitedLens, checked_position
from dasha_ros.freshness.clock import Clock
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.optics.profiles import lens_model


class PlannedFailures:
    """The failures of a fake device: which calls fail, and whether it is plugged in. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._errors: defaultdict[str, deque[DeviceError]] = defaultdict(deque)
        self._plugged = True
        self._open = False

    def fail_next(self, operation: str, error: DeviceError, times: int = 1) -> None:
        """Let the next ``times`` calls of the method ``operation`` raise ``error``."""
        with self._lock:
            self._errors[operation].extend([error] * times)

    def unplug(self) -> None:
        """From now on every call loses the device."""
        with self._lock:
            self._plugged = self._open = False

    def plug(self) -> None:
        """The device is back, and must be opened again."""
        with self._lock:
            self._plugged = True

    def opening(self, name: str) -> None:
        """Called by ``open``.

        Raises:
            DeviceError: As told.
        """
        self._raise_next("open")
        with self._lock:
            if not self._plugged:
                raise DeviceLost(f"there is no {name}. Is it plugged in?")
            self._open = True

    def closing(self) -> None:
        """Called by ``close``."""
        with self._lock:
            self._open = False

    def using(self, operation: str, name: str) -> None:
        """Called by every other method.

        Raises:
            DeviceError: As told.
        """
        self._raise_next(operation)
        with self._lock:
            if not self._open:
                raise DeviceLost(f"{name} is gone or was never opened")

    def _raise_next(self, operation: str) -> None:
        with self._lock:
            error = self._errors[operation].popleft() if self._errors[operation] else None
            if isinstance(error, DeviceLost):
                self._open = False
        if error is not None:
            raise error


class FakeLens(LimitedLens):
    """A `Lens` without optics.

    Args:
        clock: Clock on which it settles.
        settle_s: How long a move takes [s].
        position: Where it stands at first; left out: at its least position.
        profile: Its limits and steps; the ``physical`` profile if left out.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        settle_s: float = 0.05,
        position: float | None = None,
        profile: LensProfile | None = None,
    ) -> None:
        self.failures = PlannedFailures()
        self.faults: tuple[str, ...] = ()
        """Reported by every reading."""
        self.moves: list[float] = []
        """Every position that reached the lens."""
        self._clock = clock
        self._settle_s = settle_s
        profile = profile or lens_model()
        self._info, self._drive = LensInfo.of(profile, settle_s=settle_s), profile.drive
        start = self._info.position_min if position is None else position
        self._position = checked_position(start, self._info)
        self._rests_at_ns = 0

    @property
    def info(self) -> LensInfo:
        """See `Lens.info`; from the profile."""
        return self._info

    def open(self) -> LensReading:
        """Claim the lens."""
        self.failures.opening("fake lens")
        return self._reading()

    def close(self) -> None:
        """Give it back."""
        self.failures.closing()

    def _move(self, position: float) -> LensReading:
        self.failures.using("move", "the fake lens")
        self.moves.append(position)
        self._position = position
        self._rests_at_ns = self._clock.now_ns() + round(self._settle_s * 1e9)
        return self._reading()

    def read(self) -> LensReading:
        """Read."""
        self.failures.using("read", "the fake lens")
        return self._reading()

    def describe(self) -> dict[str, Any]:
        """Model and moves."""
        return {"hardware_id": "fake lens", "model": "fake lens", "moves": len(self.moves)}

    def _reading(self) -> LensReading:
        left_s = max(0, self._rests_at_ns - self._clock.now_ns()) / 1e9
        return LensReading(self._drive.output(self._position), left_s, self.faults)


class FakeCamera:
    """A `Camera` with flat pictures, whose grey level counts them.

    Args:
        clock: Clock on which exposures take their time.
        width: Width of the pictures [px].
        height: Height of the pictures [px].
    """

    LIMITS_US = (24.0, 1e6)
    LIMITS_DB = (0.0, 24.0)

    def __init__(self, clock: Clock, *, width: int = 64, height: int = 48) -> None:
        self.failures = PlannedFailures()
        self.taken = 0
        """Pictures so far; the newest has the grey level ``(taken - 1) % 256``."""
        self._clock = clock
        self._size = (height, width)
        self._exposure_us, self._gain_db = 10_000.0, 0.0
        self._abort = threading.Event()

    def open(self) -> CameraLimits:
        """Claim the camera."""
        self.failures.opening("fake camera")
        height, width = self._size
        return CameraLimits(width, height, "mono8", *self.LIMITS_US, *self.LIMITS_DB)

    def close(self) -> None:
        """Give it back."""
        self.failures.closing()

    def set_exposure(self, exposure_us: float) -> float:
        """Set the exposure."""
        self.failures.using("set_exposure", "the fake camera")
        low, high = self.LIMITS_US
        if not (math.isfinite(exposure_us) and low <= exposure_us <= high):
            raise OutOfRange(f"exposure {exposure_us!r} us refused: this camera takes {low:g} to {high:g} us")
        self._exposure_us = float(exposure_us)
        return self._exposure_us

    def set_gain(self, gain_db: float) -> float:
        """Set the gain."""
        self.failures.using("set_gain", "the fake camera")
        if not math.isfinite(gain_db):
            raise OutOfRange(f"gain {gain_db!r} dB refused: it must be a number")
        self._gain_db = min(max(gain_db, self.LIMITS_DB[0]), self.LIMITS_DB[1])
        return self._gain_db

    def capture(self, not_before_ns: int = 0, overtaken: Callable[[], bool] = never) -> Frame | None:
        """Take a picture."""
        self.failures.using("capture", "the fake camera")
        self._abort.clear()
        if overtaken():
            return None
        begun_ns = max(self._clock.now_ns(), not_before_ns)
        if not self._clock.wait_until(begun_ns + round(self._exposure_us * 1e3), self._abort):
            return None
        self.failures.using("capture", "the fake camera")
        pixels = np.full(self._size, self.taken % 256, np.uint8)
        self.taken += 1
        return Frame(pixels, "mono8", begun_ns, self._exposure_us, self._gain_db)

    def abort(self) -> None:
        """End a `capture` in progress."""
        self._abort.set()

    def describe(self) -> dict[str, Any]:
        """Model and pictures."""
        return {"hardware_id": "fake camera", "model": "fake camera", "pictures": self.taken}
