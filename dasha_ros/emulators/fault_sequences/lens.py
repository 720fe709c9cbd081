"""Random faults for the lens back ends on serial ports, on their emulated boards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TypedDict

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.optotune.lens import OptotuneLens, OptotuneSettings
from dasha_ros.devices.serial.lens import SerialLens
from dasha_ros.devices.serial.link import SerialLink
from dasha_ros.devices.varioptic.lens import VariopticLens, VariopticSettings
from dasha_ros.devices.varioptic.protocol import focus_code
from dasha_ros.emulators.fault_sequences.promises import PromiseBroken, Tally
from dasha_ros.emulators.fault_sequences.sequence import FaultSequence
from dasha_ros.emulators.lens.optotune import RANGE_DIOPTRES
from dasha_ros.emulators.lens.port import EmulatedDevice, LensEmulator, LensEmulatorSettings
from dasha_ros.optics.optotune import CODES_PER_DIOPTRE, STEP_DIOPTRES
from dasha_ros.optics.varioptic import RANGE, quantised_volts

EVENTS = 14
REPLY_TIMEOUT_S = 0.012
LATE_S = 0.016
"""Later than the timeout, so that the reply arrives after the next request."""
LINE_FAULTS = (
    "drop_request",
    "corrupt_request",
    "drop_reply",
    "corrupt_reply",
    "half_reply",
    "late_reply",
    "nack",
    "noise",
)


class _Impatient(TypedDict):
    """Settings that all drivers have, for a compressed time."""

    port: str
    reply_timeout_s: float
    quiet_s: float
    attempts: int
    settle_s: float


@dataclass(frozen=True)
class _Kind:
    """What differs from back end to back end."""

    driver: Callable[[_Impatient], SerialLens[Any]]
    code: Callable[[float], int]
    output: Callable[[float], float]
    """Where the lens goes for a command."""
    limits: tuple[float, float]
    step: float
    """The least difference of two commands."""


_KINDS: dict[EmulatedDevice, _Kind] = {
    "varioptic": _Kind(
        lambda settings: VariopticLens(VariopticSettings(**settings)),
        focus_code,
        quantised_volts,
        RANGE,
        0.001,
    ),
    "optotune": _Kind(
        lambda settings: OptotuneLens(OptotuneSettings(**settings)),
        lambda dioptres: round(dioptres * CODES_PER_DIOPTRE),
        lambda dioptres: round(dioptres * CODES_PER_DIOPTRE) / CODES_PER_DIOPTRE,
        RANGE_DIOPTRES,
        STEP_DIOPTRES,
    ),
}


class LensFaults:
    """Plays sequences on one emulator on a pseudo-terminal, each with a new driver.

    Args:
        device: Which board is emulated.
    """

    def __init__(self, device: EmulatedDevice = "varioptic") -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="dasha_soak_"))
        self._kind = _KINDS[device]
        settings = LensEmulatorSettings(device=device, paced=False)
        self._emulator = LensEmulator(self._folder / "lens", settings)

    def __enter__(self) -> LensFaults:
        """Plug the lens in."""
        self._emulator.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Clean up."""
        self._emulator.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def play(self, random: Random, tally: Tally) -> None:
        """Play one sequence; see `promises.Sequencer`."""
        _Sequence(self._kind, self._emulator, random, tally).play(EVENTS)


class _Sequence(FaultSequence):
    def __init__(self, kind: _Kind, emulator: LensEmulator, random: Random, tally: Tally) -> None:
        self._kind, self._emulator = kind, emulator
        emulator.clear_faults()
        emulator.on_request = None
        emulator.unplug()
        emulator.reseed(random.getrandbits(32))
        emulator.board.latched.clear()
        emulator.plug()
        self._lens = kind.driver(
            _Impatient(
                port=str(emulator.link),
                reply_timeout_s=REPLY_TIMEOUT_S,
                quiet_s=0.004,
                attempts=3,
                settle_s=0.0,
            )
        )
        super().__init__(self._lens, random, tally)
        # The first `open` may apply the board's own power-on value.
        self._allowed = {emulator.board.code}

    def events(self) -> Sequence[tuple[Callable[[], object], int]]:
        return (
            (self.attempt, 10),
            (self._read, 3),
            (self._spoil_line, 4),
            (self.end_faults, 2),
            (self._unplug, 2),
            (self._unplug_within_command, 1),
            (self._brown_out, 1),
            (self._noise, 1),
            (self._rival, 1),
            (self._hostile, 1),
        )

    def attempt(self) -> bool:
        return self._move_to(self._random.uniform(*self._kind.limits))

    def _move_to(self, position: float) -> bool:
        code = self._kind.code(position)
        self._allowed.add(code)
        done = self.call("move", lambda: self._check_moved(position, code))
        if done:
            # From now on, only this position may be applied again until the next command.
            self._allowed = {code}
        return done

    def _check_moved(self, position: float, code: int) -> None:
        reading = self._lens.move(position)
        board = self._emulator.board
        if board.code != code or not board.obeys:
            raise PromiseBroken(
                f"{position} {board.unit} was reported as active, but the board has code {board.code}, mode"
                f" {board.mode}"
            )
        if reading.position != self._kind.output(position):
            raise PromiseBroken(
                f"the reading says {reading.position} {board.unit} after a command of {position}"
            )

    def _read(self) -> None:
        self.call("read", self._lens.read)

    def _spoil_line(self) -> None:
        knob = self._random.choice(LINE_FAULTS)
        self._tally.faults[knob] += 1
        self._emulator.set_faults(late_s=LATE_S, **{knob: self._random.choice((0.1, 0.3, 0.6, 1.0))})

    def _unplug(self) -> None:
        self._tally.faults["unplug"] += 1
        self._emulator.unplug()
        for _ in range(self._random.choice((0, 1, 5))):
            self._random.choice((self.attempt, self._read))()
        self._emulator.plug()

    def _unplug_within_command(self) -> None:
        self._tally.faults["unplug within a command"] += 1
        left = self._random.randrange(1, 5)

        def count_down() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                self._emulator.unplug()

        self._emulator.on_request = count_down
        self.attempt()
        self.attempt()
        self._emulator.on_request = None
        self._emulator.unplug()
        self._emulator.plug()

    def _brown_out(self) -> None:
        self._tally.faults["brown-out"] += 1
        self._emulator.brown_out()

    def _noise(self) -> None:
        self._tally.faults["unasked bytes"] += 1
        self._emulator.inject(self._random.randbytes(self._random.randrange(1, 40)))

    def _rival(self) -> None:
        """Another process takes the port while the driver is closed."""
        self._tally.faults["held by another process"] += 1
        self.close()
        try:
            rival = SerialLink(str(self._emulator.link), REPLY_TIMEOUT_S, self._emulator.board.baud)
        except DeviceLost:
            return
        try:
            if self.call("open", lambda: None):
                raise PromiseBroken("the port was opened twice")
        finally:
            rival.close()

    def _hostile(self) -> None:
        (low, high), step = self._kind.limits, self._kind.step
        position = self._random.choice((float("nan"), float("inf"), -1e9, low - step, high + step, 1e9))
        before = list(self._emulator.board.latched)
        with suppress(ValueError, DeviceError):
            self._lens.move(position)
            raise PromiseBroken(f"{position} was accepted")
        if self._open and self._emulator.board.latched != before:
            raise PromiseBroken(f"{position} moved the lens")

    def end_faults(self) -> None:
        self._emulator.clear_faults()

    def check(self) -> None:
        board = self._emulator.board
        wrong = set(board.latched) - self._allowed
        board.latched.clear()
        if wrong:
            raise PromiseBroken(f"the board latched codes {sorted(wrong)} that nobody commanded")
        if board.stored:
            raise PromiseBroken("the EEPROM was written")
