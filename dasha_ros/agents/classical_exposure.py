"""A^H without learning: a histogram controller on the exposure table.

Why not simply Eq. 7's peak in 50..150: the fullest of ten bins jumps between the
modes of a scene, and in 4 of 17 photographs no exposure puts it there. The mean
grey and the share of bright pixels grow steadily with the exposure instead, so
that some exposure of the table always satisfies both (see `well_exposed`).
"""

from __future__ import annotations

import numpy as np

from dasha_ros.agents.policy import ExposureDecision, ExposureTask
from dasha_ros.optics.exposure import ExposureTable
from dasha_ros.perception.percept import Percept

MEAN_GREY = (60.0, 150.0)
"""Mean grey levels of a well-exposed picture."""
TARGET_GREY = 100.0
"""Mean grey level that the controller aims at: the middle of Eq. 7's best interval."""
BRIGHT_LEVEL = 229.0
"""Bins that begin here or above hold what is clipped or about to be: the last of ten bins over 0..255."""
MAX_BRIGHT_SHARE = 0.3
"""Largest share of bright pixels in a well-exposed picture."""
BLACK_GREY = 1.5
"""Below this mean a picture holds little but read noise and says only "far too dark"."""
MAX_RATIO = 64.0
"""Largest change of exposure in one step (6 EV), for pictures that are black."""
MIN_OPEN_SHARE = 1.0 / 16.0
"""How much of a clipped picture is taken to be still in range; bounds the way down to 5 EV."""


def bright_share(percept: Percept) -> float:
    """Share of the pixels that are clipped or nearly so, 0..1."""
    counts = np.asarray(percept.histogram_counts, dtype=np.float64)
    total = counts.sum()
    if total <= 0:
        return 0.0
    return float(counts[percept.histogram_edges[:-1] >= BRIGHT_LEVEL].sum() / total)


def exposure_error(percept: Percept) -> int:
    """-1: too dark, 0: well exposed, +1: too bright.

    Never falls when the exposure grows. Between the two limits there is always room: where
    30 % of the pixels just reach `BRIGHT_LEVEL`, the mean is at least 0.3 * 229 = 69 > 60.
    """
    if percept.mean_grey < MEAN_GREY[0]:
        return -1
    if percept.mean_grey > MEAN_GREY[1] or bright_share(percept) > MAX_BRIGHT_SHARE:
        return 1
    return 0


def well_exposed(percept: Percept) -> bool:
    """Whether the mean grey is in 60..150 and at most 30 % of the pixels are clipped or nearly so."""
    return exposure_error(percept) == 0


class HistogramExposure:
    """Jumps to where a linear sensor would be well exposed, inside what is still possible.

    Every percept excludes the exposures on one side of its own, so the search ends: at a good
    picture, or when no untried exposure is left between "too dark" and "too bright".
    """

    name = "histogram"

    def __init__(self) -> None:
        self._table: ExposureTable | None = None
        self._too_dark, self._too_bright = -1, 0
        self._linear: tuple[float, float] | None = None

    def reset(self, task: ExposureTask) -> None:
        """Begin a new episode: every exposure of the table is possible."""
        self._table = task.table
        self._too_dark, self._too_bright = -1, len(task.table)
        self._linear = None

    def act(self, percept: Percept) -> ExposureDecision:
        """Decide from the percept that answers the last command.

        Raises:
            ValueError: The percept's exposure is not a positive number.
            RuntimeError: `reset` was never called.
        """
        if (table := self._table) is None:
            raise RuntimeError("act before reset: a policy needs a task first")
        here = table.nearest(percept.capture.exposure_us)
        error = exposure_error(percept)
        if error == 0:
            return ExposureDecision(here, done=True, reached=True)
        if error < 0:
            self._too_dark = max(self._too_dark, here)
        else:
            self._too_bright = min(self._too_bright, here)
        least, most = self._too_dark + 1, self._too_bright - 1
        if least > most:
            return ExposureDecision(here, done=True)
        aim = table.nearest(self._aim_us(percept))
        if not least <= aim <= most:
            both_sides_known = self._too_dark >= 0 and self._too_bright < len(table)
            aim = (least + most) // 2 if both_sides_known else min(max(aim, least), most)
        return ExposureDecision(aim)

    def _aim_us(self, percept: Percept) -> float:
        """Exposure [us] at which a linear sensor would show `TARGET_GREY`."""
        exposure_us, grey = percept.capture.exposure_us, percept.mean_grey
        bright = bright_share(percept)
        if bright > 0.0:
            # What is clipped could be any amount brighter than it looks: the more of it, the farther down.
            return exposure_us * TARGET_GREY / grey * max(1.0 - bright, MIN_OPEN_SHARE)
        before, self._linear = self._linear, (exposure_us, grey)
        if grey < BLACK_GREY:
            return exposure_us * MAX_RATIO
        if before is not None and before[1] >= BLACK_GREY:
            # Two pictures in range also tell the black level, which one cannot.
            slope = (grey - before[1]) / (exposure_us - before[0]) if exposure_us != before[0] else 0.0
            if slope > 0.0:
                return _limited(exposure_us + (TARGET_GREY - grey) / slope, exposure_us)
        return _limited(exposure_us * TARGET_GREY / grey, exposure_us)


def _limited(aim_us: float, exposure_us: float) -> float:
    return min(max(aim_us, exposure_us / MAX_RATIO), exposure_us * MAX_RATIO)
