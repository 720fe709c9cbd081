"""What is in force in the camera, told when nobody has to wait for it."""

from __future__ import annotations

import time
from collections.abc import Callable

from dasha_ros.freshness.command import CommandId
from dasha_ros.freshness.state import CaptureInfo

DELAY_S = 0.1
"""A picture under known settings is told of when it has been looked at: until then its followers would take
the core that perception needs."""
_PERIOD_S = 0.5
"""Whoever only follows what is in force need not hear of every frame of a fast preview."""
LATEST_S = 0.5
"""Each answer puts it off, for another step may have begun, but not for longer than this."""


class CameraState:
    """Decides when ``camera/state`` is published: new settings at once, an answer under known ones later.

    Belongs to one thread.
    """

    def __init__(
        self, publish: Callable[[CaptureInfo], None], now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._publish, self._now_s = publish, now_s
        self._told: CaptureInfo | None = None
        self._untold: CaptureInfo | None = None
        self._due_s = self._latest_s = self._told_at_s = 0.0
        self._repeats = False

    def taken(self, capture: CaptureInfo, awaited: bool) -> None:
        """A picture was published; ``awaited`` if a command waited for it."""
        told, now_s = self._told, self._now_s()
        if told is None or _settings(capture) != _settings(told):
            self._tell(capture)
        elif awaited:
            if self._untold is None:
                self._latest_s = now_s + LATEST_S
            self._untold, self._due_s = capture, min(now_s + DELAY_S, self._latest_s)
        elif now_s - self._told_at_s >= _PERIOD_S:
            self._tell(capture)

    def tell_if_due(self) -> None:
        """Publish what was put off, once its time has come."""
        if self._untold is not None and self._now_s() >= self._due_s:
            self._tell(self._untold)
        elif self._repeats and self._told is not None:
            self._publish(self._told)
        self._repeats = False

    def repeat(self) -> None:
        """Let its thread publish what was told last once more. Callable from any thread."""
        self._repeats = True

    @property
    def patience_s(self) -> float | None:
        """How long its thread may sleep at most [s]; ``None``: nothing is put off."""
        return None if self._untold is None else DELAY_S

    def _tell(self, capture: CaptureInfo) -> None:
        self._told, self._untold, self._told_at_s = capture, None, self._now_s()
        self._publish(capture)


def _settings(capture: CaptureInfo) -> tuple[float, float, CommandId]:
    return capture.exposure_us, capture.gain_db, capture.exposure_command
