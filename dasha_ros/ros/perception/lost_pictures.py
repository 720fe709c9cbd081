"""Notices that no picture of the camera driver arrives any more.

The camera driver tells of each picture in a small message, too. If these arrive and the pictures do not,
goals fail although both nodes work: the middleware has too little shared memory for a picture, or a network
drops its pieces.
"""

from __future__ import annotations

from collections.abc import Callable

from dasha_ros.ros.node.condition import Condition, warning

_LEAST, _LEAST_NS = 5, 3_000_000_000
"""So many pictures, over so long a time [ns], are no single loss and no change of order."""
_OVER_NS = 10_000_000_000
"""Whoever takes no more pictures for so long [ns] loses none: the camera is paused, or was ended."""
SENTENCE = (
    "perception hears that the camera takes pictures, but gets none of them. On one machine, start both "
    "nodes with the launch file or `dasha up`, or give your own middleware profile shared memory for whole "
    "pictures, as config/fastdds.xml does. Between machines, make camera/image_raw reliable at both ends "
    "(qos_overrides)"
)


class LostPictures:
    """Counts the pictures that were heard of since the last one came. One thread tells it; any may ask."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        """``now_ns``: A steady clock [ns]."""
        self._now_ns = now_ns
        self._count = 0
        self._first_ns = self._last_ns = 0
        """When the first and the last picture were heard of since one came [ns]."""

    def came(self) -> None:
        """Note that a picture came. Those before it may have been left out, because a newer one counts."""
        self._count = 0

    def told(self) -> None:
        """Note that a picture was made. The picture itself may come before or after this word of it."""
        self._last_ns = self._now_ns()
        if self._count == 0:
            self._first_ns = self._last_ns
        self._count += 1

    def condition(self) -> Condition | None:
        """A warning while no picture arrives."""
        are_lost = (
            self._count >= _LEAST
            and self._last_ns - self._first_ns >= _LEAST_NS
            and self._now_ns() - self._last_ns < _OVER_NS
        )
        return warning(SENTENCE) if are_lost else None
