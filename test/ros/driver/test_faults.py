"""Restarts, refusals, lost frames and metadata, strangers: 500 seeded sequences of faults of a driver."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from scripted_driver import DEFAULTS, RANGES, Script, ScriptedHost
from webcam_in_memory import told

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.lag.latency import Latency, write_latency
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.ros.driver.camera import DriverCamera, DriverSettings
from dasha_ros.ros.driver.lens import DriverLens
from dasha_ros.ros.driver.table import driver_named

SEQUENCES, STEPS = 500, 30
LONGEST_CALL_NS = 20_000_000_000
"""A call that lasts longer hangs."""


class Drivers:
    """Camera and lens as two nodes use them: after a loss they open again."""

    def __init__(self, rng: random.Random, folder: Path) -> None:
        self.rng, self.clock = rng, ManualClock()
        self.script = Script(rng.randrange(5), rng.randrange(5), rng.random() < 0.6)
        self.host = ScriptedHost(self.clock, self.script, size=(2, 4))
        path = folder / "latency.yaml"
        lags = self.script.lag + 1, self.script.focus_lag + 1
        write_latency(path, Latency("camera_ros /camera", *lags, 1 / 30))
        description, settings = driver_named("camera_ros"), DriverSettings(latency=str(path))
        self.parts: dict[str, Any] = {
            "camera": DriverCamera(description, settings, self.host.port, self.clock),
            "lens": DriverLens(description, self.host.port, latency=str(path), clock=self.clock),
        }
        self.open: set[str] = set()
        self.exposure_us: float | None = None
        self.position: float | None = None
        """What is in force; ``None``: a command failed."""
        self.rest_ns = self.answered = 0

    def fault(self) -> None:
        rng, script = self.rng, self.script
        kind = rng.choice(("stop", "start", "refuse", "accept", "lose", "deliver", "stranger"))
        if kind == "stop":
            self.host.stop()
        elif kind == "start":
            self.host.start()
        elif kind == "refuse":
            script.refuse.add(rng.choice(tuple(DEFAULTS)))
        elif kind == "accept":
            script.refuse.clear()
        elif kind == "lose":
            share, metadata_share = rng.choice((0.2, 0.5, 1.0)), rng.choice((0.0, 0.5))
            script.lose = lambda _: rng.random() < share
            script.lose_metadata = lambda _: rng.random() < metadata_share
        elif kind == "deliver":
            script.lose = script.lose_metadata = lambda _: False
        elif self.host.driver is not None:
            # Another program moves the lens; nobody is told.
            self.host.driver.set("LensPosition", 2.5)

    def expose(self) -> None:
        self.exposure_us, wanted = None, self.rng.choice((100.0, 5_000.0, 33_300.0, 120_000.0))
        self.exposure_us = self.call("camera", lambda camera: camera.set_exposure(wanted))

    def move(self) -> None:
        self.position, wanted = None, self.rng.randrange(41) / 8.0
        reading = self.call("lens", lambda lens: lens.move(wanted))
        if reading is not None:
            self.position = reading.position
            self.rest_ns = self.clock.now_ns() + round(reading.settle_s * 1e9)

    def capture(self) -> None:
        reading = self.call("lens", lambda lens: lens.read())
        if reading is not None and reading.faults:
            self.position = None
        asked_ns = self.clock.now_ns()
        frame = self.call("camera", lambda camera: camera.capture(self.rest_ns))
        if frame is None:
            return
        assert frame.begun_ns >= max(asked_ns, self.rest_ns)
        exposure, focus = told(frame.pixels)
        assert frame.exposure_us == 100.0 * exposure
        if self.exposure_us is not None:
            assert frame.exposure_us == self.exposure_us
        if self.position is not None and reading is not None:
            assert focus == pytest.approx(self.position, abs=0.02)
        self.answered += 1

    def reopen(self) -> None:
        for role, part in self.parts.items():
            if role in self.open:
                continue
            with suppress(DeviceError):
                reading = part.open()
                self.open.add(role)
                if role == "lens":
                    self.position = reading.position
                    self.rest_ns = max(self.rest_ns, self.clock.now_ns() + round(reading.settle_s * 1e9))
                else:
                    self.exposure_us = None

    def wait(self) -> None:
        self.clock.advance(self.rng.randrange(500_000_000))

    def call(self, role: str, call: Callable[[Any], Any]) -> Any:
        """A call that may fail with a sentence, but never hang or raise anything else."""
        begun_ns = self.clock.now_ns()
        try:
            return call(self.parts[role])
        except DeviceError as error:
            failure = error
        assert self.clock.now_ns() - begun_ns < LONGEST_CALL_NS
        assert "\n" not in str(failure)
        if isinstance(failure, DeviceLost):
            self.parts[role].close()
            self.open.discard(role)
        return None

    def recover(self) -> None:
        """The fault is over: everything must work again."""
        self.script.refuse.clear()
        self.script.lose = self.script.lose_metadata = lambda _: False
        self.host.start()
        for part in self.parts.values():
            part.close()
        self.open.clear()
        self.reopen()
        assert self.open == {"camera", "lens"}
        self.expose()
        self.move()
        before = self.answered
        self.capture()
        assert self.answered == before + 1


@pytest.mark.parametrize("share", range(10))
def test_every_sequence_of_faults_ends_well(share: int, tmp_path: Path) -> None:
    for seed in range(share, SEQUENCES, 10):
        drivers = Drivers(random.Random(seed), tmp_path)
        for _ in range(STEPS):
            acts = ("fault", "expose", "move", "capture", "capture", "reopen", "wait")
            getattr(drivers, drivers.rng.choice(acts))()
            driver = drivers.host.driver
            if driver is not None:
                low, high = RANGES["LensPosition"]
                assert low <= driver.values["LensPosition"] <= high
        drivers.recover()
        for part in drivers.parts.values():
            part.close()
        assert drivers.host.driver is not None
        values = drivers.host.driver.values
        assert (values["AeEnable"], values["AfMode"]) == (DEFAULTS["AeEnable"], DEFAULTS["AfMode"]), seed
