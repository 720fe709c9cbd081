"""Random faults for the Varioptic back end, on the emulated board."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.varioptic.lens import VariopticLens, VariopticSettings
from dasha_ros.devices.varioptic.link import SerialLink
from dasha_ros.devices.varioptic.protocol import focus_code
from dasha_ros.emulators.fault_sequences.promises import PromiseBroken, Tally
from dasha_ros.emulators.fault_sequences.sequence import FaultSequence
from dasha_ros.emulators.lens.port import LensEmulator, LensEmulatorSettings
from dasha_ros.optics.varioptic import VOLTS_MAX, VOLTS_MIN, quantised_volts

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


class LensFaults:
    """Plays sequences on one emulator on a pseudo-terminal, each with a new driver."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="dasha_soak_"))
        self._emulator = LensEmulator(self._folder / "lens", LensEmulatorSettings(paced=False))

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
        _Sequence(self._emulator, random, tally).play(EVENTS)


class _Sequence(FaultSequence):
    def __init__(self, emulator: LensEmulator, random: Random, tally: Tally) -> None:
        self._emulator = emulator
        emulator.clear_faults()
        emulator.on_request = None
        emulator.unplug()
        emulator.reseed(random.getrandbits(32))
        emulator.board.latched.clear()
        emulator.plug()
        self._lens = VariopticLens(
            VariopticSettings(
                port=str(emulator.link),
                reply_timeout_s=REPLY_TIMEOUT_S,
                quiet_s=0.004,
                attempts=3,
                settle_s=0.0,
            )
        )
        super().__init__(self._lens, random, tally)
        # The first `open` may apply the board's own power-on value.
        self._allowed = {0}

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
        return self._move_to(round(self._random.uniform(VOLTS_MIN, VOLTS_MAX), 3))

    def _move_to(self, volts: float) -> bool:
        code = focus_code(volts)
        self._allowed.add(code)
        done = self.call("move", lambda: self._check_moved(volts, code))
        if done:
            # From now on, only this voltage may be applied again until the next command.
            self._allowed = {code}
        return done

    def _check_moved(self, volts: float, code: int) -> None:
        reading = self._lens.move(volts)
        board = self._emulator.board
        if (board.code, board.mode) != (code, 0):
            raise PromiseBroken(
                f"{volts} V was reported as active, but the board has code {board.code}, mode {board.mode}"
            )
        if reading.position != quantised_volts(volts):
            raise PromiseBroken(f"the reading says {reading.position} V after a command of {volts} V")

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
            rival = SerialLink(str(self._emulator.link), REPLY_TIMEOUT_S)
        except DeviceLost:
            return
        try:
            if self.call("open", lambda: None):
                raise PromiseBroken("the port was opened twice")
        finally:
            rival.close()

    def _hostile(self) -> None:
        volts = self._random.choice((float("nan"), float("inf"), -1.0, 23.999, 70.001, 1e9))
        before = list(self._emulator.board.latched)
        with suppress(ValueError, DeviceError):
            self._lens.move(volts)
            raise PromiseBroken(f"{volts} V was accepted")
        if self._open and self._emulator.board.latched != before:
            raise PromiseBroken(f"{volts} V moved the lens")

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
