"""What a camera back end may offer besides: a free-running stream that keeps only the newest frame."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from dasha_ros.devices.camera import Frame


@runtime_checkable
class PreviewCamera(Protocol):
    """A camera that can also run freely.

    `capture` ends the preview; a setting changed during the preview restarts the stream,
    so that no frame is reported with settings that did not make it.
    """

    def start_preview(self, frame_rate_hz: float = 0.0) -> float:
        """Run freely and return the frame rate that the camera will reach [Hz].

        Args:
            frame_rate_hz: Wanted rate; 0: as fast as the exposure allows.

        Raises:
            DeviceLost: The device is gone.
        """
        ...

    def latest(self, timeout_s: float) -> Frame | None:
        """The newest frame that was not returned yet; ``None`` when none came in time or on `abort`.

        Frames that came in between are dropped: latency can't grow. ``begun_ns`` is computed from
        the earliest time at which the frame can have arrived, so that it is not later than the
        start of the exposure; the camera's transfer, which nobody knows, comes on top.

        Raises:
            FrameIncomplete: The frame was damaged.
            DeviceLost: The device is gone.
        """
        ...

    def stop_preview(self) -> None:
        """Stop running freely. Stopping twice is fine."""
        ...
