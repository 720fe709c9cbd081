"""Golden-section search of the whole-frame contrast (Kiefer, 1953).

It needs a contrast curve with one peak: with two depths it may end at either. It searches in dioptres, in
which the contrast curve of a plane is symmetric.
"""

from __future__ import annotations

import math

from dasha_ros.perception.percept import Percept
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.search import ScriptedFocus, Search, search_range

RATIO = (math.sqrt(5.0) - 1.0) / 2.0
TOLERANCE_PX = 1.5
"""The search ends when the remaining range is narrower than this change of blur radius."""


class GoldenSectionFocus(ScriptedFocus):
    """Shrinks the range by the golden ratio with every look."""

    name = "golden_section"

    def search(self, task: FocusTask, first: Percept) -> Search:
        """See the class."""
        lens = task.lens
        low, high = sorted(lens.dioptres(position) for position in search_range(lens))
        inner = [high - RATIO * (high - low), low + RATIO * (high - low)]
        if abs(first.lens.commanded_position - lens.position(inner[0])) <= abs(
            first.lens.commanded_position - lens.position(inner[1])
        ):
            left = (yield lens.position(inner[0])).sharpness
            right = (yield lens.position(inner[1])).sharpness
        else:
            right = (yield lens.position(inner[1])).sharpness
            left = (yield lens.position(inner[0])).sharpness
        while abs(lens.blur_px(high, low)) > TOLERANCE_PX:
            if left >= right:
                high, inner[1], right = inner[1], inner[0], left
                inner[0] = high - RATIO * (high - low)
                left = (yield lens.position(inner[0])).sharpness
            else:
                low, inner[0], left = inner[0], inner[1], right
                inner[1] = low + RATIO * (high - low)
                right = (yield lens.position(inner[1])).sharpness
        last = yield lens.position((low + high) / 2.0)
        return bool(last.of(task.labels, task.min_score))
