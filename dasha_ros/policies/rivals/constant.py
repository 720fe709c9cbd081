"""Rivals that ignore the pictures: one position of the lens, one exposure.

In the paper's band of distances (1.4..2.0 m: 0.214 D, 1.9 px of blur) one position
is within 2 px everywhere, so every result from that band needs this one for comparison.
"""

from __future__ import annotations

from dasha_ros.perception.percept import Percept
from dasha_ros.policies.policy import ExposureDecision, ExposureRule, ExposureTask, FocusTask
from dasha_ros.policies.search import ScriptedFocus, Search

PAPER_BAND_M = (1.4, 2.0)
"""Distances of the paper's experiments (paper, V.B)."""
PAPER_EXPOSURE_US = 40_000.0
"""Mid grey at f/2 in 62 lx, the middle (in stops) of the paper's 13..300 lx."""


class ConstantFocus(ScriptedFocus):
    """Moves once, always to the same place."""

    name = "constant"

    def __init__(self, position: float | None = None, band_m: tuple[float, float] = PAPER_BAND_M) -> None:
        """Choose the place.

        Args:
            position: Where to go; ``None``: the middle of the band, in dioptres.
            band_m: Nearest and farthest distance [m].
        """
        super().__init__()
        self._position, self._band_m = position, band_m

    def search(self, task: FocusTask, first: Percept) -> Search:
        """See the class."""
        middle = sum(1.0 / distance for distance in self._band_m) / 2.0
        position = task.lens.position(middle) if self._position is None else self._position
        last = first if first.lens.commanded_position == position else (yield position)
        return bool(last.of(task.labels, task.min_score))


class ConstantExposure:
    """Sets one exposure and keeps it."""

    name = "constant"
    rule: ExposureRule = "well_exposed"

    def __init__(self, exposure_us: float = PAPER_EXPOSURE_US) -> None:
        """``exposure_us``: the value of the table nearest to it is used [us]."""
        self._exposure_us = exposure_us
        self._index: int | None = None
        self._moved = False

    def reset(self, task: ExposureTask) -> None:
        """Begin a new episode."""
        self._index, self._moved = task.table.nearest(self._exposure_us), False

    def act(self, percept: Percept) -> ExposureDecision:
        """Decide from the percept that answers the last command.

        Raises:
            RuntimeError: `reset` was never called.
        """
        if self._index is None:
            raise RuntimeError("act before reset: a policy needs a task first")
        if self._moved:
            return ExposureDecision(self._index, done=True)
        self._moved = True
        return ExposureDecision(self._index)
