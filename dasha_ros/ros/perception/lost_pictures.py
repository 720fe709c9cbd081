"""Notices that pictures get lost between the camera driver and this node.

The camera driver tells of each picture in a small message, too. If these come and the pictures do not, goals
fail although both nodes work: the middleware has too little shared memory for a picture, or a network drops
its pieces.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from dasha_ros.ros.node.condition import Condition, warning

_LOOK_NS = 250_000_000
"""Least time between two looks [ns]: of a fast stream, only the newest picture is taken."""
_LOOKS = 12
_ARE_LOST, _ARE_THERE = 6, 2
"""Of the last looks, so many without a picture are too many, and so few are no trouble."""
SENTENCE = (
    "pictures get lost between camera_driver and perception, which hears of them. On one machine, "
    "start both with the launch file or `dasha up`, or give your own middleware profile shared memory for "
    "whole pictures, as config/fastdds.xml does. Between machines, make camera/image_raw reliable at both "
    "ends (qos_overrides)"
)


class LostPictures:
    """Compares the pictures that were heard of with those that came. One thread tells it; any may ask."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        """``now_ns``: A steady clock [ns]."""
        self._now_ns = now_ns
        self._looked_ns: int | None = None
        self._has_come = False
        """Whether a picture came since the last look."""
        self._missed: deque[bool] = deque(maxlen=_LOOKS)
        self._are_lost = False

    def came(self) -> None:
        """Note that a picture came."""
        self._has_come = True

    def told(self) -> bool:
        """Note that a picture was made; returns whether the condition changed.

        The picture itself may come before or after this word of it.
        """
        now_ns = self._now_ns()
        if self._looked_ns is not None:
            if now_ns - self._looked_ns < _LOOK_NS:
                return False
            self._missed.append(not self._has_come)
        self._looked_ns, self._has_come = now_ns, False
        were_lost = self._are_lost
        self._are_lost = sum(self._missed) > (_ARE_THERE if were_lost else _ARE_LOST - 1)
        return self._are_lost != were_lost

    def condition(self) -> Condition | None:
        """A warning while pictures get lost."""
        return warning(SENTENCE) if self._are_lost else None
