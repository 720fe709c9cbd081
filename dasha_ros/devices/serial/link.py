"""A serial line for requests and replies. Every failure of the line becomes `DeviceLost`."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from dasha_ros.devices.errors import DeviceLost
from dasha_ros.devices.serial.port_lock import is_abandoned

WRITE_TIMEOUT_S = 0.5
"""A request takes 3 ms at most; a write that blocks longer has a dead device behind it."""


class Line(Protocol):
    """What a `Dialogue` needs of whatever it talks over."""

    def wait_quiet(self, quiet_s: float) -> None:
        """Throw away what comes until nothing came for ``quiet_s``."""
        ...

    def close(self) -> None:
        """Give the line back. Never raises."""
        ...


class Link(Line, Protocol):
    """A line for requests and replies made of bytes."""

    def exchange(self, request: bytes, reply_bytes: int, short_reply: bytes = b"") -> bytes:
        """Throw away what came before, send ``request`` and return at most ``reply_bytes``.

        Returns early with ``short_reply`` when that came and nothing after it, and with fewer
        bytes when time is up. With no ``reply_bytes`` it does not wait.
        """
        ...


class SerialLink:
    """A `Link` over pyserial, opened for this process alone.

    8 data bits, no parity, 1 stop bit, no flow control.

    Args:
        port: Path of the port.
        reply_timeout_s: How long a reply may take [s].
        baud: Rate of the line [bit/s].

    Raises:
        DeviceLost: It can't be opened; the message says why and what to do.
    """

    GAP_S = 0.005
    """Bytes of one reply follow each other without a gap; USB adds a few milliseconds."""
    MAX_GARBAGE_BYTES = 4096

    def __init__(self, port: str, reply_timeout_s: float, baud: int) -> None:
        import serial

        self.port, self._baud = port, baud
        self._serial: Any = None
        _refuse_abandoned(port)
        try:
            self._serial = serial.Serial(
                port,
                baudrate=baud,
                bytesize=serial.EIGHTBITS,
                parity=serial.PARITY_NONE,
                stopbits=serial.STOPBITS_ONE,
                xonxoff=False,
                rtscts=False,
                dsrdtr=False,
                timeout=reply_timeout_s,
                write_timeout=WRITE_TIMEOUT_S,
                exclusive=True,
            )
        except (serial.SerialException, OSError, ValueError) as error:
            raise DeviceLost(_why_not_open(port, error)) from error
        try:
            # The emulator may have been killed between the first check and the opening.
            _refuse_abandoned(port)
        except DeviceLost:
            self.close()
            raise

    def exchange(self, request: bytes, reply_bytes: int, short_reply: bytes = b"") -> bytes:
        """One request and what came back in time."""
        with self._line_errors():
            self._drain()
            self._serial.write(request)
            if not reply_bytes:
                return b""
            first = min(reply_bytes, len(short_reply)) or reply_bytes
            reply = bytes(self._serial.read(first))
            if len(reply) < first or len(reply) == reply_bytes:
                return reply
            if reply == short_reply and not self._readable(self.GAP_S):
                return reply
            return reply + bytes(self._serial.read(reply_bytes - first))

    def wait_quiet(self, quiet_s: float) -> None:
        """Throw away what comes until nothing came for ``quiet_s``."""
        with self._line_errors():
            discarded = 0
            while self._readable(quiet_s):
                discarded += self._drain()
                if discarded > self.MAX_GARBAGE_BYTES:
                    raise DeviceLost(
                        f"{self.port} sends bytes without end: another device is there, or its baud rate"
                        f" is not {self._baud}. Check which device the port belongs to."
                    )

    def close(self) -> None:
        """Give the port back. Errors are ignored: a device that is gone needs no closing."""
        import termios

        with suppress(OSError, termios.error):
            self._serial.close()

    def _drain(self) -> int:
        count = 0
        while self._readable(0.0):
            received = self._serial.read(max(1, self._serial.in_waiting))
            count += len(received)
            if count > self.MAX_GARBAGE_BYTES:
                break
        return count

    def _readable(self, timeout_s: float) -> bool:
        return bool(select.select([self._serial.fileno()], [], [], timeout_s)[0])

    @contextmanager
    def _line_errors(self) -> Iterator[None]:
        import termios

        import serial

        try:
            yield
        # A vanished port raises any of these, depending on the call that notices first.
        except (serial.SerialException, OSError, termios.error) as error:
            raise DeviceLost(
                f"the lens board at {self.port} is gone ({error}). Check the USB cable and the board's power."
            ) from error


def _refuse_abandoned(port: str) -> None:
    if os.path.lexists(port) and is_abandoned(Path(port)):
        raise DeviceLost(
            f"{port} was left behind by a lens emulator that was killed, and may lead to somebody else's"
            " terminal by now. Start the emulator again, or remove the link."
        )


def no_permission(port: str) -> str:
    """What to do where a port may not be opened."""
    return (
        f"no permission to open {port}. Join the dialout group or install the rule in "
        "docs/how-to/connect-hardware.md."
    )


def _why_not_open(port: str, error: Exception) -> str:
    text = str(error)
    if "lock" in text or "busy" in text:
        return (
            f"{port} is held by another process ({text}). Stop it, or find it with `fuser -v {port}`;"
            " ModemManager is a common culprit (see the udev rule in docs/how-to/connect-hardware.md)."
        )
    if not os.path.exists(port):
        return f"there is no {port}. Is the lens board plugged in, and does the port's name belong to it?"
    if isinstance(error, PermissionError) or "Permission" in text:
        return no_permission(port)
    if os.path.isdir(port) or os.path.isfile(port) or "ioctl" in text:
        what = " but a folder" if os.path.isdir(port) else " but a file" if os.path.isfile(port) else ""
        return f"{port} is no serial port{what}. `dasha lens list` names the ports of this machine."
    return f"{port} could not be opened: {text}"
