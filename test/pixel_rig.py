"""A near object of little texture before a busy background, blurred by discs; a detector by rule."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from kernels import KERNELS

from dasha_ros.freshness.command import NO_COMMAND
from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.encoders.encoder import Encoder
from dasha_ros.perception.percept import Detection, Percept
from dasha_ros.perception.quality.detail_map import detail_map
from dasha_ros.perception.quality.histogram import EDGES, histogram

SIZE = (340, 640)
BOX = (230.0, 90.0, 410.0, 250.0)
NEAR_D, FAR_D = 2.0, 0.4
LENS = lens_model()


class PixelRig:
    """Implements `Rig` for goals of A^L."""

    lens = LENS

    def __init__(
        self,
        start_d: float,
        score: Callable[[float], float],
        encoder: Encoder | None = None,
        *,
        texture: float = 0.25,
        seed: int = 0,
    ) -> None:
        """``score``: of the object, by its blur radius [px at 640]; ``texture``: its contrast."""
        self._score, self._encoder = score, encoder
        self._noise = np.random.default_rng(seed + 1)
        rng = np.random.default_rng(seed)
        self._wall = _leaves(rng, 700, (2.0, 50.0), 0.7)
        self._face = 0.45 + texture * (_leaves(rng, 120, (3.0, 30.0), 1.0) - 0.5)
        left, top, right, bottom = (int(v) for v in BOX)
        self._mask = np.zeros(SIZE, np.float32)
        cv2.ellipse(self._mask, ((left + right) // 2, (top + bottom) // 2),
                    ((right - left) // 2, (bottom - top) // 2), 0, 0, 360, 1.0, -1, cv2.LINE_AA)  # fmt: skip
        self._position = LENS.position(start_d)

    @property
    def blur_px(self) -> float:
        """True blur of the object."""
        return abs(LENS.blur_px(LENS.dioptres(self._position), NEAR_D))

    def observe(self) -> Percept:
        """The present picture."""
        focus = LENS.dioptres(self._position)
        wall = _blurred(self._wall, abs(LENS.blur_px(focus, FAR_D)))
        mask = _blurred(self._mask, self.blur_px)
        light = _blurred(self._face * self._mask, self.blur_px) + (1.0 - mask) * wall
        levels = 200.0 * light + self._noise.normal(0.0, 0.7, SIZE)
        grey = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
        seen, score = histogram(grey), self._score(self.blur_px)
        return Percept(
            capture=CaptureInfo(1, 1000.0, 0.0, NO_COMMAND, 1),
            lens=LensState(NO_COMMAND, self._position, self._position, True, 0),
            width=SIZE[1], height=SIZE[0],
            encoder=self._encoder.id if self._encoder else "none",
            latent=self._encoder.encode(grey) if self._encoder else np.zeros(0, np.float32),
            histogram_counts=seen.counts, histogram_edges=EDGES, histogram_peak=seen.peak,
            mean_grey=seen.mean, brisque=30.0, sharpness=0.1,
            detections=(Detection("cup", score, BOX, 0.1),) if score >= 0.1 else (),
            detail=detail_map(grey),
        )  # fmt: skip

    def move(self, position: float) -> Percept:
        """Move the lens and look."""
        self._position = position
        return self.observe()

    def expose(self, exposure_us: float) -> Percept:
        """Not a goal of A^L."""
        raise NotImplementedError


def _leaves(rng: np.random.Generator, count: int, radii: tuple[float, float], contrast: float) -> np.ndarray:
    """Dead leaves around 0.5."""
    picture = np.full(SIZE, 0.5, np.float32)
    for radius in np.sort(np.exp(rng.uniform(*np.log(radii), count)))[::-1]:
        centre = int(rng.integers(SIZE[1])), int(rng.integers(SIZE[0]))
        level = float(0.5 + contrast * rng.uniform(-0.5, 0.5))
        cv2.circle(picture, centre, round(radius), level, -1, cv2.LINE_AA)
    return picture


def _blurred(picture: np.ndarray, radius: float) -> np.ndarray:
    return cv2.filter2D(picture, -1, KERNELS["disc"](radius)) if radius > 0.2 else picture
