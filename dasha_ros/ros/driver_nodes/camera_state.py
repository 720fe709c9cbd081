"""Decides when the camera's active settings are published, so that publishing delays no step."""

from __future__ import annotations

import time
from collections.abc import Callable

from dasha_ros.freshness.command import CommandId
from dasha_ros.freshness.state import CaptureInfo

DELAY_S = 0.1
"""Delay for a picture with known settings [s]. Until perception has read the picture, the subscribers of
``camera/state`` would take the core it needs."""
_PERIOD_S = 0.5
"""Least time between states during a fast preview [s]: followers don't need one per frame."""
LATEST_S = 0.5
"""Most delay [s]. Each picture delays the state, because the next step may have begun, but no longer."""


class CameraState:
    """Decides when ``camera/state`` is published: new settings at once, a picture with known settings later.

    Used by one thread.
    """

    def __init__(
        self, publish: Callable[[CaptureInfo], None], now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._publish, self._now_s = publish, now_s
        self._published: CaptureInfo | None = None
        self._delayed: CaptureInfo | None = None
        self._due_s = self._latest_s = self._published_at_s = 0.0
        self._repeats = False

    def taken(self, capture: CaptureInfo, awaited: bool) -> None:
        """Take note of a published picture; ``awaited``: a command waited for it."""
        published, now_s = self._published, self._now_s()
        if published is None or _settings(capture) != _settings(published):
            self._publish_now(capture)
        elif awaited:
            if self._delayed is None:
                self._latest_s = now_s + LATEST_S
            self._delayed, self._due_s = capture, min(now_s + DELAY_S, self._latest_s)
        elif now_s - self._published_at_s >= _PERIOD_S:
            self._publish_now(capture)

    def publish_if_due(self) -> None:
        """Publish a delayed state when its time has come."""
        if self._delayed is not None and self._now_s() >= self._due_s:
            self._publish_now(self._delayed)
        elif self._repeats and self._published is not None:
            self._publish(self._published)
        self._repeats = False

    def repeat(self) -> None:
        """Have the thread publish the last state once more. Callable from any thread."""
        self._repeats = True

    @property
    def longest_wait_s(self) -> float | None:
        """How long the thread may sleep [s]; ``None``: no state is delayed."""
        return None if self._delayed is None else DELAY_S

    def _publish_now(self, capture: CaptureInfo) -> None:
        self._published, self._delayed, self._published_at_s = capture, None, self._now_s()
        self._publish(capture)


def _settings(capture: CaptureInfo) -> tuple[float, float, CommandId]:
    return capture.exposure_us, capture.gain_db, capture.exposure_command
