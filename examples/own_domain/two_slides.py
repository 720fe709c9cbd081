"""Two slides at different depths, and both agents that look for each organism with this folder's detector.

PYTHONPATH=examples python examples/own_domain/two_slides.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from own_domain.micro_detector import Micrographs
from own_domain.slides import KINDS, slide

from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.perception.percept import Percept
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.policy import ExposureTask, FocusTask
from dasha_ros.policies.registry import exposure_policy, focus_policy
from dasha_ros.twin.world import World

NEAR_M, FAR_M = 0.4, 0.8
SCENE = f"""
layers:
  - kind: cutout
    photo: near.png
    distance_m: {NEAR_M}
    cut: {{shape: rectangle}}
    width: 0.3
    centre: [0.17, 0.5]
  - {{kind: photograph, photo: far.png, distance_m: {FAR_M}}}
objects:
  - {{label: {KINDS[0]}, layer: 0}}
  - {{label: {KINDS[1]}, layer: 1}}
  - {{label: {KINDS[2]}, layer: 1}}
"""


def write_scene(folder: Path) -> Path:
    """Draw the slides, and describe them as a scene of the twin; return its file."""
    near = slide(KINDS[:1], seed=1, height=400, width=400)
    cv2.imwrite(str(folder / "near.png"), near)
    far = slide((None, *KINDS[1:]), seed=2)
    cv2.imwrite(str(folder / "far.png"), far)
    path = folder / "two_slides.yaml"
    path.write_text(SCENE)
    return path


def main(starts: int = 3) -> int:
    """Look for every organism from some lens positions; return 0 if all were found sharp."""
    perception = Perception("efficientnet_lite0_grid", Micrographs())
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        scene = str(write_scene(Path(folder)))
        rig = TwinRig(perception, World(scene, 100.0), width=1024, height=544)
        for kind, distance in zip(KINDS, (NEAR_M, FAR_M, FAR_M), strict=True):
            for position in np.linspace(*rig.lens.focus_range(), starts):
                rig.place(World(scene, 100.0), float(position), 1_000.0)
                before = best_score(rig.observe(), kind)
                blur = rig.lens.blur_px(rig.focus_dioptres, 1.0 / distance)
                run_exposure(rig, exposure_policy("plus"), ExposureTask(rig.table))
                found = run_focus(rig, focus_policy("plus"), FocusTask(rig.lens, frozenset({kind})))
                left = rig.lens.blur_px(rig.focus_dioptres, 1.0 / distance)
                score = found.detection.score if found.detection else 0.0
                print(
                    f"{kind}: score {before:.2f} -> {score:.2f}, blur {abs(blur):.1f} -> {abs(left):.1f} px, "
                    f"{found.steps} moves{'' if found.code == 0 else f' ({found.message})'}"
                )
                failed += found.code != 0 or abs(left) > 2.0
    return int(failed > 0)


def best_score(percept: Percept, kind: str) -> float:
    """Of all detections of a kind; 0 without one."""
    return max((d.score for d in percept.of({kind})), default=0.0)


if __name__ == "__main__":
    sys.exit(main())
