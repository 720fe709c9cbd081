"""The liquid lens behind one of Corning's Varioptic driver boards on a serial port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dasha_ros.devices.serial.dialogue import Connect, SerialSettings
from dasha_ros.devices.serial.lens import BoardStatus, SerialLens
from dasha_ros.devices.serial.link import Link, SerialLink
from dasha_ros.devices.varioptic.boards import FOCUS, STANDBY, Board, board_named
from dasha_ros.devices.varioptic.protocol import (
    BAUD,
    MAX_CODE,
    READ_NACK,
    WRITE_REPLY_BYTES,
    code_volts,
    focus_bytes,
    focus_code,
    parse_read_reply,
    parse_write_reply,
    read_reply_bytes,
    read_request,
    write_request,
)
from dasha_ros.freshness.clock import Clock
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.optics.varioptic import UNIT, VOLTS_MAX, VOLTS_MIN, PhysicalLens, quantised_volts


@dataclass(frozen=True, slots=True, kw_only=True)
class VariopticSettings(SerialSettings):
    """Which lens, and how patient to be with it."""

    board: str = "flexiboard"
    """One of `boards.BOARDS`."""
    settle_s: float = 0.07
    """How long a move takes [s]; `calibration.scan.Scanner.settling_s` measures it. After a move of 1 V
    (0.31 D) the error is then below 0.01 D at a time constant of 20 ms."""
    standby_on_close: bool = True
    """Whether `close` takes the voltage off the lens."""


def connect(port: str, reply_timeout_s: float) -> Link:
    """Open a port as these boards need it.

    Raises:
        DeviceLost: It can't be opened.
    """
    return SerialLink(port, reply_timeout_s, BAUD)


class VariopticLens(SerialLens[Link]):
    """A `Lens` behind a driver board; its positions are volts. See `SerialLens` for what it promises."""

    def __init__(
        self,
        settings: VariopticSettings,
        clock: Clock | None = None,
        connect: Connect = connect,
        profile: LensProfile | None = None,
    ) -> None:
        """Not connected yet.

        Args:
            settings: Which lens.
            clock: On which moves settle.
            connect: Opens a port.
            profile: The measured map of this lens; the ``physical`` profile if left out.

        Raises:
            ValueError: The profile's positions are no volts, or the board is unknown.
        """
        self.settings = settings
        profile = profile or PhysicalLens()
        if profile.unit != UNIT:
            raise ValueError(
                f"the profile {profile.name} is in {profile.unit}, and a Varioptic lens takes {UNIT}"
            )
        self._info = LensInfo.of(profile, limits=(VOLTS_MIN, VOLTS_MAX), settle_s=settings.settle_s)
        self._board: Board = board_named(settings.board)
        self._version: int | None = None
        super().__init__(settings, clock, connect, settings.settle_s, f"a Varioptic {self._board.name} board")

    @property
    def info(self) -> LensInfo:
        """Volts, 24.0 to 70.0, and the profile's map."""
        return self._info

    def describe(self) -> dict[str, Any]:
        """Port, board, firmware, active voltage and counts."""
        port, serial_number = self._dialogue.port, self.settings.serial_number
        return {
            "hardware_id": f"{self._board.name} {serial_number}".strip() + f" at {port}",
            "model": f"Corning Varioptic {self._board.name}",
            "port": port,
            "serial_number": serial_number,
            "firmware": "unknown" if self._version is None else str(self._version),
            "unit": UNIT,
            "position_in_force": self._in_force,
            "faults": list(self._faults),
            **{f"count {name}": count for name, count in sorted(self.counts.items())},
        }

    @property
    def _advice(self) -> str:
        return "Check power, cable and the `board` parameter."

    def _greet(self) -> None:
        """Nothing: what a board takes is the same for all."""

    def _learn_more(self) -> None:
        register = self._board.version
        if register is not None:
            version = self._dialogue.tried(lambda: self._registers(register, 1))
            self._version = version[0] if version else None

    def _code(self, position: float) -> int:
        return focus_code(position)

    def _position(self, code: int) -> float:
        return code_volts(code)

    def _output(self, position: float) -> float:
        return quantised_volts(position)

    def _admitted(self, code: int) -> int:
        # Registers that never got a command may hold more than 70.0 V.
        return min(code, MAX_CODE)

    def _read_status(self) -> BoardStatus:
        values = self._registers(FOCUS, self._board.status_count)
        mode = 0 if self._board.mode is None else values[self._board.mode]
        return BoardStatus(int.from_bytes(values[:2], "little"), mode, obeys=mode == 0)

    def _send(self, code: int) -> None:
        self._write(FOCUS, focus_bytes(code))

    def _take_control(self) -> None:
        # Writing the focus has ended analog mode; this ends standby, too.
        if self._board.mode is not None:
            self._write(self._board.mode, b"\x00")

    def _read_faults(self) -> tuple[str, ...]:
        # One register, as in field-tested drivers. No board is known to use bits 2 and 4 together
        # with bit 0, so that 0x15, which reads as a NACK, does not occur.
        return self._board.faults(self._registers(self._board.fault, 1)[0])

    def _rest(self) -> None:
        if self.settings.standby_on_close and self._board.mode is not None:
            self._write(self._board.mode, bytes([STANDBY]))

    def _write(self, address: int, values: bytes) -> None:
        request = write_request(address, values)
        parse_write_reply(self._dialogue.exchange(request, WRITE_REPLY_BYTES))

    def _registers(self, address: int, count: int) -> bytes:
        request = read_request(address, count)
        return parse_read_reply(self._dialogue.exchange(request, read_reply_bytes(count), READ_NACK), count)
