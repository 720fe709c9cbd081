"""A world that needs no downloaded photograph."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dasha_ros.twin.world import World


@pytest.fixture(scope="session")
def chart_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Random squares on one plane at 1 m."""
    folder = tmp_path_factory.mktemp("chart")
    squares = np.random.default_rng(0).integers(0, 256, (34, 64, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / "chart.png"), cv2.resize(squares, (640, 340), interpolation=cv2.INTER_NEAREST))
    return World(scene=str(write_scene(folder)))


def write_scene(folder: Path) -> Path:
    scene = folder / "chart.yaml"
    scene.write_text(
        "description: Squares.\n"
        "layers:\n  - {kind: photograph, photo: chart.png, distance_m: 1.0}\n"
        "objects:\n  - {label: chart, layer: 0}\n"
    )
    return scene
