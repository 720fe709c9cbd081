"""The tunable lens behind one of Optotune's lens drivers on a serial port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dasha_ros.devices.errors import DeviceLost
from dasha_ros.devices.optotune.dioptres import DioptreLens
from dasha_ros.devices.optotune.protocol import (
    BAUD,
    ENTER_CURRENT_MODE,
    ENTER_FOCAL_POWER_MODE,
    FIRMWARE_TYPE,
    FOCAL_POWER,
    FOCAL_POWER_MODE,
    MODE,
    NO_SENSOR,
    OFFSETS_DIOPTRES,
    SERIAL_NUMBER,
    SET_CURRENT,
    SET_FOCAL_POWER,
    SET_TEMPERATURE_LIMITS,
    STATUS,
    STEPS_PER_KELVIN,
    TEMPERATURE,
    VERSION,
    Question,
    number,
    signed,
    status_names,
)
from dasha_ros.devices.serial.dialogue import Connect, SerialSettings
from dasha_ros.devices.serial.lens import BoardStatus
from dasha_ros.devices.serial.link import Link, SerialLink
from dasha_ros.freshness.clock import Clock
from dasha_ros.optics.lens import LensProfile

TEMPERATURES_C = -120.0, 120.0
"""What the driver takes as limits (0309)."""
_UNUSABLE = 0b11
"""Status bits that rule out focal power mode: hardware or the lens's data is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptotuneSettings(SerialSettings):
    """Which lens, and how patient to be with it."""

    temperature_min_c: float = 20.0
    temperature_max_c: float = 45.0
    """Between these temperatures the driver shall guarantee its focal powers [deg C]: the wider, the fewer.
    The defaults are those of the protocol's example."""
    settle_s: float = 0.05
    """How long a move takes [s]; `calibration.scan.Scanner.settling_s` measures it."""
    standby_on_close: bool = True
    """Whether `close` takes the current off the lens."""

    def __post_init__(self) -> None:
        """Check the temperatures.

        Raises:
            ValueError: They are no range that the driver takes.
        """
        low, high = TEMPERATURES_C
        if not low <= self.temperature_min_c < self.temperature_max_c <= high:
            raise ValueError(
                f"temperatures from {self.temperature_min_c!r} to {self.temperature_max_c!r} deg C: the"
                f" first must be below the second, and both in {low:g} to {high:g} deg C"
            )


def connect(port: str, reply_timeout_s: float) -> Link:
    """Open a port as these drivers need it.

    Raises:
        DeviceLost: It can't be opened.
    """
    return SerialLink(port, reply_timeout_s, BAUD)


class OptotuneLens(DioptreLens[Link]):
    """A `Lens` behind a Lens Driver 4 or 4i in focal power mode; its positions are dioptres.

    The driver keeps the focal power whatever the temperature, with what the lens's own memory says. See
    `SerialLens` for what it promises.
    """

    def __init__(
        self,
        settings: OptotuneSettings,
        clock: Clock | None = None,
        connect: Connect = connect,
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
        super().__init__(
            settings, clock, connect, settings.settle_s, "an Optotune Lens Driver 4", profile=profile
        )

    def describe(self) -> dict[str, Any]:
        """Port, firmware, lens, temperature, warnings and counts."""
        return self._described("Optotune Lens Driver 4")

    @property
    def _advice(self) -> str:
        return "Check power, cable and the `port` parameter."

    def _greet(self) -> None:
        settings, retried = self.settings, self._dialogue.retried
        firmware = retried("its firmware type", lambda: self._ask(FIRMWARE_TYPE))
        self._offset = OFFSETS_DIOPTRES.get(firmware.decode("latin-1"), 0.0)
        self._firmware = f"type {firmware.decode('latin-1')}"
        answer = retried("its range", self._set_temperature_limits)
        if answer[0] & _UNUSABLE:
            raise DeviceLost(
                f"the Optotune driver at {self._dialogue.port} says: {', '.join(status_names(answer[0])[0])}."
                " Check that a lens with a memory is plugged into the driver."
            )
        if not self._limit(self._position(number(answer[3:5])), self._position(number(answer[1:3]))):
            profile = self._profile
            raise DeviceLost(
                f"the Optotune driver at {self._dialogue.port} guarantees no focal power inside"
                f" {profile.position_min:g} to {profile.position_max:g} D from {settings.temperature_min_c:g}"
                f" to {settings.temperature_max_c:g} deg C: choose nearer temperature limits, or another"
                " profile."
            )

    def _learn_more(self) -> None:
        if version := self._dialogue.tried(lambda: self._ask(VERSION)):
            build, revision = (int.from_bytes(version[at : at + 2], "big") for at in (2, 4))
            self._firmware = f"{version[0]}.{version[1]}.{build}.{revision}"
        if serial := self._dialogue.tried(lambda: self._ask(SERIAL_NUMBER)):
            self._lens_serial = serial.decode("ascii", "replace").strip("\0 ") or "unknown"

    def _read_status(self) -> BoardStatus:
        mode = self._ask(MODE)[0]
        return BoardStatus(number(self._ask(FOCAL_POWER)), mode, obeys=mode == FOCAL_POWER_MODE)

    def _send(self, code: int) -> None:
        self._ask(SET_FOCAL_POWER, signed(code))

    def _take_control(self) -> None:
        # A driver that restarted has forgotten the limits, and without them it does not change its mode.
        self._set_temperature_limits()
        self._ask(ENTER_FOCAL_POWER_MODE)

    def _set_temperature_limits(self) -> bytes:
        high, low = (
            signed(round(limit_c * STEPS_PER_KELVIN))
            for limit_c in (self.settings.temperature_max_c, self.settings.temperature_min_c)
        )
        return self._ask(SET_TEMPERATURE_LIMITS, high + low)

    def _read_faults(self) -> tuple[str, ...]:
        status = self._ask(STATUS)
        raw = number(self._ask(TEMPERATURE))
        self._temperature_c = None if raw == NO_SENSOR else raw / STEPS_PER_KELVIN
        faults, self._warnings = status_names(status[3], status[2])
        return faults

    def _rest(self) -> None:
        if self.settings.standby_on_close:
            self._ask(ENTER_CURRENT_MODE)
            self._ask(SET_CURRENT, signed(0))

    def _ask(self, question: Question, data: bytes = b"") -> bytes:
        """The data of the reply; empty if there is none."""
        reply = self._dialogue.exchange(question.request(data), question.reply_bytes)
        return question.parse(reply) if question.answer else b""
