"""Scenes from pictures made up here, so that tests of the twin need no photographs; and an exact disc."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml


class Studio:
    """A folder in which tests make pictures and scenes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def picture(self, name: str, pixels: np.ndarray) -> str:
        """Write pixels (grey, BGR or BGRA, uint8) and return the name."""
        assert cv2.imwrite(str(self.folder / name), pixels)
        return name

    def grey(self, name: str, level: int, size: tuple[int, int] = (136, 256)) -> str:
        """A picture of one grey level."""
        return self.picture(name, np.full(size, level, np.uint8))

    def texture(self, name: str, seed: int, size: tuple[int, int] = (136, 256)) -> str:
        """A busy picture: random blocks of 4 px."""
        blocks = np.random.default_rng(seed).integers(0, 256, (size[0] // 4, size[1] // 4), np.uint8)
        return self.picture(name, np.kron(blocks, np.ones((4, 4), np.uint8)))

    def scene(self, **document: Any) -> Path:
        """Write a scene and return its path."""
        path = self.folder / "scene.yaml"
        path.write_text(yaml.safe_dump(document))
        return path

    def card_before(self, card: str, background: str, **changes: Any) -> Path:
        """A square card in the middle, 0.5 m away, before a background at 5 m; both perfectly white."""
        layers = [
            {
                "kind": "cutout", "photo": card, "distance_m": 0.5, "width": 0.25, "centre": [0.5, 0.5],
                "cut": {"shape": "rectangle"}, **changes,
            },
            {"kind": "photograph", "photo": background, "distance_m": 5.0},
        ]  # fmt: skip
        return self.scene(
            white_reflectance=1.0,
            layers=layers,
            objects=[{"label": "card", "layer": 0}, {"label": "wall", "layer": 1}],
        )


@lru_cache
def exact_disc(radius: float) -> np.ndarray:
    """An independent disc: the share of a grid of points in each pixel that lies inside."""
    fine = max(11, round(500 / max(radius, 5.0)) | 1)
    n = math.ceil(radius + 0.5)
    line = (np.arange((2 * n + 1) * fine) + 0.5) / fine - n - 0.5
    inside = (line[:, None] ** 2 + line[None, :] ** 2 <= radius**2).astype(float)
    kernel = inside.reshape(2 * n + 1, fine, 2 * n + 1, fine).sum(axis=(1, 3))
    return kernel / kernel.sum()
