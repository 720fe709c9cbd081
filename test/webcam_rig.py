"""Goals on the back ends of a webcam that lags, in one process on a clock that jumps.

``python test/webcam_rig.py --starts 20`` plays every shipped scene's nearest object from random starts.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from webcam_in_memory import MemoryWebcam

from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.devices.lag.latency import Latency, write_latency
from dasha_ros.devices.v4l2.camera import WebcamCamera, WebcamSettings
from dasha_ros.devices.v4l2.lens import WebcamLens
from dasha_ros.emulators.webcam.controls import Shown, WebcamKnobs
from dasha_ros.emulators.webcam.optics import WEBCAM_LENS
from dasha_ros.emulators.webcam.pictures import PictureSize, TwinPainter
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.freshness.command import IN_PROCESS, CommandId
from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.optics.exposure import exposure_table
from dasha_ros.optics.lens_info import LensInfo, MappedLens
from dasha_ros.perception.percept import Percept
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.policy import ExposureTask, FocusTask
from dasha_ros.policies.registry import exposure_policy, focus_policy
from dasha_ros.twin.scene import load_scene
from dasha_ros.twin.world import World

GOALS = (
    ("astronaut", "person"),
    ("cat", "cat"),
    ("cat_pagoda", "cat"),
    ("cup", "cup"),
    ("cup_street", "cup"),
    ("motorcycle_garage", "motorcycle"),
    ("motorcycle_street", "motorcycle"),
    ("three_depths", "motorcycle"),
)
SIZE = PictureSize(640, 340, 30.0)
LAG = 3
"""Frames that begin after a command and do not show it."""


class WebcamRig:
    """A `Rig` over `WebcamCamera` and `WebcamLens`. It counts pictures that a stale setting made."""

    def __init__(self, folder: Path, perception: Perception, world: World) -> None:
        self.clock = ManualClock()
        self._painter = TwinPainter(SIZE, world=world, seed=0)
        self._knobs = WebcamKnobs(LAG, LAG, focus_time_constant_s=0.03, focus_play=2.5)
        self.device = MemoryWebcam(
            self.clock, folder, knobs=self._knobs, size=(SIZE.height, SIZE.width), paint=self._paint
        )
        # Of the travel, ten time constants: the lens has arrived to 0.01 dioptres within them.
        frames = LAG + 1 + round(10 * self._knobs.focus_time_constant_s * SIZE.rate_hz)
        path = folder / "latency.yaml"
        write_latency(path, Latency(self.device.found.model, LAG + 1, frames, 1.0 / SIZE.rate_hz))
        self._camera = WebcamCamera(WebcamSettings(latency=str(path)), self.clock, self.device.access)
        self._focus = WebcamLens("", str(path), self.clock, WEBCAM_LENS, self.device.access)
        self._limits = self._camera.open()
        self._focus.open()
        self._perception = perception
        self.lens = MappedLens(self._focus.info)
        # The table that policies were trained with; commands are clipped to the limits, as in the graph.
        self.table = exposure_table()
        self._sent, self._rest_ns, self.stale = 0, 0, 0
        self._exposure_us = 0.0
        self._shown: Shown | None = None
        start = CommandId(IN_PROCESS, 0)
        self._exposure_command = start
        self._state = LensState(start, 0.0, 0.0, True, 0, driver=IN_PROCESS)

    @property
    def info(self) -> LensInfo:
        return self._focus.info

    @property
    def focus_dioptres(self) -> float:
        """The true focus of the newest picture."""
        return self.device.shown[-1].focus_dioptres

    def _paint(self, shown: Shown, size: tuple[int, int]) -> np.ndarray:
        self._shown = shown
        return self._painter(shown)

    def observe(self) -> Percept:
        frame = self._camera.capture(self._rest_ns)
        assert frame is not None
        shown = self._shown
        assert shown is not None
        self.stale += shown.exposure_us != frame.exposure_us
        self.stale += abs(shown.focus_dioptres - self.lens.dioptres(self._state.position)) > 0.06
        capture = CaptureInfo(
            frame.begun_ns, frame.exposure_us, frame.gain_db, self._exposure_command, self._sent,
            driver=IN_PROCESS, lens=self._state.last_move,
        )  # fmt: skip
        return self._perception.perceive(frame.pixels, "mono8", capture, self._state)

    def expose(self, exposure_us: float) -> Percept:
        self._exposure_us = self._camera.set_exposure(self._limits.nearest_exposure_us(exposure_us))
        self._sent += 1
        self._exposure_command = CommandId(IN_PROCESS, self._sent)
        return self.observe()

    def move(self, position: float) -> Percept:
        reading = self._focus.move(position)
        self._sent += 1
        self._rest_ns = self.clock.now_ns() + round(reading.settle_s * 1e9)
        self._state = replace(
            self._state,
            command=CommandId(IN_PROCESS, self._sent),
            commanded_position=position,
            position=reading.position,
            settled_at_ns=self._rest_ns,
            move=self._state.move + 1,
        )
        return self.observe()

    def close(self) -> None:
        self._focus.close()
        self._camera.close()


@contextmanager
def rig_on(perception: Perception, world: World) -> Iterator[WebcamRig]:
    with tempfile.TemporaryDirectory() as folder:
        rig = WebcamRig(Path(folder), perception, world)
        try:
            yield rig
        finally:
            rig.close()


def main() -> int:
    """Play goals and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--goals", type=int, default=len(GOALS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    expose, focus = exposure_policy("plus"), focus_policy("plus")
    perception = Perception(encoder="efficientnet_lite0_grid")
    good = played = stale = moves = 0
    for scene, label in GOALS[: options.goals]:
        truth = 1.0 / load_scene(scene).object_distances(label)[0]
        for start in range(options.starts):
            draw = random.Random(f"{options.seed} {scene} {start}")
            world = World(scene, illuminance_lx=draw.uniform(50.0, 300.0))
            with rig_on(perception, world) as rig:
                rig.move(rig.lens.position(draw.uniform(0.0, 4.0)))
                run_exposure(rig, expose, ExposureTask(rig.table))
                outcome = run_focus(rig, focus, FocusTask(rig.lens, labels=frozenset({label})))
                blur = abs(rig.lens.blur_px(rig.focus_dioptres, truth))
                found = outcome.detection is not None and blur <= 2.0
                stale += rig.stale
            played, good, moves = played + 1, good + found, moves + outcome.steps
            print(
                f"{scene:18} {label:11} {outcome.code.name:17} {outcome.steps:2} moves, blur {blur:4.1f} px",
                flush=True,
            )
    print(f"found within 2 px: {good} of {played}; {moves / played:.1f} moves a goal; stale frames: {stale}")
    return int(good < 0.95 * played or stale > 0)


if __name__ == "__main__":
    sys.exit(main())
