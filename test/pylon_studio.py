"""pylon's emulated camera where cables can be pulled; its pictures say which exposure they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from dasha_ros.devices.camera import Frame
from dasha_ros.devices.pylon.camera import PylonCamera
from dasha_ros.devices.pylon.device import PylonSettings
from dasha_ros.emulators.camera.bench import CameraBench
from dasha_ros.emulators.camera.pictures import PictureFeed

HEIGHT, WIDTH = 48, 64


class PylonStudio:
    """A camera on a bench; every picture says how often one was painted, and with which exposure."""

    def __init__(self, **settings: Any) -> None:
        self.bench = CameraBench()
        self.painted: list[float] = []
        self.feed = PictureFeed(self._paint)
        options = {"width": WIDTH, "height": HEIGHT, "exposure_us": 1_000.0, "margin_s": 0.3} | settings
        self.camera = PylonCamera(PylonSettings(**options), attach=self.bench.attach, listener=self.feed)

    def close(self) -> None:
        self.camera.close()
        self.feed.close()

    def _paint(self, exposure_us: float, gain_db: float) -> np.ndarray:
        self.painted.append(exposure_us)
        return np.full((HEIGHT, WIDTH), len(self.painted) % 256, np.uint8)

    def capture(self) -> Frame:
        frame = self.camera.capture()
        assert frame is not None
        return frame

    def is_fresh(self, frame: Frame) -> bool:
        return bool((frame.pixels == len(self.painted) % 256).all()) and frame.exposure_us == self.painted[-1]
