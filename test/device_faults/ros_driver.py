"""Restarts, refusals, lost frames and metadata, and strangers, on a scripted driver."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

from scripted_driver import DEFAULTS, RANGES, Script, ScriptedHost

from dasha_ros.devices.lag.latency import Latency, write_latency
from dasha_ros.emulators.fault_sequences.promises import Tally
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.ros.driver.camera import DriverCamera, DriverSettings
from dasha_ros.ros.driver.lens import DriverLens
from dasha_ros.ros.driver.table import driver_named
from device_faults.pair import Pair, promise

FAULTS = ("stop", "start", "refuse", "accept", "lose", "deliver", "stranger", "kill")
AUTOMATICS = ("AeEnable", "AfMode")


def play(random: Random, tally: Tally) -> None:
    """Play one sequence; see `promises.Sequencer`."""
    with tempfile.TemporaryDirectory() as folder:
        _Driver(Path(folder), random, tally).play()


class _Driver(Pair):
    def __init__(self, folder: Path, random: Random, tally: Tally) -> None:
        clock = ManualClock()
        self.script = script = Script(random.randrange(5), random.randrange(5), random.random() < 0.6)
        self.host = ScriptedHost(clock, script, size=(2, 4))
        path = folder / "latency.yaml"
        write_latency(path, Latency("camera_ros /camera", script.lag + 1, script.focus_lag + 1, 1 / 30))
        self.latency, self.notes = str(path), folder / "notes"
        super().__init__(clock, *self.made(clock), random, tally)

    def made(self, clock: ManualClock) -> tuple[DriverCamera, DriverLens]:
        """Both parts, as processes that have just started have them."""
        description, port, notes = driver_named("camera_ros"), self.host.port, self.notes
        settings = DriverSettings(latency=self.latency, notes=notes)
        lens = DriverLens(description, port, latency=self.latency, clock=clock, notes=notes)
        return DriverCamera(description, settings, port, clock), lens

    def fault(self) -> None:
        random, script = self.random, self.script
        kind = random.choice(FAULTS)
        self.tally.faults[kind] += 1
        if kind == "stop":
            self.host.stop()
        elif kind == "start":
            self.host.start()
        elif kind == "refuse":
            script.refuse.add(random.choice(tuple(DEFAULTS)))
        elif kind == "accept":
            script.refuse.clear()
        elif kind == "lose":
            # With all of them lost, the driver is frozen.
            share, metadata_share = random.choice((0.2, 0.5, 1.0)), random.choice((0.0, 0.5))
            script.lose = lambda _: random.random() < share
            script.lose_metadata = lambda _: random.random() < metadata_share
        elif kind == "deliver":
            script.lose = script.lose_metadata = lambda _: False
        elif kind == "kill":
            for part in self.parts.values():
                # The lock is all that the system takes from a process that is killed.
                part._device._taken._notes.end()
            self.parts = dict(zip(self.parts, self.made(self.clock), strict=True))
            self.open.clear()
            self.exposure_us = self.position = None
        elif self.host.driver is not None:
            # Another program moves the lens; nobody is told.
            self.host.driver.set("LensPosition", 2.5)

    def mend(self) -> None:
        self.script.refuse.clear()
        self.script.lose = self.script.lose_metadata = lambda _: False
        self.host.start()

    def target(self) -> float:
        return self.random.randrange(41) / 8.0

    def focus(self, position: float) -> float:
        return position

    def check_sent(self) -> None:
        low, high = RANGES["LensPosition"]
        outside = [
            value for name, value in self.host.asked if name == "LensPosition" and not low <= value <= high
        ]
        promise(not outside, f"{outside} D were sent")

    def check_given_back(self) -> None:
        assert self.host.driver is not None
        values = {name: self.host.driver.values[name] for name in AUTOMATICS}
        wanted = {name: DEFAULTS[name] for name in AUTOMATICS}
        promise(values == wanted, f"{values} is not {wanted}")
