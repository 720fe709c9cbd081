"""Random faults for lenses whose devices are not on a serial port; ``DASHA_SOAK=1`` runs the full number.

The promises are those of `dasha_ros.emulators.fault_sequences`: what was reported as reached is reached,
nothing outside the limits is sent, and every sequence ends with a lens that works again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from random import Random

import pytest
from indi_servers import FAKE, FakeFocuser
from optic_nodes import OpticNodes

from dasha_ros.devices.errors import DeviceError
from dasha_ros.devices.indi.lens import IndiLens
from dasha_ros.devices.indi.settings import IndiSettings
from dasha_ros.devices.lens import Lens
from dasha_ros.devices.pylon.lens import PylonLens, PylonLensSettings
from dasha_ros.devices.pylon.lens_port import CameraLensPort
from dasha_ros.emulators.fault_sequences.promises import PromiseBroken, Tally, play_sequences
from dasha_ros.emulators.fault_sequences.sequence import FaultSequence
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.optics.lens_info import FROM_BELOW

FULL = bool(os.environ.get("DASHA_SOAK"))
EVENTS = 12
patient = pytest.mark.timeout(1800 if FULL else 120, method="thread")
"""On each test: a mark of the whole file counts less than that of the folder."""


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


@patient
def test_the_lens_at_the_camera_s_port_keeps_its_promises() -> None:
    def play(random: Random, tally: Tally) -> None:
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

    count = 500 if FULL else 50
    tally = play_sequences("lens port", play, count, 2)
    print(f"lens port: {tally}")
    assert tally.sequences == tally.recoveries == count
    assert len(tally.faults) >= 8


@patient
def test_the_focuser_behind_a_server_keeps_its_promises() -> None:
    pytest.importorskip("indipyclient", reason="./scripts/setup --hardware installs it")

    def play(random: Random, tally: Tally) -> None:
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

    count = 500 if FULL else 4
    tally = play_sequences("focuser", play, count, 2)
    print(f"focuser: {tally}")
    assert tally.sequences == tally.recoveries == count
    assert len(tally.faults) >= 4
