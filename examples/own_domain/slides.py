"""Pictures of a world without cats and cars: drawn micro-organisms, and a slide with them.

python examples/own_domain/slides.py slide.png
"""

from __future__ import annotations

import sys

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

KINDS = ("diatom", "ring cell", "rod")
"""The user's own classes; COCO knows none of them."""
_LIGHT, _DARK = 205, 70
_FINE = 4
"""Drawn this much larger, and shrunk: edges are then smooth."""


def paper(rng: np.random.Generator, height: int, width: int) -> Picture:
    """An empty slide: bright, with a little grain."""
    grain = cv2.GaussianBlur(rng.normal(0.0, 1.0, (height, width)), (0, 0), 1.2)
    uneven = cv2.GaussianBlur(rng.normal(0.0, 1.0, (height, width)), (0, 0), 40.0) * 300.0
    return np.asarray(np.clip(_LIGHT + 8.0 * grain + uneven, 0, 255), np.uint8)


def draw(
    kind: str, picture: Picture, centre: tuple[float, float], size: float, rng: np.random.Generator
) -> None:
    """Draw an organism of ``size`` pixels into a picture, turned at random."""
    side = round(size) * _FINE
    ink = np.zeros((side, side), np.uint8)
    _SHAPES[kind](ink, side, float(rng.uniform(0.0, np.pi)), rng)
    small = (
        cv2.resize(ink, (round(size), round(size)), interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
    )
    left, top = (round(c - len(small) / 2) for c in centre)
    part = picture[top : top + len(small), left : left + len(small)]
    part[...] = np.clip(part * (1.0 - small) + _DARK * small, 0, 255).astype(np.uint8)


def _diatom(ink: Picture, side: int, angle: float, rng: np.random.Generator) -> None:
    """A disc of fine spokes."""
    middle, radius = side // 2, round(side * 0.46)
    cv2.circle(ink, (middle, middle), radius, 255, side // 24)
    for spoke in range(16):
        turn = angle + spoke * np.pi / 8
        end = round(middle + radius * np.cos(turn)), round(middle + radius * np.sin(turn))
        cv2.line(ink, (middle, middle), end, 255, side // 48)
    cv2.circle(ink, (middle, middle), side // 10, 255, -1)


def _ring(ink: Picture, side: int, angle: float, rng: np.random.Generator) -> None:
    """A thick ring with grains on it."""
    middle = side // 2
    cv2.circle(ink, (middle, middle), round(side * 0.36), 140, side // 6)
    for turn in np.arange(0.0, 2.0 * np.pi, np.pi / 7) + angle:
        at = round(middle + side * 0.36 * np.cos(turn)), round(middle + side * 0.36 * np.sin(turn))
        cv2.circle(ink, at, side // 28, 255, -1)


def _rod(ink: Picture, side: int, angle: float, rng: np.random.Generator) -> None:
    """A capsule with stripes across."""
    middle, half = side / 2, side * 0.34
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]]) * side * 0.13
    ends = [tuple(int(v) for v in middle + sign * half * along) for sign in (-1, 1)]
    cv2.line(ink, ends[0], ends[1], 130, round(side * 0.28))
    for place in np.linspace(-0.95, 0.95, 9):
        at = middle + place * half * along
        cv2.line(ink, tuple(int(v) for v in at - across), tuple(int(v) for v in at + across), 255, side // 36)


_SHAPES = {"diatom": _diatom, "ring cell": _ring, "rod": _rod}


def slide(kinds: tuple[str | None, ...], seed: int, height: int = 544, width: int = 1024) -> Picture:
    """A slide with one organism of each kind, side by side; ``None`` leaves a place empty."""
    rng = np.random.default_rng(seed)
    picture = paper(rng, height, width)
    for i, kind in enumerate(kinds):
        centre = (i + 0.5) * width / len(kinds), height * float(rng.uniform(0.45, 0.55))
        if kind is not None:
            draw(kind, picture, centre, height * 0.34, rng)
    return picture


if __name__ == "__main__":
    cv2.imwrite(sys.argv[1], slide(KINDS, seed=0))
