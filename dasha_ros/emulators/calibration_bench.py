"""A bench for calibrating an emulated lens: a target on rails before real pypylon and real pyserial."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from dasha_ros.devices.pylon.camera import PylonCamera
from dasha_ros.devices.pylon.device import PylonSettings
from dasha_ros.devices.varioptic.lens import VariopticLens, VariopticSettings
from dasha_ros.emulators.camera.pictures import PictureFeed, enable_emulator
from dasha_ros.emulators.camera.twin_view import TwinView
from dasha_ros.emulators.lens.line import ANSWERS_WITHIN_S
from dasha_ros.emulators.lens.port import LensEmulator, LensEmulatorSettings
from dasha_ros.twin.world import World

EMULATED_CAMERA = "0815-0000"
"""Serial number that pylon gives its first emulated camera."""
CHART_SQUARES = (34, 64)
CHART_SQUARE_PX = 10
ILLUMINANCE_LX = 300.0
GUARDED_SETTLE_S = 0.1
"""Settling time before it is measured [s]: five time constants of the emulated liquid."""


class CalibrationBench:
    """An emulated camera, an emulated lens, and a chart at any distance.

    Use it as a context manager; it closes `camera` and `lens` at its end.

    Args:
        settings: Settings of the emulated lens.
        width: Width of the pictures [px].
        height: Height of the pictures [px].
        seed: Seed of chart and noise.

    Raises:
        DeviceError: (On entry) An emulated device could not be set up.
    """

    def __init__(
        self,
        settings: LensEmulatorSettings | None = None,
        *,
        width: int = 640,
        height: int = 340,
        seed: int = 0,
    ) -> None:
        self._settings = settings or LensEmulatorSettings()
        self._size, self._seed = (width, height), seed
        self._stack = ExitStack()

    def __enter__(self) -> CalibrationBench:
        """Plug everything in."""
        width, height = self._size
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dasha_calibration_")))
            emulator = stack.enter_context(LensEmulator(folder / "lens", self._settings))
            self._view = TwinView(
                emulator.link,
                self._settings.model,
                world=World(scene=str(write_chart(folder, self._seed)), illuminance_lx=ILLUMINANCE_LX),
                width=width,
                height=height,
                seed=self._seed,
            )
            enable_emulator()
            feed = PictureFeed(self._view)
            stack.callback(feed.close)
            self.camera = PylonCamera(
                PylonSettings(address=EMULATED_CAMERA, width=width, height=height), listener=feed
            )
            self.lens = VariopticLens(
                VariopticSettings(
                    port=str(emulator.link), reply_timeout_s=ANSWERS_WITHIN_S, settle_s=GUARDED_SETTLE_S
                )
            )
            stack.callback(self.lens.close)
            stack.callback(self.camera.close)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        """Clean up."""
        self._stack.close()

    def place(self, distance_m: float) -> None:
        """Move the chart.

        Raises:
            SceneError: The chart can't be at this distance.
        """
        self._view.camera.set_world(replace(self._view.camera.world, distances_m=(distance_m,)))


def write_chart(folder: Path, seed: int = 0) -> Path:
    """Write a scene of random squares, which have texture at every scale and need no photograph."""
    rows, columns = CHART_SQUARES
    squares = np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    size = (columns * CHART_SQUARE_PX, rows * CHART_SQUARE_PX)
    cv2.imwrite(str(folder / "chart.png"), cv2.resize(squares, size, interpolation=cv2.INTER_NEAREST))
    scene = folder / "chart.yaml"
    scene.write_text(
        "description: Random squares on a plane.\n"
        "layers:\n  - {kind: photograph, photo: chart.png, distance_m: 1.0}\n"
        "objects:\n  - {label: chart, layer: 0}\n",
        encoding="utf-8",
    )
    return scene
