"""The rig over the percept cache: the twin's lens and clock, and a look-up instead of a picture.

The lens is the twin's own, so quantisation, hysteresis, settling and drift are those of `TwinRig`. Only the
work of camera and perception is replaced by a look-up.
"""

from __future__ import annotations

import math

import numpy as np

from dasha_ros.control.in_process_rig import InProcessRig
from dasha_ros.devices.errors import OutOfRange
from dasha_ros.freshness.command import IN_PROCESS
from dasha_ros.freshness.state import CaptureInfo
from dasha_ros.learning.dataset.cache.percept_cache import JOINT, PerceptCache
from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.optics.lens import WORKING_WIDTH_PX, LensProfile
from dasha_ros.perception.encoders.joint import SEPARATOR
from dasha_ros.perception.percept import Percept
from dasha_ros.twin.scene import SceneError
from dasha_ros.twin.world import World

SEPARATION_TOLERANCE = 0.05
"""Greatest deviation of two layers' separation from that of the view [1/m]: half a pixel of blur."""


class CachedRig(InProcessRig):
    """Implements `Rig` over a percept cache; see `InProcessRig`."""

    def __init__(
        self,
        cache: PerceptCache,
        world: World | None = None,
        *,
        position: float | None = None,
        exposure_us: float = 10_000.0,
        lens: LensProfile | None = None,
        table: ExposureTable | None = None,
        latent: str = JOINT,
        seed: int | None = 0,
        hysteresis: float | None = None,
    ) -> None:
        """Put everything in place.

        Args:
            cache: Where percepts come from.
            world: Its ``scene`` is the name of a view; the first view if left out.
            position: Where the lens is; left out: at its least position.
            exposure_us: Exposure at the start [us].
            lens: The lens's map; ``physical`` if left out.
            table: A^H's exposures; those of the paper's camera if left out.
            latent: The field that becomes the percepts' latent vector, or several joined by ``+``.
            seed: Seed of the noise draws; ``None``: new every time.
            hysteresis: Half width of the lens's play, in its unit; left out: as the profile has it.

        Raises:
            SceneError: No such view, or distances that don't fit it.
            CacheError: The cache was made with another lens.
            ValueError: The cache has no such latent.
        """
        super().__init__(lens, table, position, hysteresis)
        cache.check_lens(self.lens)
        if unknown := [part for part in latent.split(SEPARATOR) if part not in cache.meta.encoders]:
            known = ", ".join(cache.meta.encoders)
            raise ValueError(f"the cache has no latent {unknown[0]!r}; it has {known}")
        self._cache, self._latent = cache, latent
        self._rng = np.random.default_rng(seed)
        self.place(world or World(scene=cache.views[0].name), self._start, exposure_us)

    @property
    def object_dioptres(self) -> float:
        """True distance of the object, as its reciprocal [1/m]: for evaluations only."""
        return self._object_dioptres

    def place(self, world: World, position: float, exposure_us: float) -> None:
        """Restart: another view, light or distance, the lens at rest at ``position``, no commands yet.

        Args:
            world: ``scene`` names a view; ``distances_m`` are those of its layers. A plane may be at any
                distance; a composite must keep its separation in dioptres.
            position: Where the lens is.
            exposure_us: Exposure at the start [us].

        Raises:
            SceneError: No such view, or distances that don't fit it.
            DeviceError: A value is out of range.
        """
        self._view, self._object_dioptres = self._placed(world)
        self._world = world
        self._exposure_us = self._rounded(exposure_us)
        self._restart(position, world.temperature_c)

    def _set_exposure(self, exposure_us: float) -> None:
        self._exposure_us = self._rounded(exposure_us)

    def _look(self) -> Percept:
        begun_ns = self.clock.now_ns()
        exposed_ns = max(begun_ns, self._state.settled_at_ns)
        self.clock.wait_until(exposed_ns + round(self._exposure_us * 1000))
        focus = self._lens.trajectory.at(exposed_ns + round(self._exposure_us * 500))
        # The paper's lens blurs a little more or less per dioptre, because its image distance changes.
        blur_px = self.lens.blur_px(focus, self._object_dioptres, WORKING_WIDTH_PX)
        lux_seconds = self._world.illuminance_lx * self._exposure_us * 1e-6
        ev = math.log2(lux_seconds / self._cache.views[self._view].mid_grey_lux_seconds)
        self.usage.frames += 1
        self.usage.seconds += (self.clock.now_ns() - begun_ns) / 1e9
        capture = CaptureInfo(
            exposed_ns,
            self._exposure_us,
            0.0,
            self._exposure_command,
            self.usage.frames,
            driver=IN_PROCESS,
            lens=self._state.last_move,
        )
        draw = int(self._rng.integers(self._cache.draws))
        return self._cache.percept(
            self._view,
            blur_px / self._cache.px_per_dioptre,
            ev,
            draw,
            capture=capture,
            lens=self._state,
            latent=self._latent,
        )

    def _placed(self, world: World) -> tuple[int, float]:
        """The number of a world's view and the object's distance in dioptres."""
        try:
            number = self._cache.index(world.scene)
        except KeyError as error:
            raise SceneError(str(error.args[0])) from error
        if world.lamp_hz:
            raise SceneError(
                f"a percept cache has steady light, no lamp of {world.lamp_hz:g} Hz: set lamp_hz to 0"
            )
        view = self._cache.views[number]
        distances = world.distances_m or view.distances_m
        if len(distances) != len(view.distances_m):
            raise SceneError(
                f"view {view.name} has {len(view.distances_m)} layers, "
                f"but {len(distances)} distances were given"
            )
        mine = 1.0 / distances[view.layer]
        for other, distance in enumerate(distances):
            separation = mine - 1.0 / distance
            if other != view.layer and abs(separation - view.separation_dioptres) > SEPARATION_TOLERANCE:
                raise SceneError(
                    f"view {view.name}: distances {distances} m separate the layers by {separation:.2f} D, "
                    f"but the cache holds {view.separation_dioptres:.2f} D: keep that difference"
                )
        return number, mine

    def _rounded(self, exposure_us: float) -> float:
        """The exposure in whole microseconds, as the device counts."""
        if not self.table.t_min_us <= exposure_us <= self.table.t_max_us:
            raise OutOfRange(
                f"exposure {exposure_us!r} us refused: it must be a number from "
                f"{self.table.t_min_us:g} to {self.table.t_max_us:g} us"
            )
        return float(round(exposure_us))
