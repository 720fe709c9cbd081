"""The stream of frames from an opened Basler camera, one for each trigger or free-running."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from dasha_ros.devices.errors import DeviceLost
from dasha_ros.devices.pylon.device import PylonDevice
from dasha_ros.devices.pylon.errors import is_removed

SLICE_MS = 20
"""While waiting for a frame, check this often for an abort and for a camera that vanished."""
READY_TIMEOUT_S = 1.0


class PylonStream:
    """Starts, triggers and reads the stream. pylon's errors pass through."""

    def __init__(self, camera: Any, device: PylonDevice, removed: Callable[[], bool]) -> None:
        self._camera = camera
        self._device = device
        self._removed = removed
        self._mode = ""
        self._empty_at = self._look_at = 0.0
        self.arrived_after = 0.0
        """The newest frame of `next` had not arrived yet at this time (``time.monotonic``) [s]."""

    @property
    def free_running(self) -> bool:
        """Whether the camera runs freely."""
        return self._mode == "free"

    def start_triggered(self) -> None:
        """Switch to one frame for each trigger, unless that is active already."""
        if self._mode == "triggered" and self._camera.IsGrabbing():
            return
        from pypylon import pylon

        self.stop()
        self._device.set_triggered(True)
        self._camera.StartGrabbing(pylon.GrabStrategy_OneByOne)
        self._mode = "triggered"

    def start_free(self, frame_rate_hz: float) -> float:
        """Run freely, keeping only the newest frame; returns the rate [Hz]."""
        from pypylon import pylon

        self.stop()
        self._device.set_triggered(False)
        reached = self._device.set_frame_rate(frame_rate_hz)
        self._empty_at = time.monotonic()
        self._camera.StartGrabbing(pylon.GrabStrategy_LatestImageOnly)
        self._mode = "free"
        return reached

    def stop(self) -> None:
        """Stop, and drop frames in transfer."""
        self._mode = ""
        if self._camera.IsGrabbing():
            self._camera.StopGrabbing()

    def discard(self) -> int:
        """Throw away frames that wait; returns how many there were."""
        from pypylon import pylon

        count = 0
        while self._camera.RetrieveResult(0, pylon.TimeoutHandling_Return).IsValid():
            count += 1
        return count

    def wait_ready(self) -> None:
        """Wait until the camera takes a trigger: one that comes too early is lost."""
        from pypylon import pylon

        self._camera.WaitForFrameTriggerReady(
            round(READY_TIMEOUT_S * 1e3), pylon.TimeoutHandling_ThrowException
        )

    def trigger(self) -> None:
        """Begin an exposure."""
        self._camera.ExecuteSoftwareTrigger()

    def next(self, timeout_s: float, aborted: Callable[[], bool], slice_ms: int = SLICE_MS) -> Any | None:
        """The next grab result; ``None`` when time is up or ``aborted``.

        Args:
            timeout_s: How long to wait.
            aborted: Asked before each wait.
            slice_ms: Longest single wait.

        Raises:
            DeviceLost: The camera vanished, or its stream died.
        """
        from pypylon import pylon

        deadline = time.monotonic() + timeout_s
        while not aborted():
            left_ms = math.ceil((deadline - time.monotonic()) * 1e3)
            if left_ms <= 0:
                return None
            begin = time.monotonic()
            wait_ms = min(slice_ms, left_ms)
            result = self._camera.RetrieveResult(wait_ms, pylon.TimeoutHandling_Return)
            if result.IsValid():
                # Had it been there earlier, an earlier call would have returned it.
                self.arrived_after, self._empty_at = self._empty_at, begin
                return result
            self._empty_at = min(begin + wait_ms / 1e3, time.monotonic())
            if self._removed() or self._vanished():
                raise DeviceLost(
                    "the camera was removed while a frame was awaited. Check its power and cable."
                )
            if not self._camera.IsGrabbing():
                raise DeviceLost("the camera's stream ended by itself; the camera must be opened again.")
        return None

    def _vanished(self) -> bool:
        """Whether pylon lost sight of the camera. The query is slow, so it runs every 20 ms."""
        now = time.monotonic()
        if now < self._look_at:
            return False
        self._look_at = now + SLICE_MS / 1e3
        return is_removed(self._camera)
