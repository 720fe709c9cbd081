"""A scene set of two photographs, whose percept cache is computed in seconds."""

from __future__ import annotations

from pathlib import Path

import yaml

from dasha_ros.assets import models

PHOTOGRAPHS = ("photos/motorcycle_left.png", "photos/zidane.jpg")
NEEDED = (
    *PHOTOGRAPHS, models.YOLOV3_TINY, models.BRISQUE, models.EFFICIENTNET_LITE0,
    models.EFFICIENTNET_LITE0_GRID,
)  # fmt: skip
"""Files that have to be fetched or converted before."""


def described(path: Path) -> Path:
    """Write the scene set to a YAML file."""
    document = {"folds": 1, "min_score": 0.3, "planes": {"photographs": list(PHOTOGRAPHS)}}
    path.write_text(yaml.safe_dump(document))
    return path
