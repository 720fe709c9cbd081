"""The digital twin's camera: renders what the lens shows in the middle of the exposure."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.assets.catalogue import AssetMissing
from dasha_ros.devices.errors import DeviceLost
from dasha_ros.devices.simulated_camera import SimulatedCamera
from dasha_ros.freshness.clock import Clock
from dasha_ros.optics.exposure_table import T_MAX_US, T_MIN_US
from dasha_ros.optics.lamp import lamp_light
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.profiles import lens_model
from dasha_ros.optics.sensor import Pixels, Sensor, image_illuminance_lx
from dasha_ros.twin.chromatic import CHROMATIC_DIOPTRES, checked
from dasha_ros.twin.renderer import Renderer
from dasha_ros.twin.scene import SceneError
from dasha_ros.twin.world import World

FRAME_LATENCY_S = 0.06
"""Transport and reading of a frame where time counts [s]: three times what `dasha benchmark step` takes."""
_SCENES_KEPT = 4


class TwinCamera(SimulatedCamera[World]):
    """A CMV2000 camera in front of a scene; see `SimulatedCamera`."""

    def __init__(
        self,
        clock: Clock,
        lens: LensProfile | None = None,
        *,
        world: World | None = None,
        width: int = 2048,
        height: int = 1088,
        encoding: str = "mono8",
        seed: int | None = None,
        latency_s: float = 0.0,
        binned: bool = False,
        exposure_min_us: float = T_MIN_US,
        exposure_max_us: float = T_MAX_US,
        chromatic_dioptres: float = CHROMATIC_DIOPTRES,
    ) -> None:
        """Set up a camera; photographs are read by `open`.

        Args:
            clock: Exposures take their time on it.
            lens: Aperture and blur; the ``physical`` profile if left out.
            world: What the camera sees; the default scene if left out.
            width: Width of the frame [px]; the view stays the same.
            height: Height of the frame [px].
            encoding: ``mono8``, ``mono16`` (12 bits, the upper ones, so that white is white) or ``rgb8``.
            seed: Seed of the noise; ``None``: new noise every time.
            latency_s: Delay of a finished frame, as on a slow link [s].
            binned: Draw what perception first makes of a frame twice as wide and high: the mean of 2 x 2
                pixels, with the noise of four. ``mono8`` without gain only.
            exposure_min_us: Shortest exposure [us].
            exposure_max_us: Longest exposure [us].
            chromatic_dioptres: How much nearer the lens focuses blue than red [1/m]; ``rgb8`` only.

        Raises:
            ValueError: Unknown encoding, or ``chromatic_dioptres`` out of range.
        """
        if encoding not in ("mono8", "mono16", "rgb8"):
            raise ValueError(f"encoding {encoding!r}: the twin's camera has mono8, mono16 and rgb8")
        if binned and encoding != "mono8":
            raise ValueError(f"encoding {encoding!r}: binned frames are mono8")
        super().__init__(
            clock,
            "twin camera",
            Sensor(bits=12 if encoding == "mono16" else 8),
            seed=seed,
            exposure_min_us=exposure_min_us,
            exposure_max_us=exposure_max_us,
            latency_s=latency_s,
            binned=binned,
        )
        self._lens = lens or lens_model()
        self._width, self._height, self._encoding = width, height, encoding
        self._chromatic_dioptres = checked(chromatic_dioptres)
        self._world = world or World()
        self._renderers: OrderedDict[str, Renderer] = OrderedDict()
        self._renderers_lock = threading.Lock()

    @property
    def world(self) -> World:
        """What the camera sees."""
        return self._world

    def set_world(self, world: World) -> None:
        """Change the world. Callable from any thread; an exposure in progress keeps the old one.

        Raises:
            SceneError: The scene can't be used; the old world stays.
            AssetMissing: A photograph is not on this machine; the old world stays.
        """
        self._look_at(world)
        self._world = world

    def describe(self) -> dict[str, Any]:
        """For diagnostics."""
        return {
            **super().describe(),
            "model": "digital twin",
            "scene": self._world.scene,
            "illuminance_lx": self._world.illuminance_lx,
            "lamp_hz": self._world.lamp_hz,
        }

    def _load(self) -> tuple[int, int, str]:
        try:
            # A newer world that arrives meanwhile must not be replaced by this one.
            self._look_at(self._world)
        except (AssetMissing, SceneError) as error:
            raise DeviceLost(f"the twin's camera has nothing to look at: {error}") from error
        return self._width, self._height, self._encoding

    def _look_at(self, world: World) -> None:
        """Read the photographs of a world."""
        self._renderer(world.scene).scene.resolved_distances(world.distances_m)

    def _view(self) -> World:
        return self._world

    def _image_lx(self, view: World) -> float:
        return image_illuminance_lx(view.illuminance_lx, self._lens.f_number)

    def _lit(self, view: World, begun_ns: int, exposure_us: float) -> float:
        """All rows at once: the CMV2000 has a global shutter."""
        if not view.lamp_hz:
            return 1.0
        return lamp_light(view.lamp_hz, view.lamp_depth, begun_ns * 1e-9, exposure_us * 1e-6)

    def _temperature_c(self, view: World) -> float:
        return view.temperature_c

    def _light(self, view: World, focus_dioptres: float) -> NDArray[np.float32]:
        return self._renderer(view.scene).render(focus_dioptres, view.distances_m)

    def _developed(self, pixels: Pixels) -> Pixels:
        if self._encoding == "mono16":
            np.left_shift(pixels, 4, out=pixels)
        return pixels

    def _new_renderer(self, scene: str) -> Renderer:
        return Renderer(
            scene,
            self._width,
            self._height,
            colour=self._encoding == "rgb8",
            lens=self._lens,
            chromatic_dioptres=self._chromatic_dioptres,
        )

    def _renderer(self, scene: str) -> Renderer:
        with self._renderers_lock:
            if scene not in self._renderers:
                self._renderers[scene] = self._new_renderer(scene)
                if len(self._renderers) > _SCENES_KEPT:
                    self._renderers.popitem(last=False)
            self._renderers.move_to_end(scene)
            return self._renderers[scene]
