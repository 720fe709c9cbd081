"""An arena whose pictures are under one stress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dasha_ros.devices.twin.camera import TwinCamera
from dasha_ros.devices.twin.stressed_camera import StressedCamera
from dasha_ros.freshness.clock import Clock
from dasha_ros.learning.dataset.scenes.views import View
from dasha_ros.learning.evaluation.arenas import TWIN_SIZE, TwinArena
from dasha_ros.learning.evaluation.settings import Start
from dasha_ros.optics.lens import ASSUMED, LensProfile
from dasha_ros.perception.pipeline import Perception
from dasha_ros.twin.stress.scaled_lens import ScaledLens
from dasha_ros.twin.stress.stress import Stress


class StressArena(TwinArena):
    """Planes rendered by the twin under one stress; see `TwinArena`.

    The true blur is that of the object itself: where it is by now, through the lens that it is really seen
    with. Stresses are of grey pictures, in which policies that read colours do without.
    """

    name = "stress"

    def __init__(
        self,
        views: Sequence[View],
        perception: Perception,
        stress: Stress,
        size: tuple[int, int] = TWIN_SIZE,
    ) -> None:
        """Set up; photographs are read when their view is placed.

        Args:
            views: What it can show; only planes can be stressed.
            perception: Reads the frames.
            stress: What differs from the plain twin.
            size: See `TwinArena`.

        Raises:
            ValueError: No views.
        """
        super().__init__(views, perception, size)
        self._stress, self._optics = stress, ScaledLens(blur_scale=stress.blur_scale)
        self.lens = self._optics if stress.is_known else ScaledLens(blur_doubt=ASSUMED)
        self._object_at: dict[int, float] = {}
        self._camera: StressedCamera | None = None

    def place(self, start: Start, encoder: str = "") -> None:
        """See `Arena`."""
        if self._stress.exposure_ev:
            exposure_us = start.exposure_us * 2.0**self._stress.exposure_ev
            start = replace(start, exposure_us=self.table.exposure_us(self.table.nearest(exposure_us)))
        super().place(start, encoder)
        if self._stress.tilt_dioptres:
            self._turn_at_the_object(start)
        assert self._camera is not None, "placing makes it"
        self._camera.begin()

    def defocus_px(self) -> float:
        """See `Arena`."""
        assert self._camera is not None, "nothing is placed"
        at = 1.0 / self._camera.distance_m(1.0 / self._object_dioptres)
        return self._optics.blur_px(self.rig.focus_dioptres, at)

    def _turn_at_the_object(self, start: Start) -> None:
        """A tilted plane has the object's distance where the object is: where a sharp picture shows it."""
        assert self._camera is not None
        if start.view not in self._object_at:
            self._object_at[start.view] = self._camera.object_at = 0.5
            super().place(replace(start, position=self.lens.position(start.object_dioptres)))
            seen = self.rig.observe()
            found = seen.of(frozenset({self.views[start.view].label}), 0.0)
            if found:
                x0, _, x1, _ = found[0].box
                self._object_at[start.view] = 0.5 * (x0 + x1) / seen.width
            super().place(start)
        self._camera.object_at = self._object_at[start.view]

    def _encoding(self) -> str:
        return "mono8"

    def _new_camera(self, clock: Clock, lens: LensProfile, **others: Any) -> TwinCamera:
        self._camera = StressedCamera(clock, lens, stress=self._stress, **others)
        return self._camera
