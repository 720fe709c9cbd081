"""Requests and replies over one line, with the patience that a bad line and a busy computer need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from dasha_ros.devices.errors import DeviceLost, DeviceTimeout
from dasha_ros.devices.serial.link import Line, Link
from dasha_ros.devices.serial.ports import find_port
from dasha_ros.devices.serial.replies import ProtocolError, ReplyIncomplete

T = TypeVar("T")
LineT = TypeVar("LineT", bound=Line)
Connect = Callable[[str, float], Link]
"""Opens a port, given its path and how long a reply may take [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialSettings:
    """Which port, and how patient to be with what is behind it."""

    port: str = ""
    """Path of the port, best a stable one under ``/dev/serial/by-id``; empty: found by serial number."""
    serial_number: str = ""
    """Serial number of the USB bridge; empty: whatever is at ``port``."""
    reply_timeout_s: float = 0.05
    """A reply takes 2 ms on the wire; the rest is for USB and a busy computer [s]."""
    quiet_s: float = 0.02
    """After a bad reply, the line must be silent this long before the next request [s]."""
    attempts: int = 4
    """How often one command is tried before `DeviceTimeout`."""
    silent_commands: int = 2
    """After this many commands in a row without any reply the device counts as lost."""


class Dialogue(Generic[LineT]):
    """The line to one lens board: it resynchronises after trouble, tries again, and gives up in time.

    The boards number neither requests nor replies. So a late reply could pass for the next one: after any
    bad reply nothing is sent until the line was silent.

    Attributes:
        port: Path of the port; empty before the first `open` of a board that is found by its serial number.
        counts: Counts of requests and of their failures, since this object was made.
    """

    def __init__(self, settings: SerialSettings, connect: Callable[[str, float], LineT]) -> None:
        self.port = settings.port
        self.counts: Counter[str] = Counter()
        self._settings, self._connect = settings, connect
        self._link: LineT | None = None
        self._dirty = False
        self._silent = 0

    @property
    def is_open(self) -> bool:
        """Whether the port is held."""
        return self._link is not None

    def open(self) -> None:
        """Claim the port.

        Raises:
            DeviceLost: No such port, another process holds it, or the serial number is another one.
            OutOfRange: Neither a port nor a serial number is set.
        """
        settings = self._settings
        self.port = find_port(settings.port, settings.serial_number)
        self._link = self._connect(self.port, settings.reply_timeout_s)
        self._dirty, self._silent = True, 0

    def close(self) -> None:
        """Give the port back. Never raises; closing twice is fine."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def distrust(self) -> None:
        """Wait for silence before the next request: the last reply may have been an older one's."""
        self._dirty = True

    def ready(self) -> LineT:
        """The line, for one request: silent since the last bad reply, and counted.

        Raises:
            DeviceLost: The port is closed or gone.
        """
        if self._link is None:
            raise DeviceLost(f"the lens board at {self.port or 'no port'} is not open")
        if self._dirty:
            self._link.wait_quiet(self._settings.quiet_s)
            self._dirty = False
        self.counts["requests"] += 1
        return self._link

    def exchange(self: Dialogue[Link], request: bytes, reply_bytes: int, short_reply: bytes = b"") -> bytes:
        """One request and its reply; see `Link.exchange`.

        Raises:
            DeviceLost: The port is closed or gone.
        """
        return self.ready().exchange(request, reply_bytes, short_reply)

    def retried(self, what: str, attempt: Callable[[], T]) -> T:
        """Repeat ``attempt`` until it works, a bounded number of times.

        Args:
            what: What the board shall confirm, for messages.
            attempt: One or more requests; raises `ProtocolError` when a reply is none.

        Raises:
            DeviceTimeout: It did not work.
            DeviceLost: The port is gone, or the board has been silent for too many commands.
        """
        trouble: list[ProtocolError] = []
        heard = False
        for _ in range(self._settings.attempts):
            try:
                result = attempt()
            except ProtocolError as error:
                self.counts[error.kind] += 1
                self._dirty = True
                heard |= not (isinstance(error, ReplyIncomplete) and error.silent)
                trouble.append(error)
            else:
                self._silent = 0
                return result
        self._silent = 0 if heard else self._silent + 1
        message = (
            f"the lens board at {self.port} did not confirm {what} in {len(trouble)} attempts;"
            f" the last: {trouble[-1]}"
        )
        if self._silent >= self._settings.silent_commands:
            raise DeviceLost(f"{message}. It has been silent for {self._silent} commands")
        raise DeviceTimeout(message)

    def tried(self, attempt: Callable[[], T]) -> T | None:
        """The result of one ``attempt`` at something that nobody depends on; ``None``: it failed.

        Raises:
            DeviceLost: The port is gone.
        """
        try:
            return attempt()
        except ProtocolError:
            self._dirty = True
            return None
