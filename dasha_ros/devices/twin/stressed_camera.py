"""The twin's camera under one stress (`twin.stress`), to see what a policy makes of it."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.twin.camera import FRAME_LATENCY_S, TwinCamera
from dasha_ros.freshness.clock import Clock
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.sensor import Pixels
from dasha_ros.twin.renderer import Renderer
from dasha_ros.twin.stress.light import magnified
from dasha_ros.twin.stress.point_spread import point_spread
from dasha_ros.twin.stress.scaled_lens import ScaledLens
from dasha_ros.twin.stress.stress import NEAREST_M, Stress
from dasha_ros.twin.world import World

_STRIPS = 9
"""A tilted plane is rendered at so many depths; the columns between are interpolated."""


class StressedCamera(TwinCamera):
    """A `TwinCamera` of binned frames, under one stress."""

    def __init__(
        self, clock: Clock, lens: LensProfile | None = None, *, stress: Stress, **others: Any
    ) -> None:
        """Set up a camera; photographs are read by `open`.

        Args:
            clock: Exposures take their time on it, and objects move on it.
            lens: The lens that policies know.
            stress: What differs from the plain twin.
            **others: As for `TwinCamera`.
        """
        super().__init__(clock, lens, latency_s=FRAME_LATENCY_S if stress.speed_m_s else 0.0, **others)
        self._stress, self._optics = stress, ScaledLens(blur_scale=stress.blur_scale)
        self._random = np.random.default_rng(0)
        self._since_ns = clock.now_ns()
        self.object_at = 0.5
        """Where the object is between the left (0) and the right edge (1): a tilted plane turns there."""

    def begin(self) -> None:
        """What moves is where the world says, and sets off now."""
        self._since_ns = self._clock.now_ns()

    def seed_noise(self, seed: int | None) -> None:
        """See `SimulatedCamera`; the stress's own random numbers start again, too."""
        super().seed_noise(seed)
        self._random = np.random.default_rng(seed)

    def distance_m(self, before: float) -> float:
        """Where something is by now that was so far away [m]. What comes stops at `NEAREST_M`."""
        away = self._stress.speed_m_s * (self._clock.now_ns() - self._since_ns) / 1e9
        return max(before + away, min(before, NEAREST_M)) if before > 0.0 else before + away

    def _new_renderer(self, scene: str) -> Renderer:
        shape = self._stress.point_spread
        return Renderer(
            scene, self._width, self._height, lens=self._optics,
            kernel_of=partial(point_spread, shape) if shape else None,
        )  # fmt: skip

    def _view(self) -> World:
        world = super()._view()
        if not self._stress.speed_m_s:
            return world
        return replace(world, distances_m=tuple(self.distance_m(each) for each in world.distances_m))

    def _image_lx(self, view: World) -> float:
        swing = self._stress.flicker * math.sin(2.0 * math.pi * self._random.uniform())
        return super()._image_lx(view) * (1.0 + swing)

    def _light(self, view: World, focus_dioptres: float) -> NDArray[np.float32]:
        stress = self._stress
        light = (
            self._tilted(view, focus_dioptres)
            if stress.tilt_dioptres
            else super()._light(view, focus_dioptres)
        )
        if stress.breathing:
            low, high = (
                self._optics.dioptres(self._optics.position_min),
                self._optics.dioptres(self._optics.position_max),
            )
            light = magnified(light, 1.0 + stress.breathing * (focus_dioptres - low) / (high - low))
        return stress.light(light) if stress.light is not None else light

    def _tilted(self, view: World, focus_dioptres: float) -> NDArray[np.float32]:
        """Columns between two strips are blended, as `_STRIPS` planes beside each other would be."""
        renderer = self._renderer(view.scene)
        at = np.linspace(0.0, 1.0, _STRIPS)
        nearer = self._stress.tilt_dioptres * (at - self.object_at)
        light = np.zeros((self._height, self._width), np.float32)
        columns = (np.arange(self._width) + 0.5) / self._width
        for place, dioptres in zip(at, nearer, strict=True):
            share = np.clip(1.0 - np.abs(columns - place) * (_STRIPS - 1), 0.0, 1.0).astype(np.float32)
            # A plane nearer by so much is as blurred as this one with the lens focused farther by so much.
            light += share * renderer.render(focus_dioptres - dioptres, view.distances_m)
        return light

    def _developed(self, pixels: Pixels) -> Pixels:
        change = self._stress.levels
        return change(np.asarray(pixels, np.uint8), self._random) if change is not None else pixels
