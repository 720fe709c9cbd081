"""A lens behind a board on a serial port that holds a position: what all of them promise alike."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic

from dasha_ros.devices.errors import DeviceLost, DeviceTimeout
from dasha_ros.devices.lens import LensReading, LimitedLens
from dasha_ros.devices.serial.dialogue import Dialogue, LineT, SerialSettings
from dasha_ros.devices.serial.replies import NotInForce, ProtocolError
from dasha_ros.freshness.clock import Clock, SteadyClock


@dataclass(frozen=True, slots=True)
class BoardStatus:
    """What a board says that it does."""

    code: int
    """The position that it holds, in its own numbers."""
    mode: int
    """Its mode, as it numbers them."""
    obeys: bool
    """Whether this mode makes the lens follow the code."""
    words: str = ""
    """What it holds, for people; empty: its code and its mode."""


class SerialLens(LimitedLens, Generic[LineT]):
    """Base of lenses whose board is commanded and asked by short requests.

    Every move is written, then read back. So an acknowledged position that did not take effect, a late
    reply to an older request, or a board that restarted in between can't pass for success. After a loss,
    `open` restores the last active position. The memory of a board wears out and is never written.
    """

    def __init__(
        self,
        settings: SerialSettings,
        clock: Clock | None,
        connect: Callable[[str, float], LineT],
        settle_s: float,
        named: str,
    ) -> None:
        """Not connected yet.

        Args:
            settings: Which port, and how patient to be with it.
            clock: On which moves settle.
            connect: Opens a port.
            settle_s: How long a move takes [s].
            named: What is expected at the port, with its article, for messages.
        """
        self._clock = clock or SteadyClock()
        self._dialogue = Dialogue(settings, connect)
        self._settle_s, self._named = settle_s, named
        self._in_force: float | None = None
        self._attempted: float | None = None
        """Sent but not confirmed: the board may hold this position or the one before."""
        self._moved_at_ns = 0
        self._faults: tuple[str, ...] = ()

    @property
    def counts(self) -> Counter[str]:
        """Counts of requests and of their failures, since this object was made."""
        return self._dialogue.counts

    def open(self) -> LensReading:
        """Claim the port, make the board follow digital commands, and read it.

        The first time, the lens stays where the board says that it is. Later, the last active position is
        restored.

        Raises:
            DeviceLost: No such port, another process holds it, the serial number is another one,
                or what is there does not speak the protocol.
        """
        self.close()
        self._dialogue.open()
        try:
            self._greet()
            status = self._dialogue.retried("its state", self._read_status)
            wanted = status.code if self._in_force is None else self._code(self._in_force)
            target = self._admitted(wanted)
            if not status.obeys or status.code != target:
                self._drive(target)
            self._attempted = None
            if self._in_force is None or target != wanted:
                self._in_force = self._position(target)
            self._learn_more()
            return self.read()
        except DeviceTimeout as error:
            self._dialogue.close()
            raise DeviceLost(
                f"the device at {self._dialogue.port} does not answer as {self._named}: {error}."
                f" {self._advice}"
            ) from error
        except DeviceLost:
            self._dialogue.close()
            raise

    def close(self) -> None:
        """Put the lens to rest (unless told not to) and give the port back."""
        if not self._dialogue.is_open:
            return
        try:
            self._rest()
        except (ProtocolError, DeviceLost):
            self.counts["standby failed"] += 1
        self._dialogue.close()

    def read(self) -> LensReading:
        """Read position and faults without moving.

        Raises:
            DeviceTimeout: No answer within the bounded attempts.
            DeviceLost: The port is gone, the board stays silent, or it restarted by itself
                (a dip in its supply) and no longer does what it was told.
        """
        retried = self._dialogue.retried
        if not self._holds(retried("its state", self._read_status)):
            # It may be a late reply to an older request: wait for silence, then ask again.
            self._dialogue.distrust()
            if not self._holds(retried("its state", self._read_status)):
                self.counts["restarts"] += 1
                raise DeviceLost(
                    f"the lens board at {self._dialogue.port} no longer holds"
                    f" {self._in_force:.3f} {self.info.unit}: it restarted by itself or someone else changed"
                    " it. Check its supply; opening it anew puts the lens back."
                )
        self._faults = retried("its faults", self._read_faults)
        return self._reading()

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """See `Lens.describe`; also ``port``, ``unit``, ``firmware`` and ``position_in_force``."""

    def _move(self, position: float) -> LensReading:
        """Command a position; return when it is in force.

        ``faults`` of the reading are those of the last `read`; asking again would take more time.
        """
        self._attempted = position
        self._drive(self._code(position))
        self._in_force, self._attempted = position, None
        return self._reading()

    @property
    @abstractmethod
    def _advice(self) -> str:
        """What to do when the device does not answer, as a sentence."""

    @abstractmethod
    def _greet(self) -> None:
        """Ask the board for what has to be known before it is moved."""

    @abstractmethod
    def _learn_more(self) -> None:
        """Ask the board for what may stay unknown."""

    @abstractmethod
    def _code(self, position: float) -> int:
        """A position in the board's own numbers."""

    @abstractmethod
    def _position(self, code: int) -> float:
        """The position that a code asks for."""

    @abstractmethod
    def _output(self, position: float) -> float:
        """Where the lens goes for a command, after the steps of its electronics."""

    @abstractmethod
    def _admitted(self, code: int) -> int:
        """The nearest code inside the lens's limits: a board that nobody set may hold anything."""

    @abstractmethod
    def _read_status(self) -> BoardStatus:
        """Ask for code and mode."""

    @abstractmethod
    def _send(self, code: int) -> None:
        """Command a code."""

    @abstractmethod
    def _take_control(self) -> None:
        """End a mode in which the lens does not follow the code."""

    @abstractmethod
    def _read_faults(self) -> tuple[str, ...]:
        """Ask for faults, by name."""

    @abstractmethod
    def _rest(self) -> None:
        """Take the power off the lens, if that is wanted and possible."""

    def _holds(self, status: BoardStatus) -> bool:
        if self._in_force is None:
            return True
        if status.obeys and self._attempted is not None and status.code == self._code(self._attempted):
            # Only the confirmation was lost.
            self._in_force, self._attempted = self._attempted, None
        return status.obeys and status.code == self._code(self._in_force)

    def _reading(self) -> LensReading:
        assert self._in_force is not None
        rest_ns = self._moved_at_ns + round(self._settle_s * 1e9) - self._clock.now_ns()
        return LensReading(self._output(self._in_force), max(0.0, rest_ns / 1e9), self._faults)

    def _drive(self, code: int) -> None:
        def write_and_check() -> None:
            self._send(code)
            self._moved_at_ns = self._clock.now_ns()
            status = self._read_status()
            if not status.obeys:
                self._take_control()
                self._moved_at_ns = self._clock.now_ns()
                status = self._read_status()
            if not status.obeys or status.code != code:
                held = status.words or f"code {status.code} in mode {status.mode}, not code {code}"
                raise NotInForce(f"the board holds {held}")

        self._dialogue.retried(f"{self._position(code):.3f} {self.info.unit}", write_and_check)
