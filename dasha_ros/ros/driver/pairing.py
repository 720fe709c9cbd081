"""Joins pictures and the metadata that come for them on another topic, by their stamps."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import replace

from dasha_ros.ros.driver.port import DriverPicture, Told

KEPT = 4
"""Pictures that wait; a computer that is too slow loses the oldest."""
_TOLD_KEPT = 64
_PATIENCE = 2
"""A picture whose metadata have not come when as many later ones are there has none."""
_TRIAL = 12
"""A driver none of whose first pictures had metadata publishes none, so nothing waits for them."""


class Pairing:
    """Pictures in the order of arrival, each with its metadata if there are any.

    Metadata may come before or after their picture. Not safe for threads.
    """

    def __init__(self, has_metadata: bool) -> None:
        """Begin with nothing.

        Args:
            has_metadata: Whether the driver may publish metadata.
        """
        self._expects = has_metadata
        self._pictures: deque[tuple[int, Callable[[], DriverPicture]]] = deque(maxlen=KEPT)
        self._told: OrderedDict[int, Told] = OrderedDict()
        self._met = 0
        """Pictures without metadata since the beginning; -1: one had some."""

    def picture(self, stamp: int, make: Callable[[], DriverPicture]) -> None:
        """A picture arrived; ``make`` reads it when it is wanted."""
        self._pictures.append((stamp, make))

    def told(self, stamp: int, told: Told) -> None:
        """Metadata arrived."""
        self._told[stamp] = told
        while len(self._told) > _TOLD_KEPT:
            self._told.popitem(last=False)

    def clear(self) -> int:
        """Throw away every picture; returns how many. Their metadata may yet come and mean nothing."""
        count = len(self._pictures)
        self._pictures.clear()
        return count

    def take(self) -> DriverPicture | None:
        """The oldest picture, once its metadata are there or are no longer expected."""
        if not self._pictures:
            return None
        stamp, make = self._pictures[0]
        told = self._told.get(stamp)
        if told is None and self._expects and len(self._pictures) <= _PATIENCE:
            return None
        self._pictures.popleft()
        if told is not None:
            self._met, self._expects = -1, True
        elif self._met >= 0:
            self._met += 1
            self._expects = self._expects and self._met < _TRIAL
        return replace(make(), told=told)
