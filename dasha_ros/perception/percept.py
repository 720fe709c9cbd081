"""The percept: everything that perception reads from one frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.perception.quality.detail import BANDS, SHAPE
from dasha_ros.perception.quality.light import Light

NO_DETAIL = (0, 0, BANDS)
"""Shape of the map of detail of a percept without one."""
NO_COLOUR_DETAIL: NDArray[np.uint8] = np.zeros((0, *SHAPE), np.uint8)
"""The maps of detail of red and blue of a percept without them."""
NO_COLOUR_DETAIL.setflags(write=False)
Box = tuple[float, float, float, float]
"""x_min, y_min, x_max, y_max."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One object that the detector found."""

    label: str
    score: float
    """Confidence, 0..1."""
    box: Box
    """x_min, y_min, x_max, y_max in pixels of the full image."""
    sharpness: float = 0.0
    """Normalised Tenengrad inside the box."""
    light: Light | None = None
    """Inside the box; ``None`` where nobody asked for it."""


@dataclass(frozen=True, slots=True)
class Percept:
    """Everything that perception reads from one frame, and the settings of the frame."""

    capture: CaptureInfo
    lens: LensState
    width: int
    height: int
    encoder: str
    """Network and layer that the latent vector comes from."""
    latent: NDArray[np.float32]
    """E(I) of paper Eq. 5."""
    histogram_counts: NDArray[np.uint32]
    """Shape (10,), "val" of paper Eq. 6."""
    histogram_edges: NDArray[np.float32]
    """Shape (11,), "bin" of paper Eq. 6."""
    histogram_peak: float
    """Centre of the fullest bin, grey levels 0..255; P of paper Eq. 7."""
    mean_grey: float
    """Grey levels 0..255."""
    brisque: float
    """No-reference quality, B of paper Eq. 7 and 8; lower is better."""
    sharpness: float
    """Normalised Tenengrad of the whole frame."""
    detections: tuple[Detection, ...] = ()
    """Detections, best score first."""
    stage_ms: dict[str, float] = field(default_factory=dict)
    detail: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(NO_DETAIL, np.uint8))
    """The map of `perception.quality.detail`; of shape `NO_DETAIL` where nobody made one."""
    colour_detail: NDArray[np.uint8] = field(default_factory=lambda: NO_COLOUR_DETAIL)
    """The maps of `perception.quality.detail` of red and of blue alone, shape (2, rows, columns, bands);
    `NO_COLOUR_DETAIL` where nobody asked for them, or the picture is grey."""
    light: Light | None = None
    """Of the part of the picture that was asked for; ``None`` where nobody asked."""
    flicker_hz: float = 0.0
    """How often the light flickers, as pictures at rest have shown: one of `LAMPS_HZ`; 0: not that anybody
    saw (`perception.quality.flicker`)."""

    def of(self, labels: Iterable[str], min_score: float = 0.0) -> tuple[Detection, ...]:
        """The detections of any of ``labels`` (empty: all labels) with at least ``min_score``, best first."""
        wanted = frozenset(labels)
        return tuple(d for d in self.detections if d.score >= min_score and (not wanted or d.label in wanted))

    def is_finite(self) -> bool:
        """Whether every number that a decision may use is finite."""
        scalars = (self.histogram_peak, self.mean_grey, self.brisque, self.sharpness, self.flicker_hz)
        boxes = [v for d in self.detections for v in (d.score, d.sharpness, *d.box)]
        lights = [light for light in (self.light, *(d.light for d in self.detections)) if light is not None]
        boxes += [v for light in lights for v in (light.mean_grey, light.dark_grey, light.bright_share)]
        return bool(
            np.isfinite(scalars).all() and np.isfinite(boxes).all() and np.isfinite(self.latent).all()
        )


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0.0 or height <= 0.0:
        return 0.0
    both = width * height
    total = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    return both / total if total > 0.0 else 0.0
