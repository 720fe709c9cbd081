"""Goals on devices that lag, from random starts, against the twin from the same starts.

``PYTHONPATH=test python test/webcam_rig.py --rows goals.jsonl`` measures each device's lag and lens as its
owner would, and then plays every shipped scene's nearest object. ``ros-driver`` is the scripted camera node,
``twin`` the simulated lens, which lags by nothing and knows its map. A run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
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


Rigs = Callable[[World], AbstractContextManager[Any]]


def main() -> int:
    """Play what is missing in the rows, and print a summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--device", action="append", choices=[*DEVICES, "twin"], help="repeatable; default: all"
    )
    parser.add_argument("--starts", type=int, default=20, help="of each of the 8 goals")
    parser.add_argument("--first", type=int, default=0, help="number of the first start")
    parser.add_argument("--goals", type=int, default=len(GOALS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--rows", type=Path, required=True, help="JSON lines; what is there is not played again"
    )
    options = parser.parse_args()
    devices = options.device or [*DEVICES, "twin"]
    perception = Perception(encoder="efficientnet_lite0_grid")
    with tempfile.TemporaryDirectory() as folder:
        made = {device: rigs(device, Path(folder) / device, perception) for device in devices}
        # Starts outermost: a run that is stopped has played all goals on all devices.
        for start in range(options.first, options.first + options.starts):
            for scene, label in GOALS[: options.goals]:
                for device in devices:
                    key = {"device": device, "scene": scene, "start": start, "seed": options.seed}
                    if not any(key.items() <= row.items() for row in read(options.rows)):
                        row = key | play(made[device], scene, label, start, options.seed)
                        with options.rows.open("a") as file:
                            file.write(json.dumps(row) + "\n")
    return summary(read(options.rows), devices)


def rigs(device: str, folder: Path, perception: Perception) -> Rigs:
    """Makes a rig before a world, after the device was set up."""
    if device == "twin":
        return lambda world: nullcontext(TwinRig(perception, world, width=SIZE.width, height=SIZE.height))
    folder.mkdir()
    measured = set_up(DEVICES[device], folder)
    print(
        f"{device}: calibrated blind in {measured.seconds:.0f} s; blur a step off by "
        f"{100.0 * measured.off_share:.1f} %, sharpest position by {measured.off_steps:.2f} steps",
        flush=True,
    )
    return lambda world: rig_on(DEVICES[device], folder, perception, world, measured.profile)


def play(make: Rigs, scene: str, label: str, start: int, seed: int) -> dict[str, Any]:
    """Play one goal: whether the object was found, how sharp it really is, moves, and stale pictures."""
    expose, focus, truth_lens = exposure_policy("plus"), focus_policy("plus"), lens_model("physical")
    truth = 1.0 / load_scene(scene).object_distances(label)[0]
    draw = random.Random(f"{seed} {scene} {start}")
    world = World(scene, illuminance_lx=draw.uniform(50.0, 300.0))
    with make(world) as rig:
        rig.move(rig.lens.position(draw.uniform(0.0, STARTS_DIOPTRES)))
        run_exposure(rig, expose, ExposureTask(rig.table))
        outcome = run_focus(rig, focus, FocusTask(rig.lens, labels=frozenset({label})))
        # All these lenses blur alike at the same error in dioptres.
        blur = abs(truth_lens.blur_px(rig.focus_dioptres, truth))
        return {
            "code": outcome.code.name,
            "found": outcome.detection is not None,
            "blur_px": round(blur, 3),
            "moves": outcome.steps,
            "stale": getattr(rig, "stale", 0),
        }


def read(path: Path) -> list[dict[str, Any]]:
    """The rows so far."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def summary(rows: Sequence[dict[str, Any]], devices: Sequence[str]) -> int:
    """Print a line for each device; returns whether too few were found, or a stale picture was used."""
    failed = False
    for device in devices:
        played = [row for row in rows if row["device"] == device]
        good = sum(row["found"] and row["blur_px"] <= FOUND_PX for row in played)
        stale, moves = (sum(row[key] for row in played) for key in ("stale", "moves"))
        print(
            f"{device:11} found within {FOUND_PX:g} px: {good} of {len(played)}; {moves / len(played):.2f} "
            f"moves a goal; stale pictures: {stale}"
        )
        failed = failed or good < 0.95 * len(played) or stale > 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
