"""Arenas, in which policies are evaluated: a rig that can be placed in front of any view, and the true focus.

`TwinArena` renders every picture and reads it with the real perception; `CacheArena` looks percepts up. Both
count the cost of an episode in the same way.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from dasha_ros.control.in_process_rig import Usage
from dasha_ros.control.rig import Rig
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.devices.twin.camera import TwinCamera
from dasha_ros.freshness.clock import Clock
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.rig import CachedRig
from dasha_ros.learning.dataset.cache.view_camera import HALF
from dasha_ros.learning.dataset.scenes.scene_file import scene_text
from dasha_ros.learning.dataset.scenes.views import View, ViewInfo
from dasha_ros.learning.evaluation.settings import Start
from dasha_ros.optics.actuator import REFERENCE_C
from dasha_ros.optics.exposure_table import ExposureTable, exposure_table
from dasha_ros.optics.lens import LensModel, LensProfile
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.encoders.joint import SEPARATOR
from dasha_ros.perception.pipeline import Perception
from dasha_ros.twin.world import World

TWIN_SIZE = HALF
"""Size of the rendered frames [px]. They are binned: what perception makes of the camera's full frame first.
Frames of the working image's size would have the noise of single pixels, 3.2 times too much."""


class Arena(Protocol):
    """A rig with a known world."""

    @property
    def name(self) -> str:
        """``twin`` or ``cache``."""
        ...

    @property
    def views(self) -> Sequence[ViewInfo]:
        """The views that it can show."""
        ...

    @property
    def lens(self) -> LensModel:
        """See `Rig`."""
        ...

    @property
    def table(self) -> ExposureTable:
        """See `Rig`."""
        ...

    @property
    def rig(self) -> Rig:
        """The rig that policies act on."""
        ...

    @property
    def usage(self) -> Usage:
        """Usage since the last `place`."""
        ...

    def place(self, start: Start, encoder: str = "") -> None:
        """Begin an episode.

        Args:
            start: Where it begins.
            encoder: Id of the encoder whose latents the policy reads; empty: none in particular.
        """
        ...

    def defocus_px(self) -> float:
        """The current true signed blur radius of the object [px at 640]; positive: focused too near."""
        ...


RigOf = TypeVar("RigOf", TwinRig, CachedRig)


class _PlacedArena(Generic[RigOf]):
    """The common part of arenas whose rig is in this process."""

    def __init__(self) -> None:
        """Nothing is placed yet."""
        self.lens, self.table = lens_model(), exposure_table()
        self._rig: RigOf | None = None
        self._object_dioptres = 0.0

    @property
    def rig(self) -> RigOf:
        """See `Arena`.

        Raises:
            RuntimeError: Nothing was placed yet.
        """
        if self._rig is None:
            raise RuntimeError("the arena is empty: place a start first")
        return self._rig

    @property
    def usage(self) -> Usage:
        """See `Arena`."""
        return self.rig.usage

    def defocus_px(self) -> float:
        """See `Arena`."""
        return self.lens.blur_px(self.rig.focus_dioptres, self._object_dioptres)


class TwinArena(_PlacedArena[TwinRig]):
    """Views rendered by the twin, read by the real perception."""

    name = "twin"

    def __init__(
        self, views: Sequence[View], perception: Perception, size: tuple[int, int] = TWIN_SIZE
    ) -> None:
        """Set up; photographs are read when their view is placed.

        Args:
            views: What it can show.
            perception: Reads the frames, which are in colour if it reads detail from colours.
            size: Width and height of the frames [px], binned from twice as many pixels.

        Raises:
            ValueError: No views.
        """
        super().__init__()
        if not views:
            raise ValueError("there is no view to evaluate on")
        self._views, self._perception, self._size = tuple(views), perception, size
        self._folder = tempfile.TemporaryDirectory(prefix="dasha_scenes_")
        self._shown: int | None = None

    @property
    def views(self) -> Sequence[ViewInfo]:
        """See `Arena`."""
        return tuple(view.info for view in self._views)

    def place(self, start: Start, encoder: str = "") -> None:
        """See `Arena`. Keep starts of one view together, so that its photographs are read once.

        The latents are those of the perception; the policy itself rejects those of another encoder.

        Raises:
            SceneError: The view can't be shown.
            AssetMissing: A photograph is not on this machine.
        """
        world = _world(str(self._scene_file(start.view)), self._views[start.view].info, start, self.lens)
        if self._rig is None or self._shown != start.view:
            width, height = self._size
            self._rig = TwinRig(
                self._perception,
                world,
                lens=self.lens,
                table=self.table,
                width=width,
                height=height,
                encoding=self._encoding(),
                binned=True,
                camera=self._new_camera,
            )
            self._shown = start.view
        self._rig.begin(world, start.position, start.exposure_us, start.seed)
        self._object_dioptres = start.object_dioptres

    def _encoding(self) -> str:
        return "rgb8" if self._perception.colour_detail else "mono8"

    def _new_camera(self, clock: Clock, lens: LensProfile, **others: Any) -> TwinCamera:
        return TwinCamera(clock, lens, **others)

    def _scene_file(self, number: int) -> Path:
        path = Path(self._folder.name) / f"{number}.yaml"
        if not path.is_file():
            path.write_text(scene_text(self._views[number].scene), encoding="utf-8")
        return path


class CacheArena(_PlacedArena[CachedRig]):
    """Views looked up in a percept cache: a thousand times faster, and equal except for interpolation."""

    name = "cache"

    def __init__(self, cache: PerceptCache) -> None:
        """``cache``: Percept cache with the views."""
        super().__init__()
        self._cache = cache

    @property
    def views(self) -> Sequence[ViewInfo]:
        """See `Arena`."""
        return self._cache.views

    def place(self, start: Start, encoder: str = "") -> None:
        """See `Arena`.

        Raises:
            ValueError: The cache holds no latents of the encoder.
        """
        view = self._cache.views[start.view]
        self._rig = CachedRig(
            self._cache,
            _world(view.name, view, start, self.lens),
            position=start.position,
            exposure_us=start.exposure_us,
            lens=self.lens,
            table=self.table,
            latent=self._latent(encoder),
            seed=start.seed,
        )
        self._object_dioptres = start.object_dioptres

    def _latent(self, encoder: str) -> str:
        """The fields that hold an encoder's latents, joined; the smallest field if any will do."""
        held = {encoder: field for field, encoder in self._cache.meta.encoders.items()}
        if not encoder:
            return min(held.values(), key=lambda field: self._cache.fields[field].shape[-1])
        parts = encoder.split(SEPARATOR)
        if missing := [part for part in parts if part not in held]:
            raise ValueError(
                f"the cache {self._cache.path} holds latents of {', '.join(held)}, and the policy reads "
                f"{', '.join(missing)}: build a cache with that encoder, or evaluate by rendering"
            )
        return SEPARATOR.join(held[part] for part in parts)


def _world(scene: str, view: ViewInfo, start: Start, lens: LensProfile) -> World:
    """The world of a start: all layers are shifted together; drift is a change of temperature."""
    # A lens that does not drift with temperature can't be made to drift.
    drift_per_kelvin = lens.drive.dioptres_per_kelvin or math.inf
    return World(
        scene,
        start.illuminance_lx,
        shifted_distances(view, start.object_dioptres),
        REFERENCE_C + start.drift_dioptres / drift_per_kelvin,
    )


def shifted_distances(view: ViewInfo, object_dioptres: float) -> tuple[float, ...]:
    """Distances of a view's layers [m] when all are shifted so that its object is at a place [1/m]."""
    shift = object_dioptres - 1.0 / view.distance_m
    return tuple(1.0 / (1.0 / distance + shift) for distance in view.distances_m)
