"""A perception that knows one made-up scene: a card before a wall. For tests of rigs and benchmarks."""

from __future__ import annotations

import numpy as np

from dasha_ros.perception.percept import Detection, Percept
from dasha_ros.perception.quality.histogram import EDGES, histogram
from dasha_ros.perception.quality.light import light_of
from dasha_ros.perception.quality.sharpness import Sharpness

CARD = (0.42, 0.4, 0.58, 0.6)
WALL = (0.02, 0.1, 0.25, 0.9)
"""Boxes as fractions of the frame."""


class CardPerception:
    """Sees the card and the wall of `Studio.card_before`, each while its texture is sharp."""

    colour_detail = False

    def __init__(self, sharp: float = 0.6) -> None:
        self.sharp = sharp

    def perceive(self, image, encoding, capture, lens, *, meter=None) -> Percept:
        height, width = image.shape
        light, gradients = histogram(image), Sharpness(image)
        found = []
        for label, share in (("card", CARD), ("wall", WALL)):
            box = tuple(float(v) for v in np.multiply(share, (width, height, width, height)))
            sharpness = gradients.box(box)
            score = min(0.95, sharpness / self.sharp * 0.5)
            if score >= 0.1:
                found.append(Detection(label, score, box, sharpness, meter and light_of(image, box)))
        return Percept(
            capture=capture, lens=lens, width=width, height=height, encoder="none",
            latent=np.zeros(0, np.float32), histogram_counts=light.counts, histogram_edges=EDGES,
            histogram_peak=light.peak, mean_grey=light.mean, brisque=30.0, sharpness=gradients.frame(),
            detections=tuple(sorted(found, key=lambda d: -d.score)),
        )  # fmt: skip
