"""What the emulated camera sees: the digital twin through the emulated lens."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.camera import CameraLimits
from dasha_ros.devices.errors import DeviceLost
from dasha_ros.devices.twin import TwinCamera
from dasha_ros.emulators.lens_state import read_state
from dasha_ros.optics.lens import LensModel, lens_model
from dasha_ros.twin.world import World


class _Impatient:
    """The system clock, on which waiting takes no time: pylon's emulator waits for the exposure itself."""

    def now_ns(self) -> int:
        """The time now."""
        return time.time_ns()

    def wait_until(self, stamp_ns: int, interrupt: threading.Event | None = None) -> bool:
        """Do not wait."""
        return interrupt is None or not interrupt.is_set()


class TwinView:
    """A `Render` for `PictureFeed`: the twin's picture at the exposure, gain and focus in force.

    Args:
        link: Port of the lens emulator whose focus is seen.
        model: Aperture and blur; the ``physical`` profile if left out.
        world: What stands before the camera; the default scene if left out.
        width: Of the pictures [px].
        height: Of the pictures [px].
        encoding: ``mono8``, ``mono16`` or ``rgb8``.
        seed: Of the noise; ``None``: new noise every time.

    Raises:
        DeviceLost: The scene can't be used.
    """

    def __init__(
        self,
        link: Path,
        model: LensModel | None = None,
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
        """Takes a new world through its `set_world`, from any thread."""
        self._limits: CameraLimits = self.camera.open()

    def __call__(self, exposure_us: float, gain_db: float) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """The picture of an exposure that begins now.

        Raises:
            DeviceLost: No emulator serves the lens: there is nothing to look through.
        """
        limits = self._limits
        try:
            self.camera.set_trajectory(read_state(self._link).trajectory)
        except (FileNotFoundError, ValueError) as error:
            raise DeviceLost(f"the emulated camera has no lens: {error}") from error
        self.camera.set_exposure(min(max(exposure_us, limits.exposure_min_us), limits.exposure_max_us))
        self.camera.set_gain(min(max(gain_db, limits.gain_min_db), limits.gain_max_db))
        frame = self.camera.capture()
        assert frame is not None, "nobody aborts this camera"
        return frame.pixels
