"""A scene that needs no downloaded photograph: random squares on one plane at 1 m."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def squares_scene(folder: Path) -> str:
    """Write the scene and its photograph into a folder, and return the path of the scene."""
    squares = np.random.default_rng(0).integers(0, 256, (34, 64, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / "chart.png"), cv2.resize(squares, (640, 340), interpolation=cv2.INTER_NEAREST))
    scene = folder / "chart.yaml"
    scene.write_text(
        "description: Squares.\n"
        "layers:\n  - {kind: photograph, photo: chart.png, distance_m: 1.0}\n"
        "objects:\n  - {label: chart, layer: 0}\n"
    )
    return str(scene)
