"""The auto exposure of cameras: rivals of A^H.

Both know only the mean grey level, as a camera's auto function does (its target is a parameter of the
camera, 50..205 on the paper's). Both stop like every other A^H policy: at the first well-exposed picture. The
real function never stops, but counting its steps needs an end, and the same end for all is fair.
"""

from __future__ import annotations

from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.exposure_search import ExposureSearch
from dasha_ros.policies.reached import TARGET_GREY, Side

MAX_RATIO = 8.0
"""Largest change of exposure in one step of the continuous mode (3 EV)."""
BLACK_GREY = 1.0
"""Darker means count as this, because a ratio to black is meaningless."""


class MeanGreyExposure(ExposureSearch):
    """Continuous mode: every frame scales the exposure by target over mean grey."""

    name = "auto_mean_grey"

    def next(self, table: ExposureTable, here: int, side: Side, percept: Percept) -> int | None:
        """See `ExposureSearch`."""
        ratio = TARGET_GREY / max(percept.mean_grey, BLACK_GREY)
        if side > 0:
            ratio = min(ratio, 1.0)  # Too many bright pixels at a mean below the target.
        aim = table.nearest(table.exposure_us(here) * min(max(ratio, 1.0 / MAX_RATIO), MAX_RATIO))
        if aim == here:
            aim = min(max(here - side, 0), len(table) - 1)
        return aim if aim != here else None


class OnceExposure(ExposureSearch):
    """Once mode: bisection of the table between "too dark" and "too bright"."""

    name = "auto_once"

    def __init__(self) -> None:
        """No episode yet."""
        super().__init__()
        self._least, self._most = 0, 0

    def begin(self, table: ExposureTable) -> None:
        """See `ExposureSearch`."""
        self._least, self._most = 0, len(table) - 1

    def next(self, table: ExposureTable, here: int, side: Side, percept: Percept) -> int | None:
        """See `ExposureSearch`."""
        if side < 0:
            self._least = max(self._least, here + 1)
        else:
            self._most = min(self._most, here - 1)
        aim = (self._least + self._most) // 2 if self._least <= self._most else here
        return aim if aim != here else None
