"""What all cameras in software share: exposures on a clock, and the lens that they look through."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any

from dasha_ros.devices.camera import CameraLimits, Frame, never
from dasha_ros.devices.errors import DeviceLost, OutOfRange
from dasha_ros.freshness.clock import Clock
from dasha_ros.optics.actuator import PowerTrajectory


class SoftwareCamera(ABC):
    """A camera that shows something through a lens whose moves it is told; see `devices.camera.Camera`."""

    def __init__(self, clock: Clock, name: str, *, exposure_min_us: float, exposure_max_us: float) -> None:
        """Set up a camera that is not open yet.

        Args:
            clock: Exposures take their time on it.
            name: What it is called in messages.
            exposure_min_us: Shortest exposure [us].
            exposure_max_us: Longest exposure [us].
        """
        self._clock, self._name = clock, name
        self._exposures_us = exposure_min_us, exposure_max_us
        self._exposure_us, self._gain_db = min(max(10_000.0, exposure_min_us), exposure_max_us), 0.0
        self._interrupt = threading.Event()
        self._limits: CameraLimits | None = None
        """What it can do; `None`: it is not open."""
        at_infinity = PowerTrajectory(0, 0.0, 0.0, 0.0)
        self._trajectories: deque[PowerTrajectory] = deque([at_infinity], maxlen=8)

    @abstractmethod
    def open(self) -> CameraLimits:
        """Read what it shows.

        Raises:
            DeviceLost: There is nothing to show; the message says why.
        """

    @abstractmethod
    def set_gain(self, gain_db: float) -> float:
        """Set the gain; see `devices.camera.Camera`."""

    @abstractmethod
    def capture(self, not_before_ns: int = 0, overtaken: Callable[[], bool] = never) -> Frame | None:
        """Take one picture; see `devices.camera.Camera`."""

    def set_trajectory(self, trajectory: PowerTrajectory) -> None:
        """Tell how the lens moves. Callable from any thread, before or after the move began."""
        self._trajectories.append(trajectory)

    def close(self) -> None:
        """Give the camera back."""
        self._limits = None

    def set_exposure(self, exposure_us: float) -> float:
        """Set the exposure time; see `devices.camera.Camera`. The device counts whole microseconds."""
        low, high = self._exposures_us
        if not low <= exposure_us <= high:
            raise OutOfRange(
                f"exposure {exposure_us!r} us refused: it must be a number from {low:g} to {high:g} us"
            )
        self._exposure_us = float(round(exposure_us))
        return self._exposure_us

    def abort(self) -> None:
        """End a `capture` in progress early."""
        self._interrupt.set()

    def describe(self) -> dict[str, Any]:
        """For diagnostics."""
        return {"hardware_id": self._name, "exposure_us": self._exposure_us, "gain_db": self._gain_db}

    def _opened(self) -> CameraLimits:
        """What it can do.

        Raises:
            DeviceLost: It is not open.
        """
        if self._limits is None:
            raise DeviceLost(f"the {self._name} is not open")
        return self._limits

    def _focus_at(self, stamp_ns: int) -> float:
        """The lens's focus [1/m] at a time."""
        known = tuple(self._trajectories)
        begun = [t for t in known if t.moved_at_ns <= stamp_ns]
        return (begun[-1] if begun else known[0]).at(stamp_ns)
