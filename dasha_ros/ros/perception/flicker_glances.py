"""Glances at the pictures that nobody waits for: whether the light flickers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from dasha_ros.freshness.state import CaptureInfo
from dasha_ros.optics.lens import WORKING_WIDTH_PX
from dasha_ros.perception.errors import ImageError
from dasha_ros.perception.image import working_image
from dasha_ros.perception.quality.flicker import FlickerWatch
from dasha_ros.ros.transport.image import ImageMessageError, pixels_of

_EVERY_NS = 100_000_000
"""Least time between two glances: a fast stream shall not cost more than that."""


class FlickerGlances(FlickerWatch):
    """A `FlickerWatch` that looks at messages. A glance takes 1 ms, and 2 ms more while the light changes."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        """``now_ns``: A steady clock [ns]."""
        super().__init__()
        self._now_ns, self._next_ns = now_ns, 0

    @property
    def hz(self) -> float:
        """How often the light flickers [Hz]; 0: not that anybody saw."""
        return 0.0 if self.seen is None else self.seen.hz

    def glance(self, image: Any, capture: CaptureInfo) -> None:
        """Look at a picture that nobody waits for, if the last glance was long enough ago.

        Args:
            image: The message.
            capture: What made it.
        """
        now_ns = self._now_ns()
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + _EVERY_NS
        # Whoever reads the picture reports one that can't be read.
        with suppress(ImageMessageError, ImageError):
            self.see(working_image(pixels_of(image), image.encoding, WORKING_WIDTH_PX), capture)

    def values(self) -> Mapping[str, Any]:
        """For the diagnostics."""
        if (seen := self.seen) is None:
            return {}
        return {"flicker_hz": seen.hz, "flicker_depth": round(seen.depth, 2)}
