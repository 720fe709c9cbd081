"""A lens board on a pseudo-terminal, which pyserial opens like a real port and which fails like one."""

from __future__ import annotations

import heapq
import os
import select
import threading
import time
import tty
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, Literal

from dasha_ros.devices.serial.port_lock import claim, release
from dasha_ros.emulators.lens.board import LensBoard
from dasha_ros.emulators.lens.emulated_board import Asked, EmulatedBoard
from dasha_ros.emulators.lens.line import FaultyLine, LineFaults
from dasha_ros.emulators.lens.optotune import LensDriver4
from dasha_ros.emulators.lens.state import EmulatedLensState, StateFile
from dasha_ros.optics.actuator import LensActuator, PowerTrajectory
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.profiles import lens_model

HALF_REQUEST_S = 0.02
"""The board drops an incomplete request after this time."""
EmulatedDevice = Literal["varioptic", "optotune"]
_BOARDS: dict[EmulatedDevice, type[EmulatedBoard[Any]]] = {"varioptic": LensBoard, "optotune": LensDriver4}
DEVICES = tuple(_BOARDS)
"""Names of all emulated devices."""
_PROFILES: dict[EmulatedDevice, str] = {"varioptic": "physical", "optotune": "optotune"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LensEmulatorSettings:
    """The emulated lens and its faults."""

    faults: LineFaults = field(default_factory=LineFaults)
    seed: int = 0
    """Seed of the faults."""
    device: EmulatedDevice = "varioptic"
    """Which board: a Varioptic Flexiboard, or Optotune's Lens Driver 4."""
    paced: bool = True
    """Whether bytes take as long as at the board's baud rate."""
    analog_at_power_on: bool = True
    """Varioptic only: whether the board starts in analog mode, as real boards do."""
    profile: str = ""
    """Lens model, by name or by the path of a table; empty: the device's own."""
    time_constant_s: float | None = None
    """Time constant of the liquid [s]; ``None``: that of the lens model, as for all that follow."""
    hysteresis: float | None = None
    """Half width of the play."""
    step: float | None = None
    """Step of the output; 0 follows every command exactly."""

    @property
    def model(self) -> LensProfile:
        """The lens model.

        Raises:
            ValueError: There is none of that name, or it is in another unit than the device.
        """
        model, board = lens_model(self.profile or _PROFILES[self.device]), _BOARDS[self.device]
        if model.unit != board.unit:
            raise ValueError(
                f"the profile {model.name} is in {model.unit}, and the emulated {self.device} lens takes"
                f" {board.unit}"
            )
        return model

    @property
    def rest(self) -> float:
        """Where the lens is without power."""
        return _BOARDS[self.device].rest

    def board(self, on_drive: Callable[[float], None]) -> EmulatedBoard[Any]:
        """The board, which calls ``on_drive`` with every position that it asks of its lens."""
        if self.device == "optotune":
            return LensDriver4(on_drive)
        return LensBoard(on_drive, analog_at_power_on=self.analog_at_power_on)


class LensEmulator:
    """Serves one emulated board at a stable path.

    The path is a link to the current pseudo-terminal. It vanishes while the lens is unplugged and comes back
    as another device, like a USB serial port. Thread-safe.
    Use it as a context manager, or call `start` and `stop`.
    """

    def __init__(self, link: Path, settings: LensEmulatorSettings | None = None) -> None:
        self.link = link
        self.settings = settings or LensEmulatorSettings()
        changed = {
            name: value
            for name in ("hysteresis", "time_constant_s", "step")
            if (value := getattr(self.settings, name)) is not None
        }
        self._actuator = LensActuator(self.settings.model, self.settings.rest, time.monotonic_ns(), **changed)
        self._lock = threading.RLock()
        self._line = FaultyLine(self.settings.faults, self.settings.seed)
        self._replies: list[tuple[float, int, bytes]] = []
        self._order = count()
        self._heard_at = 0.0
        self._ends: tuple[int, int] | None = None
        self._claim: int | None = None
        self._state: StateFile | None = None
        self._wake_pipe: tuple[int, int] | None = None
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.requests = 0
        """Number of complete requests that reached the board."""
        self.on_request: Callable[[], None] | None = None
        """Called in the emulator's thread before every request; may unplug the lens."""
        self.on_move: Callable[[PowerTrajectory], None] | None = None
        """Called with every new trajectory of the lens, in the thread that moves it; for evaluations."""
        self.board = self.settings.board(self._drive)

    def start(self) -> None:
        """Take the path, plug the lens in and serve it.

        Raises:
            FileExistsError: Another emulator, or something else, uses the path.
        """
        self.link.parent.mkdir(parents=True, exist_ok=True)
        self._claim_link()
        self._state = StateFile(self.link)
        self._stopping = False
        self._wake_pipe = os.pipe()
        self.plug()
        self._thread = threading.Thread(target=self._serve, name="lens emulator", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Unplug the lens and free the path. Stopping twice is fine."""
        if self._thread is None or self._claim is None or self._state is None or self._wake_pipe is None:
            return
        self._stopping = True
        self._wake()
        self._thread.join()
        self._thread = None
        self.unplug()
        self._state.remove()
        self._state = None
        for end in self._wake_pipe:
            os.close(end)
        self._wake_pipe = None
        release(self.link, self._claim)
        self._claim = None

    def __enter__(self) -> LensEmulator:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop it."""
        self.stop()

    @property
    def plugged(self) -> bool:
        """Whether the path leads to a port."""
        return self._ends is not None

    def unplug(self) -> None:
        """Pull the USB cable: the port vanishes and the board loses its power."""
        with self._lock:
            if self._ends is None:
                return
            self.link.unlink(missing_ok=True)
            for end in self._ends:
                os.close(end)
            self._ends = None
            self._forget_line()
            self._drive(self.settings.rest)
        self._wake()

    def plug(self) -> None:
        """Plug the lens in: the board restarts behind a new port."""
        with self._lock:
            if self._ends is not None:
                return
            # The slave end stays open here; otherwise the first client that closes it hangs up the master.
            master, slave = os.openpty()
            tty.setraw(slave)
            os.set_blocking(master, False)
            self._ends = (master, slave)
            self.board.power_on()
            fresh = self.link.with_name(f".{self.link.name}.{os.getpid()}")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(os.ttyname(slave))
            os.replace(fresh, self.link)
        self._wake()

    def brown_out(self) -> None:
        """Let the supply voltage dip: the board restarts, and the port stays."""
        with self._lock:
            self._forget_line()
            self.board.power_on()

    def set_faults(self, **changes: float) -> None:
        """Change fields of `LineFaults` while the line is in use.

        Raises:
            ValueError: A value is out of range.
            TypeError: There is no such field.
        """
        with self._lock:
            self._line.faults = replace(self._line.faults, **changes)

    def clear_faults(self) -> None:
        """Make the line clean; late replies are lost."""
        with self._lock:
            self._line.faults = LineFaults()
            self._replies.clear()

    def reseed(self, seed: int) -> None:
        """Restart the faults with another seed."""
        with self._lock:
            self._line = FaultyLine(self._line.faults, seed)

    def inject(self, noise: bytes) -> None:
        """Send bytes that no request asked for."""
        with self._lock:
            self._send_at(time.monotonic(), noise)
        self._wake()

    def position(self) -> float:
        """What the electronics put out now, in the lens's unit."""
        with self._lock:
            return self._actuator.position

    def set_temperature(self, temperature_c: float) -> None:
        """Let the lens drift to another temperature [deg C]."""
        with self._lock:
            self.board.temperature_c = temperature_c
            self._moved(self._actuator.set_temperature(temperature_c, time.monotonic_ns()))

    def _claim_link(self) -> None:
        try:
            handle = claim(self.link)
        except FileExistsError as error:
            raise FileExistsError(
                f"another lens emulator serves {self.link}; stop it or choose another path"
            ) from error
        if self.link.exists() and not self.link.is_symlink():
            release(self.link, handle)
            raise FileExistsError(f"{self.link} exists and is not an emulator's link; choose another path")
        # A link that a killed emulator left must not pass for this one's.
        self.link.unlink(missing_ok=True)
        self._claim = handle

    def _drive(self, position: float) -> None:
        self._moved(self._actuator.command(position, time.monotonic_ns()))

    def _moved(self, trajectory: PowerTrajectory) -> None:
        if self._state is not None:
            self._state.write(EmulatedLensState(self._actuator.position, trajectory))
        if self.on_move is not None:
            self.on_move(trajectory)

    def _forget_line(self) -> None:
        self.board.parser.reset()
        self._replies.clear()

    def _wake(self) -> None:
        if self._wake_pipe is not None:
            os.write(self._wake_pipe[1], b"\0")

    def _serve(self) -> None:
        assert self._wake_pipe is not None
        wake = self._wake_pipe[0]
        while not self._stopping:
            with self._lock:
                master = self._ends[0] if self._ends else None
                wait = self._seconds_to_next()
            try:
                ready = select.select([wake] if master is None else [wake, master], [], [], wait)[0]
            except OSError:
                continue  # unplugged between the check and the wait
            if wake in ready:
                os.read(wake, 4096)
            with self._lock:
                if self._ends is not None and master in ready:
                    self._receive(self._ends[0])
                self._send_due()

    def _seconds_to_next(self) -> float | None:
        if not self._replies:
            return None
        return max(0.0, self._replies[0][0] - time.monotonic())

    def _receive(self, master: int) -> None:
        try:
            received = os.read(master, 4096)
        except BlockingIOError:
            return  # plugged in again meanwhile: the old port is gone
        now = time.monotonic()
        if self.board.parser.pending and now - self._heard_at > HALF_REQUEST_S:
            self.board.parser.reset()
        self._heard_at = now
        # The driver writes a request at once, so one read is one frame.
        for request in self.board.parser.feed(self._line.to_board(received)):
            self.requests += 1
            if self.on_request is not None:
                self.on_request()
            if self._ends is not None:
                self._answer(request, now)

    def _answer(self, request: Asked, now: float) -> None:
        board = self.board
        refused = request.intact and self._line.refuses()
        reply = board.refuse(request) if refused else board.handle(request)
        spoilt = self._line.from_board(reply)
        on_wire_s = board.wire_seconds(request.size + len(spoilt.data)) if self.settings.paced else 0.0
        self._send_at(now + on_wire_s + spoilt.delay_s, spoilt.data)

    def _send_at(self, due: float, data: bytes) -> None:
        heapq.heappush(self._replies, (due, next(self._order), data))

    def _send_due(self) -> None:
        while self._replies and self._replies[0][0] <= time.monotonic():
            _, _, data = heapq.heappop(self._replies)
            if self._ends is None or not data:
                continue
            with suppress(BlockingIOError):  # nobody reads; a real bridge would drop the bytes, too
                os.write(self._ends[0], data)
