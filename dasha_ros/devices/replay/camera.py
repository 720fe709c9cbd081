"""The camera of a recording: it shows the picture that was taken nearest to the settings asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from dasha_ros.devices.camera import CameraLimits, Frame, never
from dasha_ros.devices.errors import DeviceLost, OutOfRange
from dasha_ros.devices.replay.lens import replay_lens
from dasha_ros.devices.replay.recorded import Replay, ReplayError
from dasha_ros.devices.software_camera import SoftwareCamera
from dasha_ros.freshness.clock import Clock
from dasha_ros.optics.actuator import PowerTrajectory
from dasha_ros.optics.exposure_table import T_MAX_US, T_MIN_US


class ReplayCamera(SoftwareCamera):
    """Pixels, exposure and gain of a frame are those of the recorded picture, whatever was asked for.

    An exposure takes the time that was asked for.
    """

    def __init__(self, clock: Clock, replay: Replay) -> None:
        """Set up a camera; its pictures are read when they are shown."""
        exposures = replay.exposures_us
        super().__init__(
            clock,
            f"camera of the recording {replay.name}",
            exposure_min_us=min(T_MIN_US, exposures[0]),
            exposure_max_us=max(T_MAX_US, exposures[-1]),
        )
        self._replay, self._lens = replay, replay_lens(replay.info)
        self._exposure_us, self._gain_db = replay.frames[0].exposure_us, replay.frames[0].gain_db
        self._asked_us = self._exposure_us
        self._anew = True
        """Whether camera or lens were commanded since the last picture."""

    def open(self) -> CameraLimits:
        """Size and encoding of the pictures.

        Raises:
            DeviceLost: A file of the recording is gone or shorter than before.
        """
        try:
            # Opening would succeed until that file's next picture, and tell the loss over and over.
            self._replay.check_unchanged()
        except ReplayError as error:
            raise DeviceLost(str(error)) from error
        gains = [frame.gain_db for frame in self._replay.frames]
        self._limits = CameraLimits(
            *self._replay.size, self._replay.encoding, *self._exposures_us, min(gains), max(gains)
        )
        return self._limits

    def set_exposure(self, exposure_us: float) -> float:
        """Choose the pictures to show; returns the nearest recorded exposure [us]."""
        self._asked_us = super().set_exposure(exposure_us)
        self._anew = True
        self._exposure_us = self._replay.nearest_exposure(self._asked_us)
        return self._exposure_us

    def set_trajectory(self, trajectory: PowerTrajectory) -> None:
        """Tell how the lens moves; the lens driver repeats the last move now and then."""
        self._anew |= trajectory != self._trajectories[-1]
        super().set_trajectory(trajectory)

    def set_gain(self, gain_db: float) -> float:
        """Return the gain of the recording: it can't be changed.

        Raises:
            OutOfRange: Not a number.
        """
        if not math.isfinite(gain_db):
            raise OutOfRange(f"gain {gain_db!r} dB refused: it must be a number")
        return self._gain_db

    def capture(self, not_before_ns: int = 0, overtaken: Callable[[], bool] = never) -> Frame | None:
        """Show one picture; see `devices.camera.Camera`."""
        limits = self._opened()
        self._interrupt.clear()
        if overtaken():
            return None
        exposure_us = self._exposure_us
        begun_ns = max(self._clock.now_ns(), not_before_ns)
        if not self._clock.wait_until(begun_ns + round(exposure_us * 1000), self._interrupt):
            return None
        position = self._lens.position(self._focus_at(begun_ns + round(exposure_us * 500)))
        frame = self._replay.frame(position, exposure_us, self._anew)
        self._anew = False
        try:
            pixels = self._replay.pixels(frame)
        except ReplayError as error:
            raise DeviceLost(str(error)) from error
        return Frame(pixels, limits.encoding, begun_ns, frame.exposure_us, frame.gain_db)

    def describe(self) -> dict[str, Any]:
        """For diagnostics."""
        return {
            **super().describe(),
            "hardware_id": self._name,
            "model": "recording",
            "frames": len(self._replay.frames),
            "asked_exposure_us": self._asked_us,
        }
