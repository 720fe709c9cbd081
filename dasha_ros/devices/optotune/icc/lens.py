"""The tunable lens at one channel of Optotune's ICC-1C or ICC-4C."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dasha_ros.devices.errors import DeviceLost
from dasha_ros.devices.optotune.dioptres import DioptreLens
from dasha_ros.devices.optotune.icc.boards import IccBoard
from dasha_ros.devices.optotune.icc.controller import IccController
from dasha_ros.devices.optotune.icc.replies import LENS_NAMES
from dasha_ros.devices.serial.dialogue import SerialSettings
from dasha_ros.devices.serial.lens import BoardStatus
from dasha_ros.freshness.clock import Clock
from dasha_ros.optics.lens import LensProfile

T = TypeVar("T")
REGISTER_DIOPTRES = -50.0, 50.0
"""What the register of the focal power takes."""
NEVER_TOLD = 0.0
"""The focal power that a controller holds before anybody told it one, so after every restart."""
ZERO_DIOPTRES = 0.001
"""What is sent for 0 D, so that a controller that was told 0 D differs from one that restarted. A fifth of a
step."""
LOOK_NS = 5_000_000
"""How often a lens on its way is asked [ns]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IccSettings(SerialSettings):
    """Which lens, and how patient to be with it.

    How long a reply may take is the package's own business: up to a second, three times.
    """

    board: IccBoard = field(default_factory=IccBoard)
    attempts: int = 2
    """How often one command is tried before `DeviceTimeout`; the package tries three times by itself."""
    tolerance_dioptres: float = 0.05
    """How far the focal power that the controller says the lens has may be from what it was told [D]."""
    arrival_s: float = 0.25
    """How long the controller may need to say so [s]."""
    settle_s: float = 0.05
    """How long a move takes [s]; `calibration.scan.Scanner.settling_s` measures it."""
    standby_on_close: bool = True
    """Whether `close` takes the current off the lens."""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: One is no positive number.
        """
        for name in ("tolerance_dioptres", "arrival_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0.0):
                raise ValueError(f"{name} is {value!r}; it must be a positive number")


class IccLens(DioptreLens[IccController]):
    """A `Lens` at a channel of a controller in focal power mode; its positions are dioptres.

    What Optotune's documentation leaves open is not guessed: a focal power is in force when the controller
    holds it and also says that the lens has it. See `SerialLens` for what else it promises.
    """

    def __init__(
        self,
        settings: IccSettings,
        clock: Clock | None = None,
        connect: Callable[[str, IccBoard], IccController] = IccController,
        profile: LensProfile | None = None,
    ) -> None:
        """Not connected yet.

        Args:
            settings: Which lens.
            clock: On which moves settle.
            connect: Opens a port.
            profile: The measured map of this lens; the ``optotune`` profile if left out.

        Raises:
            ValueError: The profile's positions are no dioptres.
        """
        self.settings = settings
        named = f"an Optotune {settings.board.name}"
        super().__init__(
            settings,
            clock,
            lambda port, _: connect(port, settings.board),
            settings.settle_s,
            named,
            profile=profile,
        )
        self._in_control = False
        """Whether it was told to follow commands since the port was opened."""
        self._sent = 0
        self._lens_type = ""

    def describe(self) -> dict[str, Any]:
        """Port, channel, firmware, lens, temperature, warnings and counts."""
        board = self.settings.board
        said = self._described(f"Optotune {board.name}")
        where = f"{said['hardware_id']}, channel {board.channel}"
        return {**said, "hardware_id": where, "channel": board.channel, "lens_type": self._lens_type}

    @property
    def _advice(self) -> str:
        return "Check its power and cable, and which controller and channel are named."

    def _ask(self, question: Callable[[IccController], T]) -> T:
        return question(self._dialogue.ready())

    def _greet(self) -> None:
        self._in_control = False
        retried, where, profile = self._dialogue.retried, self._where, self._profile
        self._lens_type = retried("the type of its lens", lambda: self._ask(IccController.lens_type))
        if not self._lens_type:
            raise DeviceLost(
                f"no lens is connected to {where}. Plug one in, or name the channel that it is at."
            )
        if not self._lens_type.startswith(LENS_NAMES):
            raise DeviceLost(
                f"what is connected to {where} is of the type {self._lens_type}, and no tunable lens with"
                " a memory. Name the channel that the lens is at."
            )
        low, high = retried("its range", lambda: self._ask(IccController.limits))
        least, greatest = REGISTER_DIOPTRES
        if not least <= low < high <= greatest:
            raise DeviceLost(
                f"{where} names {low:g} to {high:g} D as the range of its lens, which is none: most likely"
                " the memory of the lens could not be read. Plug the lens in again, then switch the"
                " controller off and on."
            )
        if not self._limit(low, high):
            raise DeviceLost(
                f"the lens at {where} reaches {low:g} to {high:g} D, and the profile {profile.name}"
                f" {profile.position_min:g} to {profile.position_max:g} D: choose another profile."
            )

    def _learn_more(self) -> None:
        self._firmware = self._dialogue.tried(lambda: self._ask(IccController.firmware)) or "unknown"
        self._lens_serial = (
            self._dialogue.tried(lambda: self._ask(IccController.lens_serial_number)) or "unknown"
        )

    def _read_status(self) -> BoardStatus:
        told, actual = self._ask(IccController.held)
        agree = abs(told - actual) <= self.settings.tolerance_dioptres
        return BoardStatus(
            self._code(told if agree else actual),
            0,
            obeys=self._in_control and told != NEVER_TOLD and agree,
            words=f"{told:.3f} D, and says that the lens is at {actual:.3f} D",
        )

    def _send(self, code: int) -> None:
        # After a restart, the lens may follow another input, which says nothing where it is there by chance.
        self._in_control = self._in_control and self._holds_what_was_sent()
        self._sent = code
        self._tell()
        if self._in_control:
            self._await_arrival()

    def _take_control(self) -> None:
        # In the order of the package's own example. After a restart it has to look for its lens again.
        self._ask(IccController.lens_type)
        self._ask(IccController.follow_commands)
        self._tell()
        self._in_control = True
        self._await_arrival()

    def _tell(self) -> None:
        dioptres = self._position(self._sent) if self._sent else ZERO_DIOPTRES
        self._ask(lambda controller: controller.set_focal_power(dioptres))

    def _holds_what_was_sent(self) -> bool:
        told = self._ask(IccController.told)
        return told != NEVER_TOLD and self._code(told) == self._sent

    def _await_arrival(self) -> None:
        """Wait until the controller says that the lens is there, but not for ever: `_read_status` judges."""
        wanted, deadline_ns = self._position(self._sent), self._clock.now_ns() + self._arrival_ns
        while abs(self._ask(IccController.actual) - wanted) > self.settings.tolerance_dioptres:
            if self._clock.now_ns() >= deadline_ns:
                return
            self._clock.wait_until(self._clock.now_ns() + LOOK_NS)

    def _read_faults(self) -> tuple[str, ...]:
        faults, self._warnings = self._ask(IccController.faults)
        self._temperature_c = self._dialogue.tried(lambda: self._ask(IccController.temperature_c))
        missing = "lens not detected"
        if missing not in faults and not self._ask(IccController.lens_type):
            faults = (*faults, missing)
        return faults

    def _rest(self) -> None:
        if self.settings.standby_on_close:
            self._in_control = False
            self._ask(IccController.take_current_off)

    @property
    def _arrival_ns(self) -> int:
        return round(self.settings.arrival_s * 1e9)

    @property
    def _where(self) -> str:
        board = self.settings.board
        return f"channel {board.channel} of the {board.name} at {self._dialogue.port}"
