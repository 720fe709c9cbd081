"""A^H after its success: follows the light, so that the picture stays as bright as it was found good."""

from __future__ import annotations

from collections import deque

from dasha_ros.perception.percept import Percept
from dasha_ros.policies.policy import ExposureTask
from dasha_ros.policies.steady_light import steady_table

BAND = 1.3
"""The mean grey level may change by this factor without an answer: the dead band."""
LOOKS = 5
"""So many pictures in turn must be beyond the band on the same side: flicker is on both."""
FAR, FAR_LOOKS = 2.0, 3
"""A change by this factor is answered after so many pictures."""
MOST = 8.0
"""Greatest change of the exposure in one step, as a factor."""


class ExposureHolder:
    """Decides after each picture which exposure shall be in force.

    The picture was good at the mean grey level of its first `LOOKS` looks, so the object was exposed there;
    the exposure never makes it brighter or darker than that, it only follows the light.
    """

    def __init__(self, task: ExposureTask) -> None:
        """Nothing seen yet.

        Args:
            task: The goal that was reached; its table has the exposures that may be chosen.
        """
        self._task = task
        self._first: list[float] = []
        self._ratios: deque[float] = deque(maxlen=LOOKS)

    def act(self, percept: Percept) -> float:
        """The exposure time that shall be in force [us]: the present one, unless the light has changed."""
        capture, grey = percept.capture, max(percept.mean_grey, 0.5)
        exposure_us = self._task.table.asked_us(capture.exposure_us, capture.gain_db)
        if len(self._first) < LOOKS:
            # One picture alone may be the brightest or the darkest of a lamp that flickers.
            self._first.append(grey)
            return exposure_us
        self._ratios.append(sum(self._first) / LOOKS / grey)
        if not self._is_beyond(BAND, LOOKS) and not self._is_beyond(FAR, FAR_LOOKS):
            return exposure_us
        ratios = sorted(self._ratios)
        change = min(max(ratios[len(ratios) // 2], 1.0 / MOST), MOST)
        if self._is_beyond(FAR, FAR_LOOKS):
            change = min(max(self._ratios[-1], 1.0 / MOST), MOST)
        self._ratios.clear()
        table = steady_table(self._task, percept.flicker_hz)
        return table.exposure_us(table.nearest(exposure_us * change))

    def _is_beyond(self, factor: float, looks: int) -> bool:
        """Whether the last pictures were all too dark, or all too bright, by this factor."""
        newest = list(self._ratios)[-looks:]
        if len(newest) < looks:
            return False
        return min(newest) > factor or max(newest) < 1.0 / factor
