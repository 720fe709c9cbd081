"""A small detector of your own classes, trained in a second on drawn organisms; no weights are fetched.

PYTHONPATH=examples python examples/own_domain/micro_detector.py  # trains, and tells how it does
PYTHONPATH=examples dasha up --detector own_domain.micro_detector:Micrographs
"""

from __future__ import annotations

import math
from collections.abc import Collection
from functools import cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from own_domain.slides import KINDS, draw, paper

from dasha_ros.perception.percept import Detection

WINDOW = 64
"""Organisms are shrunk to windows of this size [px]."""
_CELLS, _DIRECTIONS = 4, 8
"""Edges are counted in so many cells across and down, by direction."""
_COARSE = 4
"""Dark things are looked for in a picture smaller by this factor."""
_DETAIL = (0.7, 1.4, 2.8)
"""Sizes of detail whose energy is a feature [px of the window]."""
_EXAMPLES, _HIDDEN, _ROUNDS, _RATE = 1000, 24, 200, 0.01
_SHARP_PX, _BLURRED_PX = 0.7, 2.5
"""Up to the first blur of a window an organism is one; from the second on it counts as background."""


class Micrographs:
    """Implements `Detector`: finds dark things on a bright slide, and tells their kind."""

    id = "micrographs"
    labels = KINDS

    def __init__(self, **options: Any) -> None:
        """Train. Options such as ``weights`` and ``input_size`` are for other networks."""
        self._network = trained()

    def detect(
        self, grey: NDArray[np.uint8], min_score: float = 0.1, labels: Collection[str] = ()
    ) -> list[Detection]:
        """What is in an image, best score first; boxes in pixels of ``grey``."""
        found = []
        for box in _proposals(grey):
            chances = self._network(_features(_window(grey, box))[None])[0]
            kind = int(chances[:-1].argmax())
            if chances[kind] >= min_score and (not labels or KINDS[kind] in labels):
                found.append(Detection(KINDS[kind], float(chances[kind]), box))
        return sorted(found, key=lambda one: -one.score)


def _proposals(grey: NDArray[np.uint8]) -> list[tuple[float, float, float, float]]:
    """Boxes around what is darker than its surroundings, as squares."""
    small = cv2.resize(grey, None, fx=1 / _COARSE, fy=1 / _COARSE, interpolation=cv2.INTER_AREA)
    ground = cv2.blur(small, (small.shape[1] // 3, small.shape[1] // 3)).astype(np.float32)
    contrast = ground - small
    dark = (contrast > max(6.0, 0.35 * float(contrast.max()))).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(dark, np.ones((3, 3), np.uint8)))
    stats *= _COARSE
    kept: list[tuple[float, float, float, float]] = []
    for left, top, width, height, _ in sorted(stats[1:count].tolist(), key=lambda part: -max(part[2:4])):
        side, x, y = float(max(width, height)), left + width / 2.0, top + height / 2.0
        inside = any(box[0] <= x <= box[2] and box[1] <= y <= box[3] for box in kept)  # a part of an organism
        if not inside and 0.06 * grey.shape[1] < side < 0.6 * grey.shape[1]:
            kept.append((x - side / 2.0, y - side / 2.0, x + side / 2.0, y + side / 2.0))
    return kept


def _window(grey: NDArray[np.uint8], box: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    """The part of a picture in a box, in the window's size; beyond the edge the edge goes on."""
    size = WINDOW / (box[2] - box[0])
    shift = np.array([[size, 0.0, -size * box[0]], [0.0, size, -size * box[1]]])
    # Shrunk smoothly, or fine detail would turn into noise.
    soft = cv2.GaussianBlur(grey, (0, 0), 0.4 / size) if size < 1.0 else grey
    return np.asarray(
        cv2.warpAffine(soft, shift, (WINDOW, WINDOW), borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _features(window: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Directions of edges, which tell the kind, and energies of detail, which tell whether it is sharp."""
    light = window.astype(np.float32)
    contrast = float(light.std()) + 1.0
    energies = []
    for size in _DETAIL:
        fine = cv2.GaussianBlur(light, (0, 0), size) - cv2.GaussianBlur(light, (0, 0), 2.0 * size)
        energies.append(np.log(float(fine.std()) / contrast + 0.01))
    across, down = cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1)
    direction = (np.arctan2(down, across) % np.pi * (_DIRECTIONS / np.pi)).astype(int) % _DIRECTIONS
    step = WINDOW // _CELLS
    cell = np.arange(WINDOW) // step
    place = (cell[:, None] * _CELLS + cell[None, :]) * _DIRECTIONS + direction
    edges = np.bincount(place.ravel(), np.hypot(across, down).ravel(), _CELLS * _CELLS * _DIRECTIONS)
    return np.concatenate([np.sqrt(edges / (edges.sum() + 1.0)), energies])


class Network:
    """One hidden layer, and the chance of each kind and of the background."""

    def __init__(self, inputs: NDArray[np.float64], targets: NDArray[np.float64], seed: int) -> None:
        """Fit it to examples by Adam (Kingma, Ba, 2015), all of them in every round."""
        rng = np.random.default_rng(seed)
        self._mean, self._scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-3
        sizes = (inputs.shape[1], _HIDDEN, targets.shape[1])
        self._weights = [rng.normal(0.0, n**-0.5, (n, m)) for n, m in pairwise(sizes)]
        self._offsets = [np.zeros(m) for m in sizes[1:]]
        parts = [*self._weights, *self._offsets]
        first, second = ([np.zeros_like(part) for part in parts] for _ in range(2))
        for number in range(1, _ROUNDS + 1):
            for i, slope in enumerate(self._slopes(inputs, targets)):
                first[i] += 0.1 * (slope - first[i])
                second[i] += 0.01 * (slope**2 - second[i])
                step = first[i] / (1.0 - 0.9**number), second[i] / (1.0 - 0.99**number)
                parts[i] -= _RATE * step[0] / (np.sqrt(step[1]) + 1e-8)

    def __call__(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """The chances, shape (n, kinds + 1); rows sum to 1."""
        return self._layers(inputs)[1]

    def _layers(self, inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        hidden = np.tanh((inputs - self._mean) / self._scale @ self._weights[0] + self._offsets[0])
        values = hidden @ self._weights[1] + self._offsets[1]
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        return hidden, powers / powers.sum(axis=1, keepdims=True)

    def _slopes(self, inputs: NDArray[np.float64], targets: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Of the mean cross-entropy, in the order of the parts."""
        hidden, chances = self._layers(inputs)
        ahead = (chances - targets) / len(inputs)
        behind = ahead @ self._weights[1].T * (1.0 - hidden**2)
        scaled = (inputs - self._mean) / self._scale
        decay = [1e-4 * weights for weights in self._weights]
        return [
            scaled.T @ behind + decay[0],
            hidden.T @ ahead + decay[1],
            behind.sum(axis=0),
            ahead.sum(axis=0),
        ]


def examples(count: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Drawn organisms of every kind, and empty slides: features, and the chance of each kind.

    Organisms that are blurred count less and less as what they are, and more and more as background: so the
    score falls with blur, which is what lets the agents focus.
    """
    rng = np.random.default_rng(seed)
    slides = [paper(rng, 2 * WINDOW, 2 * WINDOW) for _ in range(8)]
    features, targets = [], []
    for number in range(count):
        kind, target = number % (len(KINDS) + 1), np.zeros(len(KINDS) + 1)
        picture, blur = slides[number % len(slides)].copy(), float(rng.uniform(0.0, 3.0) ** 2)
        sharp = float(np.clip((_BLURRED_PX - blur) / (_BLURRED_PX - _SHARP_PX), 0.0, 1.0))
        if kind < len(KINDS):
            draw(KINDS[kind], picture, (WINDOW, WINDOW), WINDOW * float(rng.uniform(0.75, 1.0)), rng)
            target[kind] = sharp
        target[-1] = 1.0 - target.sum()
        picture = np.asarray(np.clip(picture * rng.uniform(0.4, 1.2), 0, 255), np.uint8)
        side = WINDOW * float(rng.uniform(0.9, 1.1)) + blur
        left, top = WINDOW - side / 2 + rng.uniform(-4.0, 4.0, 2)
        seen = _window(_out_of_focus(picture, blur), (left, top, left + side, top + side))
        features.append(_features(seen))
        targets.append(target)
    return np.array(features), np.array(targets)


def _out_of_focus(picture: NDArray[np.uint8], radius: float) -> NDArray[np.uint8]:
    """As a lens blurs: every point becomes a disc."""
    across = np.arange(-math.ceil(radius) - 1, math.ceil(radius) + 2)
    disc = np.clip(radius + 0.5 - np.hypot(across[:, None], across[None, :]), 0.0, 1.0)
    return np.asarray(cv2.filter2D(picture, -1, disc / disc.sum()), np.uint8)


@cache
def trained() -> Network:
    """The network, trained once in a process; every time with the same numbers."""
    return Network(*examples(_EXAMPLES, seed=0), seed=0)


def accuracy(count: int, seed: int) -> float:
    """The share of new sharp examples whose kind, or emptiness, is told rightly."""
    features, targets = examples(count, seed)
    sure = targets.max(axis=1) > 0.9
    return float(np.mean(trained()(features[sure]).argmax(axis=1) == targets[sure].argmax(axis=1)))


if __name__ == "__main__":
    print(f"{100 * accuracy(400, seed=1):.0f} % of new drawings are told rightly")
