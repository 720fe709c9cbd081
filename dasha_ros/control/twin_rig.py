"""The rig in one process: the digital twin's camera and lens, and perception, on a clock that jumps.

Exposures and settling pass on the clock but cost no time, so an episode runs as fast as the
twin renders and perception reads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dasha_ros.control.rig import RigError
from dasha_ros.devices.errors import DeviceError
from dasha_ros.devices.twin import TwinCamera, TwinLens
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.freshness.command import IN_PROCESS, NO_COMMAND, CommandId
from dasha_ros.freshness.rule import answers
from dasha_ros.freshness.state import NOWHERE, CaptureInfo, LensState
from dasha_ros.optics.exposure import ExposureTable, exposure_table
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.percept import Percept
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.twin.world import World

REST_NS = 1_000_000_000
"""How long the lens rests between `TwinRig.place` and the first picture."""


@dataclass(slots=True)
class Usage:
    """The cost of an episode."""

    frames: int = 0
    """Number of pictures."""
    exposures: int = 0
    """Number of exposure commands."""
    moves: int = 0
    """Number of lens commands."""
    actuations: int = 0
    """Number of lens commands that changed the output of the lens's electronics."""
    seconds: float = 0.0
    """Time of exposure and settling on the twin's clock [s]. Rendering and perception take no time."""


def moved(
    lens: TwinLens, state: LensState, command: CommandId, position: float, *, clock: ManualClock, usage: Usage
) -> LensState:
    """Move a lens in this process, count the move, and return the state that follows ``state``.

    Raises:
        RigError: The lens rejects the position.
    """
    try:
        reading = lens.move(position)
    except DeviceError as error:
        raise RigError(ErrorCode.LENS_LOST, str(error)) from error
    usage.moves += 1
    usage.actuations += reading.position != state.position
    return replace(
        state,
        command=command,
        commanded_position=position,
        position=reading.position,
        settled_at_ns=clock.now_ns() + round(reading.settle_s * 1e9),
        faults=reading.faults,
        move=state.move + 1,
    )


class TwinRig:
    """Implements `Rig` over the twin. `usage` counts since the last `place`."""

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
        self.lens = lens or lens_model()
        self.table = table or exposure_table()
        self.clock = ManualClock()
        self.usage = Usage()
        self._perception = perception
        self._encoding = encoding
        changes = {} if hysteresis is None else {"hysteresis": hysteresis}
        start = self.lens.position_min if position is None else position
        self._lens = TwinLens(self.clock, self.lens, initial_position=start, **changes)
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
        self._lens.open()
        self._camera.open()
        self.place(self._camera.world, start, exposure_us)

    @property
    def focus_dioptres(self) -> float:
        """True focus of the lens at rest [1/m]: for evaluations only."""
        return self._lens.trajectory.target_dioptres

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
        reading = self._lens.move(position)
        self._lens.set_temperature(world.temperature_c)
        self._camera.set_trajectory(self._lens.trajectory)
        self._camera.set_exposure(exposure_us)
        if seed is not None:
            self._camera.seed_noise(seed)
        self.clock.advance(REST_NS)
        self._exposure_command, self._sent = NO_COMMAND, 0
        self._state = LensState(
            NO_COMMAND, position, reading.position, True, self.clock.now_ns(), driver=IN_PROCESS, move=1
        )
        self.usage = Usage()

    def observe(self) -> Percept:
        """A percept with the active settings; see `Rig`."""
        return self._look()

    def expose(self, exposure_us: float) -> Percept:
        """Set the exposure time and return the percept that answers; see `Rig`."""
        try:
            self._camera.set_exposure(exposure_us)
        except DeviceError as error:
            raise RigError(ErrorCode.CAMERA_LOST, str(error)) from error
        self._exposure_command = self._new_command()
        self.usage.exposures += 1
        return self._look()

    def move(self, position: float) -> Percept:
        """Move the lens and return the percept that answers; see `Rig`."""
        command = self._new_command()
        self._state = moved(self._lens, self._state, command, position, clock=self.clock, usage=self.usage)
        self._camera.set_trajectory(self._lens.trajectory)
        return self._look()

    def _new_command(self) -> CommandId:
        self.clock.advance(1)
        self._sent += 1
        return CommandId(IN_PROCESS, self._sent)

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
