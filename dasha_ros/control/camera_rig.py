"""A rig in one process with a camera in software, and perception, on a clock that jumps.

Exposures and settling pass on the clock but cost no time, so an episode runs as fast as pictures are computed
and perception reads them.
"""

from __future__ import annotations

from typing import Any

from dasha_ros.control.in_process_rig import InProcessRig
from dasha_ros.control.rig import RigError
from dasha_ros.devices.errors import DeviceError
from dasha_ros.devices.simulated_camera import SimulatedCamera
from dasha_ros.freshness.command import IN_PROCESS
from dasha_ros.freshness.rule import answers
from dasha_ros.freshness.state import NOWHERE, CaptureInfo
from dasha_ros.optics.actuator import SETTLED_DIOPTRES
from dasha_ros.optics.exposure_table import ExposureTable, made_of
from dasha_ros.optics.lens import LensProfile
from dasha_ros.perception.percept import Box, Percept
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.outcome import ErrorCode


class CameraRig(InProcessRig):
    """Implements `Rig` with a camera in software; see `InProcessRig`. Subclasses make ``_camera``."""

    _camera: SimulatedCamera[Any]

    def __init__(
        self,
        perception: Perception,
        encoding: str,
        *,
        lens: LensProfile | None,
        table: ExposureTable | None,
        position: float | None,
        hysteresis: float | None = None,
        tolerance_dioptres: float = SETTLED_DIOPTRES,
    ) -> None:
        """Set up the lens.

        Args:
            perception: Reads the frames; rigs that take turns may share it.
            encoding: Of the camera's frames.
            lens: See `InProcessRig`.
            table: See `InProcessRig`.
            position: See `InProcessRig`.
            hysteresis: See `InProcessRig`.
            tolerance_dioptres: See `InProcessRig`.
        """
        super().__init__(lens, table, position, hysteresis, tolerance_dioptres)
        self._perception, self._encoding = perception, encoding
        self._metered: Box | None = None

    def meter(self, region: Box | None) -> None:
        """See `Metering`."""
        self._metered = region

    def _set_exposure(self, exposure_us: float) -> None:
        if self.table.gains:
            exposure_us, gain_db = made_of(exposure_us, self.table.gain_from_us)
            self._camera.set_gain(gain_db)
        self._camera.set_exposure(exposure_us)

    def _lens_moved(self) -> None:
        self._camera.set_trajectory(self._lens.trajectory)

    def _look(self) -> Percept:
        asked_ns = self.clock.now_ns()
        try:
            frame = self._camera.capture(self._state.settled_at_ns)
        except DeviceError as error:
            raise RigError(ErrorCode.CAMERA_LOST, str(error)) from error
        if frame is None:
            raise RigError(ErrorCode.CAMERA_LOST, "the capture was aborted")
        capture = self._counted(asked_ns, frame.begun_ns, frame.exposure_us, frame.gain_db)
        return self._perception.perceive(
            frame.pixels, self._encoding, capture, self._state, meter=self._metered
        )

    def _counted(self, asked_ns: int, begun_ns: int, exposure_us: float, gain_db: float) -> CaptureInfo:
        """Count a picture that is done now; return what made it.

        Args:
            asked_ns: When it was asked for.
            begun_ns: When its exposure began.
            exposure_us: Its exposure [us].
            gain_db: Its gain [dB].

        Raises:
            RigError: It does not answer the newest commands.
        """
        self.usage.frames += 1
        self.usage.seconds += (self.clock.now_ns() - asked_ns) / 1e9
        rests = begun_ns >= self._state.settled_at_ns
        capture = CaptureInfo(
            begun_ns,
            exposure_us,
            gain_db,
            self._exposure_command,
            self.usage.frames,
            driver=IN_PROCESS,
            lens=self._state.last_move if rests else NOWHERE,
        )
        if not answers(capture, self._state, self._exposure_command, self._state.command):
            raise RigError(ErrorCode.INTERNAL, f"frame of {begun_ns} ns is older than its command")
        return capture
