"""The common part of rigs in this process: the twin's lens, a clock that jumps, commands, and their cost."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

from dasha_ros.control.rig import RigError
from dasha_ros.devices.errors import DeviceError
from dasha_ros.devices.twin.lens import TwinLens
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.freshness.command import IN_PROCESS, NO_COMMAND, CommandId
from dasha_ros.freshness.state import LensState
from dasha_ros.optics.actuator import SETTLED_DIOPTRES
from dasha_ros.optics.exposure_table import ExposureTable, exposure_table
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.outcome import ErrorCode

REST_NS = 1_000_000_000
"""How long the lens rests between a restart and the first picture."""


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


class InProcessRig(ABC):
    """Implements `Rig` with the twin's lens. `usage` counts since the last restart."""

    def __init__(
        self,
        lens: LensProfile | None,
        table: ExposureTable | None,
        position: float | None,
        hysteresis: float | None,
        tolerance_dioptres: float = SETTLED_DIOPTRES,
    ) -> None:
        """Set up the lens.

        Args:
            lens: The lens, and the map that policies know; ``physical`` if left out.
            table: A^H's exposures; those of the paper's camera if left out.
            position: Where the lens is; left out: at its least position.
            hysteresis: Half width of the lens's play, in its unit; left out: as the profile has it.
            tolerance_dioptres: The lens counts as settled within this error [1/m].

        Raises:
            OutOfRange: ``position`` is beyond the lens's limits.
        """
        self.lens = lens or lens_model()
        self.table = table or exposure_table()
        self.clock = ManualClock()
        self.usage = Usage()
        changes = {} if hysteresis is None else {"hysteresis": hysteresis}
        self._start = self.lens.position_min if position is None else position
        self._lens = TwinLens(
            self.clock,
            self.lens,
            initial_position=self._start,
            tolerance_dioptres=tolerance_dioptres,
            **changes,
        )
        self._lens.open()
        self._exposure_command, self._sent = NO_COMMAND, 0
        self._state = LensState(
            NO_COMMAND, self._start, self._start, True, 0, driver=IN_PROCESS, unit=self.lens.unit
        )

    @property
    def focus_dioptres(self) -> float:
        """True focus of the lens at rest [1/m]: for evaluations only."""
        return self._lens.trajectory.target_dioptres

    def observe(self) -> Percept:
        """A percept with the active settings; see `Rig`."""
        return self._look()

    def expose(self, exposure_us: float) -> Percept:
        """Set the exposure time and return the percept that answers; see `Rig`."""
        self._command_exposure(exposure_us)
        return self._look()

    def move(self, position: float) -> Percept:
        """Move the lens and return the percept that answers; see `Rig`."""
        self._command_lens(position)
        return self._look()

    def _command_exposure(self, exposure_us: float) -> None:
        try:
            self._set_exposure(exposure_us)
        except DeviceError as error:
            raise RigError(ErrorCode.CAMERA_LOST, str(error)) from error
        self._exposure_command = self._new_command()
        self.usage.exposures += 1

    def _command_lens(self, position: float) -> None:
        command = self._new_command()
        try:
            reading = self._lens.move(position)
        except DeviceError as error:
            raise RigError(ErrorCode.LENS_LOST, str(error)) from error
        self.usage.moves += 1
        self.usage.actuations += reading.position != self._state.position
        self._state = replace(
            self._state,
            command=command,
            commanded_position=position,
            position=reading.position,
            settled_at_ns=self.clock.now_ns() + round(reading.settle_s * 1e9),
            faults=reading.faults,
            move=self._state.move + 1,
        )
        self._lens_moved()

    def _restart(self, position: float, temperature_c: float) -> None:
        """Let the lens rest at a position and temperature, and forget all commands.

        Raises:
            OutOfRange: ``position`` is beyond the lens's limits.
        """
        reading = self._lens.move(position)
        self._lens.set_temperature(temperature_c)
        self.clock.advance(REST_NS)
        self._exposure_command, self._sent = NO_COMMAND, 0
        self._state = replace(
            self._state,
            command=NO_COMMAND,
            commanded_position=position,
            position=reading.position,
            settled_at_ns=self.clock.now_ns(),
            faults=(),
            move=1,
        )
        self.usage = Usage()

    def _new_command(self) -> CommandId:
        self.clock.advance(1)
        self._sent += 1
        return CommandId(IN_PROCESS, self._sent)

    def _lens_moved(self) -> None:  # noqa: B027 - only rigs with a camera need to know
        """Called after every move of the lens, before the next picture."""

    @abstractmethod
    def _set_exposure(self, exposure_us: float) -> None:
        """Set the exposure time.

        Raises:
            DeviceError: It is out of range.
        """

    @abstractmethod
    def _look(self) -> Percept:
        """The percept of a new picture with the active settings."""
