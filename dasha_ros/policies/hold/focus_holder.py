"""A^L after its success: keeps an object sharp that moves, or whose focus drifts, and else does not move."""

from __future__ import annotations

import math

import numpy as np

from dasha_ros.estimation.belief import belief_map
from dasha_ros.estimation.detail_reading import object_detail
from dasha_ros.estimation.focus_track import FocusTrack
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.learned.focus_features import ObjectPlace
from dasha_ros.policies.learned.object_evidence import shipped_belief
from dasha_ros.policies.policy import FocusTask

FIRST_LOOKS = 3
"""Pictures whose mean reading is what sharp means for this object."""
BAND = 1.3
"""Pictures brighter or darker than that in which the object was found, by this factor, tell no blur."""
RELIT_S = 2.0
"""If they stay so for so long [s], nobody brings the exposure back, and the reading may have shifted."""
BLIND_S = 0.5
"""The object's place is not foretold further than this [s]."""


class FocusHolder:
    """Decides after each picture where the lens shall be. Begins where the object was found sharp."""

    def __init__(self, task: FocusTask) -> None:
        """Nothing seen yet.

        Args:
            task: The goal that was reached. Pictures come through its `Choice`.

        Raises:
            PolicyFileError: The policy ``plus``, whose reading of blur is used, is missing or damaged.
        """
        self._task, (_, self._reads) = task, shipped_belief()
        self._map = belief_map(task.lens)
        self._place = ObjectPlace()
        self._first: list[float] = []
        self._track: FocusTrack | None = None
        self._last_ns: int | None = None
        self._pace_s = 0.0
        self._grey, self._sharp = 1.0, 0.0
        self._other_s = self._blind_s = 0.0
        self.sharpness = math.nan
        """Of the object in the newest picture: 1 as it was found, less where it is more blurred; NaN where it
        was never seen."""

    def act(self, percept: Percept) -> float:
        """Where the lens shall be, in its unit: where it is, unless the object is likelier sharp elsewhere.

        Args:
            percept: The newest picture.
        """
        here = percept.lens.commanded_position
        box, _ = self._place.look(percept, self._task)
        reading = float(self._reads.detail(object_detail(percept.detail, box)[None])[0, 0])
        elapsed = self._elapsed(percept)
        focus = float(self._map.dioptres(np.array([here]))[0])
        if self._track is None:
            self._begin(percept, focus, reading)
            return here
        if not self._is_lit(percept, elapsed):
            reading = math.nan
        self._track.see(elapsed, focus, reading)
        if math.isfinite(reading):
            self.sharpness, self._blind_s = min(1.0, math.exp(self._sharp - reading)), 0.0
        else:
            self._blind_s += elapsed
        aim = self._track.aim(focus, min(self._pace_s, BLIND_S))
        if self._blind_s > BLIND_S or not aim.is_elsewhere:
            return here
        position = float(self._map.position(np.array([aim.dioptres]))[0])
        return min(max(position, self._task.lens.position_min), self._task.lens.position_max)

    def _begin(self, percept: Percept, focus: float, reading: float) -> None:
        if math.isfinite(reading):
            self._first.append(reading)
        if len(self._first) == FIRST_LOOKS:
            self._sharp = sum(self._first) / FIRST_LOOKS
            self._track = FocusTrack(self._reads.model.detail, self._map, focus, self._sharp)
            self.sharpness, self._grey = 1.0, max(percept.mean_grey, 1.0)

    def _elapsed(self, percept: Percept) -> float:
        """Time since the last picture [s]; keeps how long a picture usually takes."""
        now_ns = percept.capture.stamp_ns
        elapsed = 0.0 if self._last_ns is None else max(0.0, (now_ns - self._last_ns) / 1e9)
        self._last_ns = now_ns
        if elapsed > 0.0:
            self._pace_s = elapsed if self._pace_s == 0.0 else 0.8 * self._pace_s + 0.2 * elapsed
        return elapsed

    def _is_lit(self, percept: Percept, elapsed: float) -> bool:
        """Whether the picture is as bright as the object was found in, or has been another way for long."""
        grey = max(percept.mean_grey, 1.0)
        if max(grey / self._grey, self._grey / grey) <= BAND:
            self._other_s = 0.0
            return True
        self._other_s += elapsed
        if self._other_s < RELIT_S:
            return False
        assert self._track is not None
        self._track.relit()
        self._grey, self._other_s = grey, 0.0
        return True
