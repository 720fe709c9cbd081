"""The emulated camera's view: the digital twin through the emulated lens."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from dasha_ros.devices.camera import CameraLimits
from dasha_ros.devices.errors import DeviceLost
from dasha_ros.devices.twin.camera import TwinCamera
from dasha_ros.emulators.camera.pictures import Picture, Scenery
from dasha_ros.emulators.lens.state import read_state
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.profiles import lens_model
from dasha_ros.twin.world import World

SAME_FOCUS_DIOPTRES = 0.01
"""Pictures whose focus differs by less look the same; the twin's lens counts as settled within it."""

WORLD_S = 2.0


class _Impatient:
    """A steady clock that never waits, because pylon's emulator waits for the exposure itself."""

    def now_ns(self) -> int:
        """The time now."""
        return time.monotonic_ns()

    def wait_until(self, stamp_ns: int, interrupt: threading.Event | None = None) -> bool:
        """Do not wait."""
        return interrupt is None or not interrupt.is_set()


@dataclass(frozen=True, slots=True)
class _Seen:
    world: World
    focus_dioptres: float
    exposure_us: float
    gain_db: float

    def looks_like(self, other: _Seen) -> bool:
        if self.world.lamp_hz:
            return False  # Each exposure shows the lamp at another moment.
        near = abs(self.focus_dioptres - other.focus_dioptres) < SAME_FOCUS_DIOPTRES
        return near and replace(other, focus_dioptres=self.focus_dioptres) == self


class TwinView(Scenery):
    """A `Scenery` for `PictureFeed`: the twin's picture at the current exposure, gain and focus.

    Args:
        link: Port of the lens emulator that the camera looks through.
        model: Aperture and blur; the profile ``physical`` by default.
        world: The world before the camera; the default scene by default.
        width: Width of the pictures [px].
        height: Height of the pictures [px].
        encoding: ``mono8``, ``mono16`` or ``rgb8``.
        seed: Seed of the noise; ``None`` for new noise every time.

    Raises:
        DeviceLost: The scene can't be used.
    """

    def __init__(
        self,
        link: Path,
        model: LensProfile | None = None,
        *,
        world: World | None = None,
        width: int = 2048,
        height: int = 1088,
        encoding: str = "mono8",
        seed: int | None = None,
    ) -> None:
        self._link = link
        self.camera = TwinCamera(
            _Impatient(),
            model or lens_model(),
            world=world,
            width=width,
            height=height,
            encoding=encoding,
            seed=seed,
        )
        """The twin's camera; its `set_world` may be called from any thread."""
        self._limits: CameraLimits = self.camera.open()
        self._shown: _Seen | None = None
        self.world_known = threading.Event()
        """While it is cleared, there are no pictures: the owner of the view waits for the world to show."""
        self.world_known.set()

    def seen(
        self, exposure_us: float, gain_db: float, begin_ns: int = 0, *, only_if_changed: bool = False
    ) -> Picture | None:
        """The picture of an exposure that begins at ``begin_ns``; see `emulators.camera.pictures.Scenery`.

        Raises:
            DeviceLost: No emulator serves the lens, or the world stays unknown.
        """
        limits = self._limits
        if not self.world_known.wait(WORLD_S):
            raise DeviceLost("the emulated camera waits for its world: does twin_world run?")
        try:
            trajectory = read_state(self._link).trajectory
        except (FileNotFoundError, ValueError) as error:
            raise DeviceLost(f"the emulated camera has no lens: {error}") from error
        begin_ns = max(begin_ns, time.monotonic_ns())
        focus = trajectory.at(begin_ns + round(exposure_us * 500))
        now_seen = _Seen(self.camera.world, focus, exposure_us, gain_db)
        if only_if_changed and self._shown is not None and self._shown.looks_like(now_seen):
            return None
        self.camera.set_trajectory(trajectory)
        self.camera.set_exposure(min(max(exposure_us, limits.exposure_min_us), limits.exposure_max_us))
        self.camera.set_gain(min(max(gain_db, limits.gain_min_db), limits.gain_max_db))
        frame = self.camera.capture(begin_ns)
        assert frame is not None, "nobody aborts this camera"
        self._shown = now_seen
        return frame.pixels
