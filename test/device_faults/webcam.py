"""Cables, refusals, strangers and lost frames in any order, on a webcam in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

from webcam_in_memory import MemoryPort, MemoryWebcam

from dasha_ros.devices.lag.latency import Latency, write_latency
from dasha_ros.devices.v4l2.camera import WebcamCamera, WebcamSettings
from dasha_ros.devices.v4l2.lens import WebcamLens
from dasha_ros.emulators.fault_sequences.promises import Tally
from dasha_ros.emulators.webcam.controls import WebcamKnobs
from dasha_ros.emulators.webcam.optics import WEBCAM_LENS
from dasha_ros.freshness.clock import ManualClock
from device_faults.pair import Pair, promise

FAULTS = ("unplug", "plug", "refuse", "accept", "lose", "deliver", "stranger", "leave")
REFUSABLE = ("exposure_time", "focus", "auto_focus", "auto_exposure", "gain")
AUTOMATICS = {"auto_exposure": 8, "auto_focus": 1, "auto_white_balance": 1}
FOCUS_STEPS = (0, 250)


def play(random: Random, tally: Tally) -> None:
    """Play one sequence; see `promises.Sequencer`."""
    with tempfile.TemporaryDirectory() as folder:
        _Webcam(Path(folder), random, tally).play()


class _Webcam(Pair):
    def __init__(self, folder: Path, random: Random, tally: Tally) -> None:
        clock, lag = ManualClock(), random.randrange(5)
        knobs = WebcamKnobs(lag, random.randrange(5), focus_time_constant_s=0.0, focus_play=0.0)
        self.device = MemoryWebcam(clock, folder, knobs=knobs, size=(2, 4))
        self.stranger: MemoryPort | None = None
        path = folder / "latency.yaml"
        write_latency(path, Latency(self.device.found.model, lag + 1, knobs.focus_lag + 1, 1 / 30))
        access = self.device.access
        camera = WebcamCamera(WebcamSettings(latency=str(path)), clock, access)
        super().__init__(clock, camera, WebcamLens("", str(path), clock, None, access), random, tally)

    def fault(self) -> None:
        device, random = self.device, self.random
        kind = random.choice(FAULTS)
        self.tally.faults[kind] += 1
        if kind == "unplug":
            device.unplug()
        elif kind == "plug" and not device.plugged:
            device.plug()
        elif kind == "refuse":
            device.knobs.refuse.add(random.choice(REFUSABLE))
        elif kind == "accept":
            device.knobs.refuse.clear()
        elif kind == "lose":
            # With all of them lost, the stream is frozen.
            share = random.choice((0.2, 0.5, 1.0))
            device.lose = lambda _: random.random() < share
        elif kind == "deliver":
            device.lose = lambda _: False
        elif kind == "stranger" and device.plugged and device.streaming is None:
            self.stranger = device.open(device.found)
            self.stranger.start(self.stranger.formats()[0])
        elif kind == "leave" and self.stranger is not None:
            self.stranger.close()

    def mend(self) -> None:
        self.device.knobs.refuse.clear()
        self.device.lose = lambda _: False
        if self.stranger is not None:
            self.stranger.close()
        if not self.device.plugged:
            self.device.plug()

    def target(self) -> float:
        return 5.0 * self.random.randrange(51)

    def focus(self, position: float) -> float:
        return WEBCAM_LENS.dioptres(position)

    def check_sent(self) -> None:
        low, high = FOCUS_STEPS
        outside = [value for name, value in self.device.sent if name == "focus" and not low <= value <= high]
        promise(not outside, f"{outside} steps were sent")

    def check_given_back(self) -> None:
        states = {name: self.device.states.get(name) for name in AUTOMATICS}
        promise(states == AUTOMATICS, f"{states} is not {AUTOMATICS}")
