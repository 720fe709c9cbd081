"""Goals on devices that lag, from random starts, against the twin from the same starts.

``PYTHONPATH=test python test/webcam_rig.py --device webcam`` measures the device's lag and its lens as its
owner would, and then plays every shipped scene's nearest object. ``ros-driver`` is the scripted camera node,
``twin`` the simulated lens, which lags by nothing and knows its map.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from lagging_rig import DEVICES, SIZE, rig_on, set_up

from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.optics.profiles import lens_model
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
FOUND_PX = 2.0
"""Blur radius at 640 px within which an object counts as focused."""
STARTS_DIOPTRES = 4.0
"""Starts are drawn from the search range of the policies [1/m of the standard lens]."""


def main() -> int:
    """Play goals and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=[*DEVICES, "twin"], default="webcam")
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--goals", type=int, default=len(GOALS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    perception = Perception(encoder="efficientnet_lite0_grid")
    with tempfile.TemporaryDirectory() as folder:
        make = rigs(options.device, Path(folder), perception)
        return play(make, options.starts, GOALS[: options.goals], options.seed)


def rigs(device: str, folder: Path, perception: Perception) -> Callable[[World], AbstractContextManager[Any]]:
    """Makes a rig before a world, after the device was set up."""
    if device == "twin":
        return lambda world: nullcontext(TwinRig(perception, world, width=SIZE.width, height=SIZE.height))
    profile = set_up(DEVICES[device], folder)
    print((folder / "latency.yaml").read_text() + (folder / "lens.yaml").read_text(), flush=True)
    return lambda world: rig_on(DEVICES[device], folder, perception, world, profile)


def play(
    make: Callable[[World], AbstractContextManager[Any]],
    starts: int,
    goals: tuple[tuple[str, str], ...],
    seed: int,
) -> int:
    """Play every goal from random starts; returns whether too few were found, or a stale frame was used."""
    expose, focus, truth_lens = exposure_policy("plus"), focus_policy("plus"), lens_model("physical")
    good = played = stale = moves = 0
    for scene, label in goals:
        truth = 1.0 / load_scene(scene).object_distances(label)[0]
        for start in range(starts):
            draw = random.Random(f"{seed} {scene} {start}")
            world = World(scene, illuminance_lx=draw.uniform(50.0, 300.0))
            with make(world) as rig:
                rig.move(rig.lens.position(draw.uniform(0.0, STARTS_DIOPTRES)))
                run_exposure(rig, expose, ExposureTask(rig.table))
                outcome = run_focus(rig, focus, FocusTask(rig.lens, labels=frozenset({label})))
                # Both lenses blur alike at the same error in dioptres.
                blur = abs(truth_lens.blur_px(rig.focus_dioptres, truth))
                found = outcome.detection is not None and blur <= FOUND_PX
                stale += getattr(rig, "stale", 0)
            played, good, moves = played + 1, good + found, moves + outcome.steps
            print(
                f"{scene:18} {label:11} {outcome.code.name:17} {outcome.steps:2} moves, blur {blur:4.1f} px",
                flush=True,
            )
    print(f"found within 2 px: {good} of {played}; {moves / played:.2f} moves a goal; stale frames: {stale}")
    return int(good < 0.95 * played or stale > 0)


if __name__ == "__main__":
    sys.exit(main())
