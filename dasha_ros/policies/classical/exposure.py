"""A^H without learning: a histogram controller on the exposure table.

It does not aim at Eq. 7's peak in 50..150: the fullest of ten bins jumps between the modes of a scene, and
in 4 of 17 photographs no exposure puts it there. The mean grey level and the share of bright pixels grow
steadily with the exposure, so that some exposure of the table always satisfies both (see `reached`).
"""

from __future__ import annotations

from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.exposure_search import ExposureSearch
from dasha_ros.policies.reached import BLACK_GREY, MIN_OPEN_SHARE, TARGET_GREY, Side, bright_share, shares_of

MAX_RATIO = 64.0
"""Largest change of exposure in one step (6 EV), for pictures that are black."""


class HistogramExposure(ExposureSearch):
    """Jumps to where a linear sensor would be well exposed, within the exposures that are still possible.

    Every picture excludes the exposures on one side of its own, so the search ends: with a good picture, or
    when no untried exposure is left between "too dark" and "too bright".
    """

    name = "histogram"

    def __init__(self) -> None:
        """No episode yet."""
        super().__init__()
        self._too_dark, self._too_bright = -1, 0
        self._linear: tuple[float, float] | None = None

    def begin(self, table: ExposureTable) -> None:
        """See `ExposureSearch`."""
        self._too_dark, self._too_bright = -1, len(table)
        self._linear = None

    def next(self, table: ExposureTable, here: int, side: Side, percept: Percept) -> int | None:
        """See `ExposureSearch`."""
        if side < 0:
            self._too_dark = max(self._too_dark, here)
        else:
            self._too_bright = min(self._too_bright, here)
        least, most = self._too_dark + 1, self._too_bright - 1
        if least > most:
            return None
        aim = table.nearest(self._aim_us(table.exposure_us(here), percept))
        if least <= aim <= most:
            return aim
        both_sides_known = self._too_dark >= 0 and self._too_bright < len(table)
        return (least + most) // 2 if both_sides_known else min(max(aim, least), most)

    def _aim_us(self, exposure_us: float, percept: Percept) -> float:
        """Exposure [us] that shows `TARGET_GREY` on a linear sensor; ``exposure_us`` made the picture."""
        grey = percept.mean_grey
        bright = float(bright_share(shares_of(percept.histogram_counts)))
        if bright > 0.0:
            # Clipped pixels may be brighter than they look: the more of them, the larger the step down.
            return exposure_us * TARGET_GREY / grey * max(1.0 - bright, MIN_OPEN_SHARE)
        before, self._linear = self._linear, (exposure_us, grey)
        if grey < BLACK_GREY:
            return exposure_us * MAX_RATIO
        if before is not None and before[1] >= BLACK_GREY:
            # Two pictures in range also tell the black level; one alone does not.
            slope = (grey - before[1]) / (exposure_us - before[0]) if exposure_us != before[0] else 0.0
            if slope > 0.0:
                return _limited(exposure_us + (TARGET_GREY - grey) / slope, exposure_us)
        return _limited(exposure_us * TARGET_GREY / grey, exposure_us)


def _limited(aim_us: float, exposure_us: float) -> float:
    return min(max(aim_us, exposure_us / MAX_RATIO), exposure_us * MAX_RATIO)
