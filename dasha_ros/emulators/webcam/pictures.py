"""The pictures of the emulated webcam: what the twin sees, in a format of UVC."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.twin.camera import TwinCamera
from dasha_ros.emulators.webcam.controls import Shown
from dasha_ros.emulators.webcam.optics import WEBCAM_LENS
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.optics.actuator import PowerTrajectory
from dasha_ros.twin.world import World, WorldError

Picture = NDArray[np.uint8]
"""Grey, shape (height, width), or RGB, shape (height, width, 3)."""
Painter = Callable[[Shown], Picture]

FORMATS = ("YUYV", "MJPG", "GREY")
"""In the order of their numbers, from 1."""
SAME_FOCUS_DIOPTRES = 0.01
"""Pictures whose focus differs by less look the same."""
_INTERVALS_PER_S = 10_000_000
_BT601 = np.array(((65.481, -37.797, 112.0), (128.553, -74.203, -93.786), (24.966, 112.0, -18.214))) / 255.0
_OFFSETS = np.array((16.0, 128.0, 128.0))
"""From RGB to luma and the two colours (ITU-R BT.601), with the limited range that webcams use."""


@dataclass(frozen=True, slots=True)
class PictureSize:
    """Size and rate of the pictures."""

    width: int
    height: int
    rate_hz: float

    @property
    def most_bytes(self) -> int:
        """The most that a picture takes in any format."""
        return self.width * self.height * 2

    @property
    def interval(self) -> int:
        """Time between two frames [100 ns]."""
        return round(_INTERVALS_PER_S / self.rate_hz)


class TwinPainter:
    """A `Painter`: the digital twin through the emulated webcam's lens.

    A picture that would look like the last one is not computed again; it is the last one.

    Raises:
        DeviceLost: The scene can't be used.
        WorldError: The world has a lamp.
    """

    def __init__(
        self, size: PictureSize, *, world: World | None = None, colour: bool = False, seed: int | None = None
    ) -> None:
        """Read the scene.

        Args:
            size: Of the pictures.
            world: What the camera sees; the default scene if left out.
            colour: Whether the pictures are in colour.
            seed: Seed of the noise; ``None`` for new noise every time.
        """
        self._camera = TwinCamera(
            ManualClock(),
            WEBCAM_LENS,
            world=_without_lamp(world or World()),
            width=size.width,
            height=size.height,
            encoding="rgb8" if colour else "mono8",
            seed=seed,
        )
        self._limits = self._camera.open()
        self._lock = threading.Lock()
        self._shown: Shown | None = None
        self._picture: Picture | None = None

    @property
    def world(self) -> World:
        """What the camera sees."""
        return self._camera.world

    def set_world(self, world: World) -> None:
        """Change what the camera sees. Callable from any thread.

        Raises:
            SceneError: The scene can't be used.
            AssetMissing: A photograph is not on this machine.
            WorldError: The world has a lamp.
        """
        with self._lock:
            self._camera.set_world(_without_lamp(world))
            self._shown = None

    def __call__(self, shown: Shown) -> Picture:
        """The picture of a frame."""
        with self._lock:
            last = self._shown
            if last is None or self._picture is None or not _look_alike(last, shown):
                self._picture, self._shown = self._painted(shown), shown
            return self._picture

    def _painted(self, shown: Shown) -> Picture:
        camera, limits = self._camera, self._limits
        camera.set_trajectory(PowerTrajectory(0, shown.focus_dioptres, shown.focus_dioptres, 0.0))
        camera.set_exposure(min(max(shown.exposure_us, limits.exposure_min_us), limits.exposure_max_us))
        camera.set_gain(min(20.0 * math.log10(shown.gain), limits.gain_max_db))
        frame = camera.capture()
        assert frame is not None, "nobody aborts this camera"
        return np.asarray(frame.pixels, np.uint8)


def _without_lamp(world: World) -> World:
    """A painter is not told when the exposure of a frame begins, so it can't show what a lamp does then."""
    if world.lamp_hz:
        raise WorldError(
            f"the world's lamp_hz is {world.lamp_hz:g} Hz; the emulated webcam shows steady light only: "
            "set lamp_hz to 0, or use the rig twin"
        )
    return world


def _look_alike(one: Shown, other: Shown) -> bool:
    near = abs(one.focus_dioptres - other.focus_dioptres) < SAME_FOCUS_DIOPTRES
    return near and (one.exposure_us, one.gain) == (other.exposure_us, other.gain)


def encode(picture: Picture, name: str) -> bytes:
    """A picture in one of `FORMATS`."""
    if name == "MJPG":
        bgr: Any = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        return bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())
    if name == "GREY":
        grey: Any = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        return bytes(grey.tobytes())
    packed = np.full((*picture.shape[:2], 2), 128, np.uint8)
    if picture.ndim == 2:
        packed[..., 0] = picture
        return packed.tobytes()
    luma, blue, red = np.moveaxis(picture.astype(np.float32) @ _BT601 + _OFFSETS, -1, 0)
    packed[..., 0] = np.rint(luma)
    packed[:, ::2, 1] = np.rint((blue[:, ::2] + blue[:, 1::2]) / 2.0)
    packed[:, 1::2, 1] = np.rint((red[:, ::2] + red[:, 1::2]) / 2.0)
    return packed.tobytes()
