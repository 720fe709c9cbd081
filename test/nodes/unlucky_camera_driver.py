"""The camera driver with a camera that fails as a file tells it to, as pylon's emulator can't."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dasha_ros.devices.camera import CameraLimits, Frame
from dasha_ros.devices.errors import DeviceLost, DeviceTimeout, FrameIncomplete
from dasha_ros.devices.twin import TwinCamera
from dasha_ros.nodes import camera_driver
from dasha_ros.ros import backends

FAULT = Path(os.environ["DASHA_TEST_FAULT"])


def fault() -> str:
    return FAULT.read_text().strip()


class UnluckyCamera(TwinCamera):
    """The twin's camera, whose cable, buffers and stream fail on demand."""

    def open(self) -> CameraLimits:
        if fault() == "lost":
            raise DeviceLost("no camera with serial number 4711 is there. Check its power and cable.")
        return super().open()

    def capture(self, not_before_ns: int = 0) -> Frame | None:
        if fault() == "lost":
            raise DeviceLost("The camera device has been physically removed.")
        if fault() == "silent":
            raise DeviceTimeout("the camera sent no frame within 0.5 s of its trigger")
        if fault() == "incomplete":
            FAULT.write_text("")
            raise FrameIncomplete("a frame was damaged: the buffer was incompletely grabbed")
        return super().capture(not_before_ns)


def camera_backend(config: object, clock: object) -> UnluckyCamera:
    return UnluckyCamera(clock, width=config.width, height=config.height, seed=0)


backends.camera_backend = camera_backend
camera_driver.camera_backend = camera_backend

if __name__ == "__main__":
    camera_driver.main(sys.argv)
