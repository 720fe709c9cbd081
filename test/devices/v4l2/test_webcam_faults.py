"""Cables, refusals, strangers and lost frames in any order: 500 seeded sequences on a webcam in memory."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest
from webcam_in_memory import MemoryPort, MemoryWebcam, told

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.lag.latency import Latency, write_latency
from dasha_ros.devices.v4l2.camera import WebcamCamera, WebcamSettings
from dasha_ros.devices.v4l2.lens import WebcamLens
from dasha_ros.emulators.webcam.controls import WebcamKnobs
from dasha_ros.emulators.webcam.optics import WEBCAM_LENS
from dasha_ros.freshness.clock import ManualClock

SEQUENCES, STEPS = 500, 30
REFUSABLE = ("exposure_time", "focus", "auto_focus", "auto_exposure", "gain")
AUTOMATICS = {"auto_exposure": 8, "auto_focus": 1, "auto_white_balance": 1}
LONGEST_CALL_NS = 20_000_000_000
"""A call that lasts longer hangs: the slowest frames here take half a second, and eight of them lag."""


class Drivers:
    """Camera and lens as two drivers use them: after a loss they open again."""

    def __init__(self, rng: random.Random, folder: Path) -> None:
        self.rng, self.clock = rng, ManualClock()
        lag = rng.randrange(5)
        knobs = WebcamKnobs(lag, rng.randrange(5), focus_time_constant_s=0.0, focus_play=0.0)
        self.device = MemoryWebcam(self.clock, folder, knobs=knobs, size=(2, 4))
        path = folder / "latency.yaml"
        write_latency(path, Latency(self.device.found.model, lag + 1, knobs.focus_lag + 1, 1 / 30))
        self.camera = WebcamCamera(WebcamSettings(latency=str(path)), self.clock, self.device.access)
        self.lens = WebcamLens(latency=str(path), clock=self.clock, access=self.device.access)
        self.open = {"camera": False, "lens": False}
        self.stranger: MemoryPort | None = None
        self.exposure_us: float | None = None
        self.position: float | None = None
        """What the driver was told is in force; `None`: a command failed."""
        self.rest_ns = self.answered = 0

    def act(self) -> None:
        """One random event or call."""
        getattr(self, self.rng.choice(("fault", "expose", "move", "capture", "capture", "reopen", "wait")))()

    def fault(self) -> None:
        device, rng = self.device, self.rng
        kind = rng.choice(("unplug", "plug", "refuse", "accept", "lose", "deliver", "stranger", "leave"))
        if kind == "unplug":
            device.unplug()
        elif kind == "plug" and not device.plugged:
            device.plug()
        elif kind == "refuse":
            device.knobs.refuse.add(rng.choice(REFUSABLE))
        elif kind == "accept":
            device.knobs.refuse.clear()
        elif kind == "lose":
            share = rng.choice((0.2, 0.5, 1.0))
            device.lose = lambda _: rng.random() < share
        elif kind == "deliver":
            device.lose = lambda _: False
        elif kind == "stranger" and device.plugged and device.streaming is None:
            self.stranger = device.open(device.found)
            self.stranger.start(self.stranger.formats()[0])
        elif kind == "leave" and self.stranger is not None:
            self.stranger.close()

    def expose(self) -> None:
        self.exposure_us, wanted = None, self.rng.choice((100.0, 5_000.0, 33_300.0, 120_000.0))
        self.exposure_us = self._call("camera", lambda: self.camera.set_exposure(wanted))

    def move(self) -> None:
        self.position, wanted = None, 5.0 * self.rng.randrange(51)
        reading = self._call("lens", lambda: self.lens.move(wanted))
        if reading is not None:
            self.position, self.rest_ns = (
                reading.position,
                self.clock.now_ns() + round(reading.settle_s * 1e9),
            )

    def capture(self) -> None:
        if self.open["lens"]:
            self._call("lens", self.lens.read)  # as its driver does twice a second
        asked_ns = self.clock.now_ns()
        frame = self._call("camera", lambda: self.camera.capture(self.rest_ns))
        if frame is None:
            return
        assert frame.begun_ns >= max(asked_ns, self.rest_ns)
        exposure, focus = told(frame.pixels)
        assert frame.exposure_us == 100.0 * exposure
        if self.exposure_us is not None:
            assert frame.exposure_us == self.exposure_us
        if self.position is not None and self.open["lens"]:
            assert focus == pytest.approx(WEBCAM_LENS.dioptres(self.position), abs=0.02)
        self.answered += 1

    def reopen(self) -> None:
        for role, driver in (("camera", self.camera), ("lens", self.lens)):
            if not self.open[role]:
                self._open(role, driver)

    def wait(self) -> None:
        self.clock.advance(self.rng.randrange(500_000_000))

    def recover(self) -> None:
        """The fault is over: everything must work again, with what was in force."""
        self.device.knobs.refuse.clear()
        self.device.lose = lambda _: False
        if self.stranger is not None:
            self.stranger.close()
        if not self.device.plugged:
            self.device.plug()
        for role in ("camera", "lens"):
            self.open[role] = False
        self.reopen()
        assert self.open == {"camera": True, "lens": True}
        self.expose()
        self.move()
        before = self.answered
        self.capture()
        assert self.answered == before + 1

    def _open(self, role: str, driver: WebcamCamera | WebcamLens) -> None:
        with suppress(DeviceError):
            told_by = driver.open()
            self.open[role] = True
            if role == "lens":
                self.position = told_by.position
                self.rest_ns = max(self.rest_ns, self.clock.now_ns() + round(told_by.settle_s * 1e9))
            else:
                self.exposure_us = None

    def _call(self, role: str, call):
        """A call of a driver, which may fail with a sentence but never hang or raise anything else."""
        begun_ns = self.clock.now_ns()
        try:
            return call()
        except DeviceLost:
            self.open[role] = False
            (self.camera if role == "camera" else self.lens).close()
        except DeviceError:
            pass  # once; the driver would try again
        finally:
            assert self.clock.now_ns() - begun_ns < LONGEST_CALL_NS
        return None


@pytest.mark.parametrize("part", range(4))
def test_any_order_of_faults_leaves_a_webcam_that_works(part: int, tmp_path: Path) -> None:
    answered = 0
    for seed in range(part, SEQUENCES, 4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        drivers = Drivers(random.Random(seed), folder)
        drivers.reopen()
        for _ in range(STEPS):
            drivers.act()
        drivers.recover()
        answered += drivers.answered
        drivers.lens.close()
        drivers.camera.close()
        # Whatever happened, the automatic functions are on again.
        states = drivers.device.states
        assert {name: states.get(name) for name in AUTOMATICS} == AUTOMATICS
    assert answered > SEQUENCES // 4 * 2
