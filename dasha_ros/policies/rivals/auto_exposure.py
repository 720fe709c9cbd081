"""The auto exposure that cameras have built in: rivals of A^H.

Both know only the mean grey, as a camera's auto function does (its target value is a
parameter of the camera, 50..205 on the paper's), and both stop by the same rule as
every other A^H policy: at the first well-exposed picture. The real function never stops;
counting its steps needs an end, and one end for all is fair.
"""

from __future__ import annotations

from dasha_ros.optics.exposure import ExposureTable
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.classical.exposure import TARGET_GREY
from dasha_ros.policies.policy import ExposureDecision, ExposureRule, ExposureTask
from dasha_ros.policies.reached import exposure_side

MAX_RATIO = 8.0
"""Largest change of exposure in one step of the continuous mode (3 EV)."""
BLACK_GREY = 1.0
"""Darker means count as this: the ratio to black is without meaning."""


class _AutoExposure:
    """What both modes share."""

    name: str
    rule: ExposureRule = "well_exposed"

    def __init__(self) -> None:
        self._table: ExposureTable | None = None

    def reset(self, task: ExposureTask) -> None:
        """Begin a new episode."""
        self._table = task.table

    def act(self, percept: Percept) -> ExposureDecision:
        """Decide from the percept that answers the last command.

        Raises:
            ValueError: The percept's exposure is not a positive number.
            RuntimeError: `reset` was never called.
        """
        if (table := self._table) is None:
            raise RuntimeError("act before reset: a policy needs a task first")
        here = table.nearest(percept.capture.exposure_us)
        side = exposure_side(self.rule, percept)
        if side == 0:
            return ExposureDecision(here, done=True)
        aim = self._aim(table, here, side, percept)
        # Nowhere left to go: the light is beyond the table, or no exposure is right.
        return ExposureDecision(aim) if aim != here else ExposureDecision(here, done=True)

    def _aim(self, table: ExposureTable, here: int, side: int, percept: Percept) -> int:
        """The index of the next exposure."""
        raise NotImplementedError


class MeanGreyExposure(_AutoExposure):
    """Continuous mode: every frame scales the exposure by target over mean grey."""

    name = "auto_mean_grey"

    def _aim(self, table: ExposureTable, here: int, side: int, percept: Percept) -> int:
        ratio = TARGET_GREY / max(percept.mean_grey, BLACK_GREY)
        if side > 0:
            ratio = min(ratio, 1.0)  # Too many bright pixels at a mean below the target.
        aim = table.nearest(percept.capture.exposure_us * min(max(ratio, 1.0 / MAX_RATIO), MAX_RATIO))
        if aim != here:
            return aim
        return min(max(here - side, 0), len(table) - 1)


class OnceExposure(_AutoExposure):
    """Once mode: bisection of the table between "too dark" and "too bright"."""

    name = "auto_once"

    def __init__(self) -> None:
        """No episode yet."""
        super().__init__()
        self._least, self._most = 0, 0

    def reset(self, task: ExposureTask) -> None:
        """Begin a new episode: every exposure of the table is possible."""
        super().reset(task)
        self._least, self._most = 0, len(task.table) - 1

    def _aim(self, table: ExposureTable, here: int, side: int, percept: Percept) -> int:
        if side < 0:
            self._least = max(self._least, here + 1)
        else:
            self._most = min(self._most, here - 1)
        return (self._least + self._most) // 2 if self._least <= self._most else here
