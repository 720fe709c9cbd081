"""Play a focus policy in the digital twin, without ROS, and compare where it ends with the truth.

python examples/evaluate_policy.py coarse_to_fine
PYTHONPATH=examples python examples/evaluate_policy.py own_policy:BestOfSweep
"""

from __future__ import annotations

import random
import sys

from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.policy import ExposureTask, FocusTask
from dasha_ros.policies.registry import exposure_policy, focus_policy
from dasha_ros.twin.scene import load_scene
from dasha_ros.twin.world import World

GOALS = (("motorcycle_street", "motorcycle"), ("cat_pagoda", "cat"))
"""Scene and object; `dasha benchmark focus` plays all scenes that ship."""


def main(name: str, episodes: int = 2) -> int:
    """Print a line for every episode; return 0 when all of them found their object."""
    try:
        policy = focus_policy(name)
    except ValueError as error:  # it says what is wrong with the name, the file or the class
        sys.exit(f"error: {error}")
    exposure = exposure_policy("histogram")
    rig = TwinRig(Perception(encoder="efficientnet_lite0_grid"), width=1024, height=544)
    draw, found = random.Random(0), 0
    for scene, label in GOALS:
        truth = 1.0 / load_scene(scene).object_distances(label)[0]
        for _ in range(episodes):
            start = rig.lens.position(draw.uniform(0.0, 4.0))  # focused anywhere from infinity to 25 cm
            rig.place(World(scene, illuminance_lx=draw.uniform(13.0, 300.0)), start, 10_000.0)
            run_exposure(rig, exposure, ExposureTask(rig.table))
            outcome = run_focus(rig, policy, FocusTask(rig.lens, labels=frozenset({label})))
            blur = abs(rig.lens.blur_px(rig.focus_dioptres, truth))
            found += outcome.detection is not None
            print(
                f"{scene:18} {label:11} {outcome.code.name:17} {outcome.steps:2} moves, "
                f"blur {blur:4.1f} px {outcome.message}"
            )
    print(f"{policy.name}: found {found} of {len(GOALS) * episodes}")
    return 0 if found == len(GOALS) * episodes else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "coarse_to_fine"))
