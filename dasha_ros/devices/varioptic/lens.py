"""The liquid lens behind one of Corning's Varioptic driver boards on a serial port."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from dasha_ros.devices.errors import DeviceLost, DeviceTimeout
from dasha_ros.devices.lens import LensReading, LimitedLens
from dasha_ros.devices.varioptic.boards import FOCUS, STANDBY, Board, board_named
from dasha_ros.devices.varioptic.link import Link, SerialLink, find_port
from dasha_ros.devices.varioptic.protocol import (
    MAX_CODE,
    READ_NACK,
    WRITE_REPLY_BYTES,
    ProtocolError,
    ReplyIncomplete,
    RequestRefused,
    code_volts,
    focus_bytes,
    focus_code,
    parse_read_reply,
    parse_write_reply,
    read_reply_bytes,
    read_request,
    write_request,
)
from dasha_ros.freshness.clock import Clock, SteadyClock
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.optics.varioptic import UNIT, VOLTS_MAX, VOLTS_MIN, PhysicalLens, quantised_volts

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class VariopticSettings:
    """Which lens, and how patient to be with it."""

    port: str = ""
    """Path of the port, best a stable one under ``/dev/serial/by-id``; empty: found by serial number."""
    serial_number: str = ""
    """Serial number of the USB bridge; empty: whatever is at ``port``."""
    board: str = "flexiboard"
    """One of `boards.BOARDS`."""
    settle_s: float = 0.07
    """How long a move takes [s]; `calibration.scan.Scanner.settling_s` measures it. After a move of 1 V
    (0.31 D) the error is then below 0.01 D at a time constant of 20 ms."""
    reply_timeout_s: float = 0.05
    """A reply takes 2 ms on the wire; the rest is for USB and a busy computer [s]."""
    quiet_s: float = 0.02
    """After a bad reply, the line must be silent this long before the next request [s]."""
    attempts: int = 4
    """How often one command is tried before `DeviceTimeout`."""
    silent_commands: int = 2
    """After this many commands in a row without any reply the device counts as lost."""
    standby_on_close: bool = True
    """Whether `close` takes the voltage off the lens."""


@dataclass(frozen=True, slots=True)
class _Status:
    code: int
    mode: int


class _NotInForce(ProtocolError):
    """The board acknowledged a command, but does something else."""


class VariopticLens(LimitedLens):
    """A `Lens` behind a driver board; its positions are volts.

    Every move is written, then read back. So an acknowledged voltage that did not take effect, a late
    reply to an older request, or a board that restarted in between can't pass for success. The board's
    EEPROM is never written. After a loss, `open` restores the last active voltage.
    """

    def __init__(
        self,
        settings: VariopticSettings,
        clock: Clock | None = None,
        connect: Callable[[str, float], Link] = SerialLink,
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
        self._clock = clock or SteadyClock()
        self._connect = connect
        self._board: Board = board_named(settings.board)
        self._link: Link | None = None
        self._port = settings.port
        self._dirty = False
        self._silent = 0
        self._in_force: float | None = None
        self._attempted: float | None = None
        """Sent but not confirmed: the board may hold this voltage or the one before [V]."""
        self._moved_at_ns = 0
        self._faults: tuple[str, ...] = ()
        self._version: int | None = None
        self.counts: Counter[str] = Counter()
        """Counts of requests and of their failures, since this object was made."""

    def open(self) -> LensReading:
        """Claim the port, leave analog mode and standby, and read the board.

        The first time, the lens stays where the board's registers say. Later, the last active voltage is
        restored.

        Raises:
            DeviceLost: No such port, another process holds it, the serial number is another one,
                or what is there does not speak the protocol.
        """
        self.close()
        self._port = find_port(self.settings.port, self.settings.serial_number)
        self._link = self._connect(self._port, self.settings.reply_timeout_s)
        self._dirty, self._silent = True, 0
        try:
            status = self._retried("its state", self._read_status)
            # Registers that never got a command may hold more than 70.0 V.
            target = min(status.code, MAX_CODE) if self._in_force is None else focus_code(self._in_force)
            if status.mode or status.code != target:
                self._drive(target)
            self._attempted = None
            if self._in_force is None:
                self._in_force = code_volts(target)
            self._version = self._read_version()
            return self.read()
        except DeviceTimeout as error:
            self._drop()
            raise DeviceLost(
                f"the device at {self._port} does not answer as a Varioptic {self._board.name} board:"
                f" {error}. Check power, cable and the `board` parameter."
            ) from error
        except DeviceLost:
            self._drop()
            raise

    def close(self) -> None:
        """Put the board to standby (unless told not to) and give the port back."""
        if self._link is None:
            return
        if self.settings.standby_on_close and self._board.mode is not None:
            try:
                self._write(self._board.mode, bytes([STANDBY]))
            except (ProtocolError, DeviceLost):
                self.counts["standby failed"] += 1
        self._drop()

    @property
    def info(self) -> LensInfo:
        """Volts, 24.0 to 70.0, and the profile's map."""
        return self._info

    def _move(self, position: float) -> LensReading:
        """Command a voltage; return when it has taken effect.

        ``faults`` of the reading are those of the last `read`; asking again would take another 1.6 ms.
        """
        self._attempted = position
        self._drive(focus_code(position))
        self._in_force, self._attempted = position, None
        return self._reading()

    def read(self) -> LensReading:
        """Read output and faults without moving.

        Raises:
            DeviceTimeout: No answer within the bounded attempts.
            DeviceLost: The port is gone, the board stays silent, or it restarted by itself
                (a dip in its supply) and no longer does what it was told.
        """
        if not self._holds(self._retried("its state", self._read_status)):
            # It may be a late reply to an older request: wait for silence, then ask again.
            self._dirty = True
            self._confirm_held()
        bits = self._retried("its faults", self._read_faults)
        self._faults = self._board.faults(bits)
        return self._reading()

    def describe(self) -> dict[str, Any]:
        """Port, board, firmware, active voltage and counts."""
        return {
            "hardware_id": f"{self._board.name} {self.settings.serial_number}".strip() + f" at {self._port}",
            "model": f"Corning Varioptic {self._board.name}",
            "port": self._port,
            "serial_number": self.settings.serial_number,
            "firmware": "unknown" if self._version is None else str(self._version),
            "unit": UNIT,
            "position_in_force": self._in_force,
            "faults": list(self._faults),
            **{f"count {name}": count for name, count in sorted(self.counts.items())},
        }

    def _confirm_held(self) -> None:
        if not self._holds(self._retried("its state", self._read_status)):
            self.counts["restarts"] += 1
            raise DeviceLost(
                f"the lens board at {self._port} no longer holds {self._in_force:.3f} V: it restarted by"
                " itself or someone else changed it. Check its supply; opening it anew puts the voltage back."
            )

    def _holds(self, status: _Status) -> bool:
        if self._in_force is None:
            return True
        if status.mode == 0 and self._attempted is not None and status.code == focus_code(self._attempted):
            # Only the confirmation was lost.
            self._in_force, self._attempted = self._attempted, None
        return status.mode == 0 and status.code == focus_code(self._in_force)

    def _reading(self) -> LensReading:
        assert self._in_force is not None
        rest_ns = self._moved_at_ns + round(self.settings.settle_s * 1e9) - self._clock.now_ns()
        return LensReading(quantised_volts(self._in_force), max(0.0, rest_ns / 1e9), self._faults)

    def _drive(self, code: int) -> None:
        def write_and_check() -> None:
            self._write(FOCUS, focus_bytes(code))
            self._moved_at_ns = self._clock.now_ns()
            status = self._read_status()
            if status.mode and self._board.mode is not None:
                # Writing the focus has ended analog mode; end standby, too.
                self._write(self._board.mode, b"\x00")
                self._moved_at_ns = self._clock.now_ns()
                status = self._read_status()
            if status.mode or status.code != code:
                raise _NotInForce(
                    f"the board holds code {status.code} in mode {status.mode}, not code {code}"
                )

        self._retried(f"{code_volts(code):.3f} V", write_and_check)

    def _retried(self, what: str, attempt: Callable[[], T]) -> T:
        """Repeat ``attempt`` until it works, a bounded number of times."""
        trouble: list[ProtocolError] = []
        heard = False
        for _ in range(self.settings.attempts):
            try:
                result = attempt()
            except ProtocolError as error:
                self.counts[_kind(error)] += 1
                self._dirty = True
                heard |= not (isinstance(error, ReplyIncomplete) and error.silent)
                trouble.append(error)
            else:
                self._silent = 0
                return result
        self._silent = 0 if heard else self._silent + 1
        message = (
            f"the lens board at {self._port} did not confirm {what} in {len(trouble)} attempts;"
            f" the last: {trouble[-1]}"
        )
        if self._silent >= self.settings.silent_commands:
            raise DeviceLost(f"{message}. It has been silent for {self._silent} commands")
        raise DeviceTimeout(message)

    def _read_status(self) -> _Status:
        values = self._read(FOCUS, self._board.status_count)
        mode = 0 if self._board.mode is None else values[self._board.mode]
        return _Status(int.from_bytes(values[:2], "little"), mode)

    def _read_faults(self) -> int:
        # One register, as in field-tested drivers. No board is known to use bits 2 and 4 together
        # with bit 0, so that 0x15, which reads as a NACK, does not occur.
        return self._read(self._board.fault, 1)[0]

    def _read_version(self) -> int | None:
        if self._board.version is None:
            return None
        try:
            return self._read(self._board.version, 1)[0]
        except ProtocolError:
            self._dirty = True
            return None

    def _write(self, address: int, values: bytes) -> None:
        parse_write_reply(self._exchange(write_request(address, values), WRITE_REPLY_BYTES))

    def _read(self, address: int, count: int) -> bytes:
        reply = self._exchange(read_request(address, count), read_reply_bytes(count), READ_NACK)
        return parse_read_reply(reply, count)

    def _exchange(self, request: bytes, reply_bytes: int, short_reply: bytes = b"") -> bytes:
        if self._link is None:
            raise DeviceLost(f"the lens board at {self._port or 'no port'} is not open")
        if self._dirty:
            self._link.wait_quiet(self.settings.quiet_s)
            self._dirty = False
        self.counts["requests"] += 1
        return self._link.exchange(request, reply_bytes, short_reply)

    def _drop(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None


def _kind(error: ProtocolError) -> str:
    if isinstance(error, RequestRefused):
        return "refused"
    if isinstance(error, ReplyIncomplete):
        return "incomplete"
    return "not in force" if isinstance(error, _NotInForce) else "garbled"
