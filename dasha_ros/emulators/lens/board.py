"""A Varioptic board's registers and output, without the serial line: requests in, replies out."""

from __future__ import annotations

from collections.abc import Callable

from dasha_ros.devices.varioptic.boards import ANALOG, BOARDS, COMMAND, FOCUS, STANDBY
from dasha_ros.devices.varioptic.protocol import (
    BAUD,
    MAX_CODE,
    READ_NACK,
    START,
    WRITE_ACK,
    WRITE_NACK,
    Request,
    RequestParser,
    Verb,
    code_volts,
    sealed,
)
from dasha_ros.emulators.lens.emulated_board import EmulatedBoard
from dasha_ros.optics.varioptic import UNIT, VOLTS_MIN

REGISTERS = 0x10
FAULT = BOARDS["flexiboard"].fault
MODE = 0x03
VERSION = 0x05
FIRMWARE = 0x12
"""Firmware version of the emulated board."""


class LensBoard(EmulatedBoard[Request]):
    """A Flexiboard: its registers, its modes and the voltage that they make.

    Args:
        on_drive: Called with the voltage asked of the driver chip [V] whenever the board sets it.
        analog_at_power_on: Whether the board starts in analog mode, as real boards do.
    """

    unit = UNIT
    baud = BAUD
    rest = VOLTS_MIN

    def __init__(self, on_drive: Callable[[float], None], *, analog_at_power_on: bool = True) -> None:
        super().__init__(on_drive, RequestParser())
        self._analog_at_power_on = analog_at_power_on
        self._registers = bytearray(REGISTERS)
        self.power_on()

    def power_on(self) -> None:
        """Start as after a power loss: registers at their defaults, in analog mode."""
        self._registers[:] = bytes(REGISTERS)
        self._registers[MODE] = ANALOG if self._analog_at_power_on else 0
        self._registers[VERSION] = FIRMWARE
        self.drive()

    @property
    def code(self) -> int:
        """Focus code in the registers."""
        return int.from_bytes(self._registers[FOCUS : FOCUS + 2], "little")

    @property
    def mode(self) -> int:
        """Mode bits."""
        return self._registers[MODE]

    @property
    def obeys(self) -> bool:
        """Whether the output follows the focus code."""
        return not self.mode & (ANALOG | STANDBY)

    @property
    def mode_name(self) -> str:
        """The mode in a word."""
        return "standby" if self.mode & STANDBY else "analog" if self.mode & ANALOG else "digital"

    @property
    def driven(self) -> float:
        """What the board asks of the driver chip [V].

        In analog mode the open input, and in standby the missing voltage, leave the lens at its low end.
        """
        return code_volts(self.code) if self.obeys else VOLTS_MIN

    def set_faults(self, bits: int) -> None:
        """Raise or clear faults: bit 0 overload, 1 driver not answering, 2 thermal shutdown."""
        self._registers[FAULT] = bits & 0xFF

    def handle(self, request: Request) -> bytes:
        """Obey ``request`` and return the reply."""
        known = request.address + request.count <= REGISTERS
        if request.verb is Verb.READ:
            if not request.intact or not known:
                return READ_NACK
            span = self._registers[request.address : request.address + request.count]
            return sealed(bytes([START, Verb.READ]) + bytes(span))
        if not request.intact or not known or not self._may_write(request):
            return WRITE_NACK
        self._write(request)
        return WRITE_ACK

    def refuse(self, request: Request) -> bytes:
        """The reply to a request that the board refuses for no reason."""
        return READ_NACK if request.verb is Verb.READ else WRITE_NACK

    def _may_write(self, request: Request) -> bool:
        after = bytearray(self._registers)
        after[request.address : request.address + request.count] = request.values
        return int.from_bytes(after[FOCUS : FOCUS + 2], "little") <= MAX_CODE or not _writes(
            request, FOCUS + 1
        )

    def _write(self, request: Request) -> None:
        self._registers[request.address : request.address + request.count] = request.values
        if _writes(request, COMMAND) and self._registers[COMMAND] & 1:
            self.stored += 1
        if _writes(request, FOCUS + 1):
            self.latched.append(self.code)
            if not _writes(request, MODE):
                self._registers[MODE] &= ~ANALOG
        if _writes(request, FOCUS + 1) or _writes(request, MODE):
            self.drive()


def _writes(request: Request, register: int) -> bool:
    return request.address <= register < request.address + request.count
