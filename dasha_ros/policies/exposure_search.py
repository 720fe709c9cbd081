"""What exposure policies without learning share: look, stop when the rule is satisfied, else go on."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.policy import ExposureDecision, ExposureRule, ExposureTask
from dasha_ros.policies.reached import Side, exposure_side


class ExposureSearch(ABC):
    """An A^H policy that stops at the first picture that satisfies its rule."""

    name: str
    rule: ExposureRule = "well_exposed"

    def __init__(self) -> None:
        """No episode yet."""
        self._table: ExposureTable | None = None
        self._alike: tuple[NDArray[np.intp], NDArray[np.intp]]

    def reset(self, task: ExposureTask) -> None:
        """Begin a new episode: every exposure of the table is possible."""
        self._table, self._alike = task.table, task.table.alike()
        self.begin(task.table)

    def act(self, percept: Percept) -> ExposureDecision:
        """Decide from the percept that answers the last command.

        Raises:
            ValueError: The percept's exposure is not a positive number.
            RuntimeError: `reset` was never called.
        """
        if (table := self._table) is None:
            raise RuntimeError("act before reset: a policy needs a task first")
        here = table.seen(percept.capture.exposure_us, percept.capture.gain_db)
        side = exposure_side(self.rule, percept)
        first, last = self._alike
        # Of the values that make this exposure, the one next to those that are left to try.
        edge = here if side == 0 else int(last[here] if side < 0 else first[here])
        aim = None if side == 0 else self.next(table, edge, side, percept)
        return ExposureDecision(here, done=True) if aim is None else ExposureDecision(aim)

    def begin(self, table: ExposureTable) -> None:  # noqa: B027 - most policies remember nothing
        """Forget the episode before."""

    @abstractmethod
    def next(self, table: ExposureTable, here: int, side: Side, percept: Percept) -> int | None:
        """The index of the next exposure; ``None``: no exposure is left to try.

        Args:
            table: What can be commanded.
            here: Index of the exposure that made the picture.
            side: -1: too dark, +1: too bright.
            percept: Percept of the picture.
        """
