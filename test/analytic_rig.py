"""A rig in closed form: light, blur and detections by formula, no pixels. For tests of policies."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np

from dasha_ros.freshness.command import IN_PROCESS, NO_COMMAND, CommandId
from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.optics.exposure_table import ExposureTable, exposure_table
from dasha_ros.optics.lens import LensModel
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.percept import Detection, Percept

EDGES = np.linspace(0, 255, 11).astype(np.float32)


@dataclass(frozen=True)
class Thing:
    """An object that a detector sees while it is not too blurred."""

    label: str = "cat"
    dioptres: float = 1.0
    seen_px: float = 2.0
    """Blur radius at which the score has fallen to 0.3 [px at 640]."""
    score: float = 0.9
    box: tuple[float, float, float, float] = (200.0, 150.0, 320.0, 260.0)
    texture: float = 1.0
    shift_px: float = 0.0
    """The best score is this much blur away from the focus, as detectors like it."""


@dataclass
class AnalyticRig:
    """Implements `control.rig.Rig`."""

    things: tuple[Thing, ...] = (Thing(),)
    background_dioptres: float = 0.1
    background_texture: float = 0.0
    lens: LensModel = field(default_factory=lens_model)
    table: ExposureTable = field(default_factory=exposure_table)
    position: float = 24.0
    exposure_us: float = 20_000.0
    grey_per_us: float = 100.0 / 20_000.0
    """Mean grey of a scene of reflectance 1 for each microsecond, before clipping."""
    black: float = 0.0
    spread: float = 0.6
    """Standard deviation of the log reflectance."""
    hysteresis: float = 0.0
    noise: float = 0.0
    """Relative noise of every sharpness, and absolute noise of every score."""
    seed: int = 0

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)
        self.felt = self.position
        self.stamp = 1
        self.exposure_command = self.lens_command = NO_COMMAND
        self.history: list[tuple[str, float]] = []
        normal = np.array([NormalDist().inv_cdf((i + 0.5) / 2000) for i in range(2000)])
        self.reflectance = np.exp(self.spread * normal - self.spread**2 / 2)

    def observe(self) -> Percept:
        return self._look()

    def expose(self, exposure_us: float) -> Percept:
        self.exposure_us = exposure_us
        self.exposure_command = CommandId(IN_PROCESS, self._tick())
        self.history.append(("exposure_us", exposure_us))
        return self._look()

    def move(self, position: float) -> Percept:
        self.position = position
        slack = self.hysteresis
        self.felt = min(max(self.felt, position - slack), position + slack)
        self.lens_command = CommandId(IN_PROCESS, self._tick())
        self.history.append(("position", position))
        return self._look()

    def blur_of(self, thing: Thing) -> float:
        """Blur radius of an object now [px at 640]."""
        return abs(self.lens.blur_px(self.lens.dioptres(self.felt), thing.dioptres))

    def _tick(self) -> int:
        self.stamp += 1_000_000
        return self.stamp

    def _jitter(self) -> float:
        return math.exp(self.random.normal(0.0, self.noise)) if self.noise else 1.0

    def _detect(self) -> tuple[Detection, ...]:
        found = []
        for thing in self.things:
            blur = self.blur_of(thing)
            score = thing.score * (0.3 / thing.score) ** (
                (max(0.0, blur - thing.shift_px) / thing.seen_px) ** 2
            )
            if self.noise:
                score += self.random.normal(0.0, self.noise)
            if score >= 0.1:
                sharpness = thing.texture * _tenengrad(blur) * self._jitter()
                found.append(Detection(thing.label, min(score, 1.0), thing.box, sharpness))
        return tuple(sorted(found, key=lambda d: -d.score))

    def _look(self) -> Percept:
        now = self._tick()
        grey = np.clip(np.rint(self.black + self.reflectance * self.grey_per_us * self.exposure_us), 0, 255)
        counts, _ = np.histogram(grey, EDGES)
        peak = int(np.argmax(counts))
        blurs = [
            (
                abs(self.lens.blur_px(self.lens.dioptres(self.felt), self.background_dioptres)),
                self.background_texture,
            )
        ]
        blurs += [(self.blur_of(t), t.texture) for t in self.things]
        total = sum(texture for _, texture in blurs) or 1.0
        whole = sum(texture * _tenengrad(blur) for blur, texture in blurs) / total
        return Percept(
            capture=CaptureInfo(now, self.exposure_us, 0.0, self.exposure_command, now),
            lens=LensState(self.lens_command, self.position, self.position, True, 0),
            width=640,
            height=340,
            encoder="none",
            latent=np.zeros(4, np.float32),
            histogram_counts=counts.astype(np.uint32),
            histogram_edges=EDGES,
            histogram_peak=float(EDGES[peak] + EDGES[peak + 1]) / 2,
            mean_grey=float(grey.mean()),
            brisque=90.0 - 75.0 * whole,
            sharpness=whole * self._jitter(),
            detections=self._detect(),
        )


def _tenengrad(blur_px: float) -> float:
    """Gradient energy of natural texture under a disc of this radius, 1 in focus."""
    return 0.02 + 0.98 / (1.0 + (blur_px / 1.2) ** 2)
