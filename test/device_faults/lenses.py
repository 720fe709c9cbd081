"""Random faults for lenses: at a camera's own port, at an ICC, and behind an INDI server in this process."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pytest
import serial
from indi_servers import FAKE, FakeFocuser
from optic_nodes import OpticNodes
from opto_icc import Icc, install

from dasha_ros.devices.errors import DeviceError
from dasha_ros.devices.indi.lens import IndiLens
from dasha_ros.devices.indi.settings import IndiSettings
from dasha_ros.devices.lens import Lens
from dasha_ros.devices.optotune.icc.boards import IccBoard
from dasha_ros.devices.optotune.icc.lens import IccLens, IccSettings
from dasha_ros.devices.pylon.lens import PylonLens, PylonLensSettings
from dasha_ros.devices.pylon.lens_port import CameraLensPort
from dasha_ros.emulators.fault_sequences.promises import PromiseBroken, Tally
from dasha_ros.emulators.fault_sequences.sequence import FaultSequence
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.optics.lens_info import FROM_BELOW

EVENTS = 12


class _Sequence(FaultSequence):
    """Moves and readings between the faults of one device.

    Args:
        lens: The driver.
        limits: Of the device.
        actual: Where the device is.
        sent: All positions that reached it.
        faults: What may go wrong, by name, and how it ends.
    """

    def __init__(
        self,
        lens: Lens,
        limits: tuple[float, float],
        actual: Callable[[], float],
        sent: list[float],
        faults: dict[str, Callable[[], object]],
        mend: Callable[[], object],
        random: Random,
        tally: Tally,
    ) -> None:
        super().__init__(lens, random, tally)
        self._lens, self._limits, self._actual, self._sent = lens, limits, actual, sent
        self._faults, self._mend = faults, mend

    def events(self) -> Sequence[tuple[Callable[[], object], int]]:
        return (
            (self.attempt, 8),
            (lambda: self.call("read", self._lens.read), 3),
            (self._break, 4),
            (self.end_faults, 2),
            (self._hostile, 1),
        )

    def attempt(self) -> bool:
        position = self._random.uniform(*self._limits)
        return self.call("move", lambda: self._check_moved(position))

    def _check_moved(self, position: float) -> None:
        reading = self._lens.move(position)
        if reading.position != self._actual():
            raise PromiseBroken(f"{reading.position} was reported, and the lens is at {self._actual()}")
        if abs(reading.position - position) > self._lens.info.resolution:
            raise PromiseBroken(f"{reading.position} was reported after a command of {position}")

    def _break(self) -> None:
        name = self._random.choice(sorted(self._faults))
        self._tally.faults[name] += 1
        self._faults[name]()

    def _hostile(self) -> None:
        low, high = self._limits
        position = self._random.choice((float("nan"), float("inf"), low - 1.0, high + 1.0))
        before = len(self._sent)
        try:
            self._lens.move(position)
        except (ValueError, DeviceError):
            if len(self._sent) == before:
                return
        raise PromiseBroken(f"{position} was accepted")

    def end_faults(self) -> None:
        self._mend()

    def check(self) -> None:
        if outside := [p for p in self._sent if not self._limits[0] <= p <= self._limits[1]]:
            raise PromiseBroken(f"{outside} was sent, beyond {self._limits}")


def play_lens_port(random: Random, tally: Tally) -> None:
    """A lens at a camera's own port, on a node map; see `promises.Sequencer`."""
    nodes = OpticNodes(random.choice(("FocalPower", "FocusStepper")), travel=random.randrange(4))

    def mend() -> None:
        nodes.plugged = nodes.is_open = nodes.writable = True
        nodes.never_arrives, nodes.status = False, "Ready"

    faults: dict[str, Callable[[], object]] = {
        "unplugged": lambda: (nodes.unplug(), nodes.plug()),
        "gone": nodes.unplug,
        "camera closed": lambda: setattr(nodes, "is_open", False),
        "not writable": lambda: setattr(nodes, "writable", False),
        "never arrives": lambda: setattr(nodes, "never_arrives", True),
        "lens missing": lambda: setattr(nodes, "status", "NotConnected"),
        "asleep": lambda: setattr(nodes, "status", "NotInitialized"),
        "moved by others": lambda: setattr(nodes, "position", nodes.limits[0]),
    }
    settings = PylonLensSettings(travel_timeout_s=0.2)
    lens = PylonLens(CameraLensPort(nodes), settings, ManualClock())
    limits = float(nodes.limits[0]), float(nodes.limits[1])
    actual = lambda: float(nodes.position)  # noqa: E731
    _Sequence(lens, limits, actual, nodes.commands, faults, mend, random, tally).play(EVENTS)


def play_icc(random: Random, tally: Tally) -> None:
    """A lens at one of Optotune's newer controllers, on a double of its package; see `promises.Sequencer`."""
    board = random.choice((IccBoard("icc-1c"), IccBoard("icc-4c", random.randrange(4))))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        icc = Icc(Path(folder) / "port", board.controller, board.channel)
        install(patch, icc)

        def mend() -> None:
            if not icc.port.exists():
                icc.plug()
            icc.is_silent = icc.is_deaf = False
            icc.looks_until_arrival, icc.rounding = 0, 0.0
            icc.raising.clear()
            icc.answers.clear()

        def moved_by_others() -> None:
            icc.lens.told = random.uniform(*icc.limits)

        faults: dict[str, Callable[[], object]] = {
            "unplugged": lambda: (icc.unplug(), icc.plug()),
            "gone": icc.unplug,
            "restart": icc.restart,
            "restart into analogue": lambda: icc.restart(is_static_input=False),
            "silent": lambda: setattr(icc, "is_silent", True),
            "takes and ignores": lambda: setattr(icc, "is_deaf", True),
            "slow": lambda: setattr(icc, "looks_until_arrival", random.choice((5, 10_000))),
            "rounds": lambda: setattr(icc, "rounding", 0.1),
            "package fails": lambda: icc.raising.extend(
                random.choices((None, ValueError(), IndexError()), k=4)
            ),
            "cable trembles": lambda: icc.raising.extend((None, serial.SerialException("read failed"))),
            "error in place of a value": lambda: icc.answers.update(GetDiopter="UNKNOWN_ERROR"),
            "moved by others": moved_by_others,
        }
        lens = IccLens(IccSettings(port=str(icc.port), board=board), ManualClock())

        def actual() -> float:
            # 0 D is sent as a fifth of a step.
            return round(icc.dioptres * 200) / 200

        _Sequence(lens, icc.limits, actual, icc.sent, faults, mend, random, tally).play(EVENTS)


def play_focuser(random: Random, tally: Tally) -> None:
    """A focuser behind a server; see `promises.Sequencer`."""
    focuser = FakeFocuser(backlash=20)

    def mend() -> None:
        focuser.silent = focuser.stuck = focuser.refuses_connection = False
        focuser.misses, focuser.state_after = 0, "Ok"

    faults: dict[str, Callable[[], object]] = {
        "hangs up": focuser.hang_up,
        "silent": lambda: setattr(focuser, "silent", True),
        "stuck": lambda: setattr(focuser, "stuck", True),
        "stops elsewhere": lambda: setattr(focuser, "misses", 3),
        "alert": lambda: setattr(focuser, "state_after", "Alert"),
        "moved by others": lambda: focuser.arrive(random.randrange(3000)),
        "disconnected": focuser.disconnect,
        "garbage": lambda: focuser.send("<setNumberVector device='x' name='y'/><what/>"),
    }
    lens = IndiLens(
        IndiSettings(
            server=f"127.0.0.1:{focuser.port}", device=FAKE, reply_timeout_s=0.25, travel_timeout_s=0.25,
            approach=FROM_BELOW, backlash_steps=20,
        )
    )  # fmt: skip
    limits = (0.0, float(focuser.maximum))
    actual = lambda: float(focuser.at)  # noqa: E731
    try:
        _Sequence(lens, limits, actual, focuser.commands, faults, mend, random, tally).play(EVENTS)
    finally:
        lens.close()
        focuser.close()
