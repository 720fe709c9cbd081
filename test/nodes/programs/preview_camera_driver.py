"""The camera driver with a camera that is slow to start its preview and prints its calls."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from dasha_ros.devices.camera import Frame, never
from dasha_ros.devices.fake.fake import FakeCamera
from dasha_ros.nodes import camera_driver


class SlowToStart(FakeCamera):
    """Its first preview starts when the next command has come; ``told`` is set then."""

    told = threading.Event()

    def start_preview(self, frame_rate_hz: float = 0.0) -> float:
        print("start_preview", flush=True)
        self.told.wait(60.0)
        return frame_rate_hz

    def latest(self, timeout_s: float) -> Frame | None:
        print("latest", flush=True)
        self._abort.clear()
        self._abort.wait(timeout_s)
        return None

    def stop_preview(self) -> None:
        print("stop_preview", flush=True)

    def capture(self, not_before_ns: int = 0, overtaken: Callable[[], bool] = never) -> Frame | None:
        print(f"capture {self._exposure_us:g}", flush=True)
        return super().capture(not_before_ns, overtaken)

    def abort(self) -> None:
        super().abort()
        if self.taken:
            # The command is active and announced; now the preview has started.
            self.told.set()


def camera_backend(config: object, clock: object, node: object) -> SlowToStart:
    return SlowToStart(clock)


camera_driver.camera_backend = camera_backend

if __name__ == "__main__":
    camera_driver.main(sys.argv)
