"""The rig in one process: the digital twin's camera and lens, and perception, on a clock that jumps.

Exposures and settling pass on the clock but cost no time, so an episode runs as fast as the
twin renders and perception reads.
"""

from __future__ import annotations

from dasha_ros.control.in_process_rig import InProcessRig
from dasha_ros.control.rig import RigError
from dasha_ros.devices.errors import DeviceError
from dasha_ros.devices.twin.camera import TwinCamera
from dasha_ros.freshness.command import IN_PROCESS
from dasha_ros.freshness.rule import answers
from dasha_ros.freshness.state import NOWHERE, CaptureInfo
from dasha_ros.optics.exposure import ExposureTable
from dasha_ros.optics.lens import LensProfile
from dasha_ros.perception.percept import Percept
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.twin.world import World


class TwinRig(InProcessRig):
    """Implements `Rig` over the twin; see `InProcessRig`."""

    def __init__(
        self,
        perception: Perception,
        world: World | None = None,
        *,
        position: float | None = None,
        exposure_us: float = 10_000.0,
        lens: LensProfile | None = None,
        table: ExposureTable | None = None,
        width: int = 2048,
        height: int = 1088,
        encoding: str = "mono8",
        seed: int | None = 0,
        hysteresis: float | None = None,
    ) -> None:
        """Read the photographs and put everything in place.

        Args:
            perception: Reads the frames; rigs that take turns may share it.
            world: What the camera sees; the default scene if left out.
            position: Where the lens is; left out: at its least position.
            exposure_us: Exposure at the start [us].
            lens: The twin's lens, and the map that policies know; ``physical`` if left out.
            table: A^H's exposures; those of the paper's camera if left out.
            width: Width of the frame [px].
            height: Height of the frame [px].
            encoding: ``mono8``, ``mono16`` or ``rgb8``.
            seed: Seed of the sensor's noise; ``None``: new noise every time.
            hysteresis: Half width of the lens's play, in its unit; left out: as the profile has it.

        Raises:
            DeviceError: The scene can't be used, or a value is out of range.
        """
        super().__init__(lens, table, position, hysteresis)
        self._perception = perception
        self._encoding = encoding
        self._camera = TwinCamera(
            self.clock,
            self.lens,
            world=world,
            width=width,
            height=height,
            encoding=encoding,
            seed=seed,
            exposure_min_us=self.table.t_min_us,
            exposure_max_us=self.table.t_max_us,
        )
        self._camera.open()
        self.place(self._camera.world, self._start, exposure_us)

    def place(self, world: World, position: float, exposure_us: float, seed: int | None = None) -> None:
        """Restart: another world, the lens at rest at ``position``, no commands yet.

        Args:
            world: What the camera sees.
            position: Where the lens is.
            exposure_us: Exposure at the start [us].
            seed: Seed of the sensor's noise from now on; left out: the noise continues.

        Raises:
            DeviceError: A value is out of range.
            SceneError: The scene can't be used.
            AssetMissing: A photograph is not on this machine.
        """
        self._camera.set_world(world)
        self._restart(position, world.temperature_c)
        self._camera.set_trajectory(self._lens.trajectory)
        self._camera.set_exposure(exposure_us)
        if seed is not None:
            self._camera.seed_noise(seed)

    def _set_exposure(self, exposure_us: float) -> None:
        self._camera.set_exposure(exposure_us)

    def _lens_moved(self) -> None:
        self._camera.set_trajectory(self._lens.trajectory)

    def _look(self) -> Percept:
        begun_ns = self.clock.now_ns()
        try:
            frame = self._camera.capture(self._state.settled_at_ns)
        except DeviceError as error:
            raise RigError(ErrorCode.CAMERA_LOST, str(error)) from error
        if frame is None:
            raise RigError(ErrorCode.CAMERA_LOST, "the capture was aborted")
        self.usage.frames += 1
        self.usage.seconds += (self.clock.now_ns() - begun_ns) / 1e9
        rests = frame.begun_ns >= self._state.settled_at_ns
        capture = CaptureInfo(
            frame.begun_ns,
            frame.exposure_us,
            frame.gain_db,
            self._exposure_command,
            self.usage.frames,
            driver=IN_PROCESS,
            lens=self._state.last_move if rests else NOWHERE,
        )
        if not answers(capture, self._state, self._exposure_command, self._state.command):
            raise RigError(ErrorCode.INTERNAL, f"frame of {frame.begun_ns} ns is older than its command")
        return self._perception.perceive(frame.pixels, self._encoding, capture, self._state)
