"""The digital twin's camera: renders what the lens shows in the middle of the exposure.

An exposure takes its time on the clock. The owner passes the lens's trajectory to the camera, so that a frame
shows the focus that the lens had in the middle of its exposure.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.assets.catalogue import AssetMissing
from dasha_ros.devices.camera import CameraLimits, Frame, never
from dasha_ros.devices.errors import DeviceLost, OutOfRange
from dasha_ros.freshness.clock import Clock
from dasha_ros.optics.actuator import PowerTrajectory
from dasha_ros.optics.exposure import T_MAX_US, T_MIN_US
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.profiles import lens_model
from dasha_ros.optics.sensor import Sensor, SensorReadout, image_illuminance_lx
from dasha_ros.twin.renderer import Renderer
from dasha_ros.twin.scene import SceneError
from dasha_ros.twin.world import World

GAIN_DB_MIN, GAIN_DB_MAX = 0.0, 24.08
"""GainRaw 32 to 512 of acA2000-50gm, dB = 20 log10(GainRaw/32); the twin allows the sensor's own 0 dB."""
_SCENES_KEPT = 4


class TwinCamera:
    """A CMV2000 camera in front of a scene.

    Pictures are computed while the clock waits for the exposure. In real time a frame therefore
    takes the longer of the two, not their sum.
    """

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
        exposure_min_us: float = T_MIN_US,
        exposure_max_us: float = T_MAX_US,
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
            exposure_min_us: Shortest exposure [us].
            exposure_max_us: Longest exposure [us].

        Raises:
            ValueError: Unknown encoding.
        """
        if encoding not in ("mono8", "mono16", "rgb8"):
            raise ValueError(f"encoding {encoding!r}: the twin's camera has mono8, mono16 and rgb8")
        self._clock = clock
        self._lens = lens or lens_model()
        self._limits = CameraLimits(
            width, height, encoding, exposure_min_us, exposure_max_us, GAIN_DB_MIN, GAIN_DB_MAX
        )
        self._seed = seed
        self._readout = SensorReadout(Sensor(bits=12 if encoding == "mono16" else 8), seed)
        self._latency_ns = round(latency_s * 1e9)
        self._exposure_us, self._gain_db = min(max(10_000.0, exposure_min_us), exposure_max_us), 0.0
        self._interrupt = threading.Event()
        self._is_open = False
        self._world = world or World()
        self._renderers: OrderedDict[str, Renderer] = OrderedDict()
        self._renderers_lock = threading.Lock()
        at_infinity = PowerTrajectory(0, 0.0, 0.0, 0.0)
        self._trajectories: deque[PowerTrajectory] = deque([at_infinity], maxlen=8)

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

    def _look_at(self, world: World) -> None:
        """Read the photographs of a world."""
        self._renderer(world.scene).scene.resolved_distances(world.distances_m)

    def seed_noise(self, seed: int | None) -> None:
        """Restart the sensor's noise: equal worlds, commands and seeds give equal frames."""
        self._seed = seed
        self._readout.seed(seed)

    def set_trajectory(self, trajectory: PowerTrajectory) -> None:
        """Tell how the lens moves. Callable from any thread, before or after the move began."""
        self._trajectories.append(trajectory)

    def open(self) -> CameraLimits:
        """Read the photographs.

        Raises:
            DeviceLost: A photograph is missing or the scene can't be used.
        """
        try:
            # A newer world that arrives meanwhile must not be replaced by this one.
            self._look_at(self._world)
        except (AssetMissing, SceneError) as error:
            raise DeviceLost(f"the twin's camera has nothing to look at: {error}") from error
        self._is_open = True
        return self._limits

    def close(self) -> None:
        """Give the camera back."""
        self._is_open = False

    def set_exposure(self, exposure_us: float) -> float:
        """Set the exposure time; see `devices.camera.Camera`. The device counts whole microseconds."""
        low, high = self._limits.exposure_min_us, self._limits.exposure_max_us
        if not low <= exposure_us <= high:
            raise OutOfRange(
                f"exposure {exposure_us!r} us refused: it must be a number from {low:g} to {high:g} us"
            )
        self._exposure_us = float(round(exposure_us))
        return self._exposure_us

    def set_gain(self, gain_db: float) -> float:
        """Set the gain; see `devices.camera.Camera`. GainRaw = 32 10^(dB/20) is a whole number."""
        if not GAIN_DB_MIN <= gain_db <= GAIN_DB_MAX:
            raise OutOfRange(
                f"gain {gain_db!r} dB refused: it must be a number from {GAIN_DB_MIN:g} to {GAIN_DB_MAX:g} dB"
            )
        self._gain_db = 20.0 * math.log10(round(32.0 * 10.0 ** (gain_db / 20.0)) / 32.0)
        return self._gain_db

    def capture(self, not_before_ns: int = 0, overtaken: Callable[[], bool] = never) -> Frame | None:
        """Take one picture; see `devices.camera.Camera`."""
        if not self._is_open:
            raise DeviceLost("the twin's camera is not open")
        self._interrupt.clear()
        if overtaken():
            return None
        exposure_us, gain_db = self._exposure_us, self._gain_db
        begun_ns = max(self._clock.now_ns(), not_before_ns)
        middle_ns = begun_ns + round(exposure_us * 500)
        # Render a guess while there is time; it is nearly always right.
        guess = self._seen_at(middle_ns)
        light = self._light(*guess)
        if not self._clock.wait_until(begun_ns, self._interrupt):
            return None
        world = self._world
        if not self._clock.wait_until(begun_ns + round(exposure_us * 1000), self._interrupt):
            return None
        # The message about a move may arrive later than the move itself.
        seen = (world, self._seen_at(middle_ns)[1])
        if seen != guess:
            light = self._light(*seen)
        image_lx = image_illuminance_lx(world.illuminance_lx, self._lens.f_number)
        pixels = self._readout.expose(light, image_lx, exposure_us, gain_db, world.temperature_c)
        if self._limits.encoding == "mono16":
            np.left_shift(pixels, 4, out=pixels)
        if self._latency_ns and not self._clock.wait_until(
            self._clock.now_ns() + self._latency_ns, self._interrupt
        ):
            return None
        return Frame(pixels, self._limits.encoding, begun_ns, exposure_us, gain_db)

    def abort(self) -> None:
        """End a `capture` in progress early."""
        self._interrupt.set()

    def describe(self) -> dict[str, Any]:
        """For diagnostics."""
        seed = "none" if self._seed is None else self._seed
        return {
            "hardware_id": f"twin camera, seed {seed}",
            "model": "digital twin",
            "scene": self._world.scene,
            "illuminance_lx": self._world.illuminance_lx,
            "exposure_us": self._exposure_us,
            "gain_db": self._gain_db,
        }

    def _seen_at(self, stamp_ns: int) -> tuple[World, float]:
        """The world now, and the lens's focus [1/m] at a time."""
        known = tuple(self._trajectories)
        begun = [t for t in known if t.moved_at_ns <= stamp_ns]
        return self._world, (begun[-1] if begun else known[0]).at(stamp_ns)

    def _light(self, world: World, focus_dioptres: float) -> NDArray[np.float32]:
        return self._renderer(world.scene).render(focus_dioptres, world.distances_m)

    def _renderer(self, scene: str) -> Renderer:
        with self._renderers_lock:
            if scene not in self._renderers:
                limits = self._limits
                self._renderers[scene] = Renderer(
                    scene, limits.width, limits.height, colour=limits.encoding == "rgb8", lens=self._lens
                )
                if len(self._renderers) > _SCENES_KEPT:
                    self._renderers.popitem(last=False)
            self._renderers.move_to_end(scene)
            return self._renderers[scene]
