"""Makes small focal stacks for tests: patterns, and a scene of the twin at many settings of its lens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from dasha_ros.optics.tone import srgb_of_levels

CUP = {"label": "cup", "sharpest_frame": 1, "in_focus": [0, 2], "box": [0.1, 0.2, 0.5, 0.6]}
"""An object, as in ``stack.yaml``."""


def write_frames(folder: Path, pictures: Sequence[np.ndarray], name: str = "frame{}.png") -> Path:
    """Write pictures (grey or BGR) as frames whose numbers begin at 1."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures, start=1):
        assert cv2.imwrite(str(folder / name.format(number)), picture)
    return folder


def write_description(folder: Path, **document: Any) -> Path:
    """Write ``stack.yaml``; without a document, one for three frames and a cup."""
    values = document or {"blur_px_per_frame": 0.5, "objects": [CUP]}
    (folder / "stack.yaml").write_text(yaml.safe_dump(values))
    return folder


def squares_stack(folder: Path, frames: int = 3, size: tuple[int, int] = (64, 48)) -> Path:
    """Random squares, more blurred from frame to frame."""
    width, height = size
    blocks = np.random.default_rng(1).integers(0, 256, (height // 8, width // 8), np.uint8)
    sharp = np.kron(blocks, np.ones((8, 8), np.uint8))
    pictures = [sharp, *(cv2.GaussianBlur(sharp, (0, 0), 0.8 * number) for number in range(1, frames))]
    return write_description(write_frames(folder, pictures))


def level_stack(folder: Path, levels: Sequence[int], size: tuple[int, int] = (64, 48)) -> Path:
    """A frame of one sRGB level after the other."""
    pictures = [np.full(size[::-1], level, np.uint8) for level in levels]
    return write_description(write_frames(folder, pictures), blur_px_per_frame=0.5)


def twin_stack(folder: Path, frames: int = 9, blur_px_per_frame: float = 1.5, sharpest: int = 2) -> Path:
    """The twin's motorcycle in 640 x 340 pixels, as a stack of sRGB pictures without noise."""
    from dasha_ros.twin.renderer import Renderer

    renderer = Renderer("motorcycle_street", 640, 340)
    (distance,) = renderer.scene.object_distances("motorcycle")
    px_per_dioptre = renderer.lens.blur_px(1.0, 0.0)
    levels = srgb_of_levels(4096)
    pictures = []
    for frame in range(frames):
        focus = 1.0 / distance + (sharpest - frame) * blur_px_per_frame / px_per_dioptre
        pictures.append(levels[np.rint(np.clip(renderer.render(focus), 0.0, 1.0) * 4095).astype(int)])
    write_frames(folder, pictures)
    thing = {"label": "motorcycle", "sharpest_frame": sharpest, "in_focus": [sharpest - 1, sharpest + 1]}
    return write_description(
        folder,
        frames=frames,
        blur_px_per_frame=blur_px_per_frame,
        objects=[{**thing, "box": [0.1, 0.1, 0.9, 0.9]}],
    )
