"""Whether the object of a goal was seen to be sharp, for the verdict on every policy.

The pictures of a goal are read as the policy ``plus`` reads them, by the models in its file, whatever policy
moves the lens. So a policy that follows the background, or a detector that prefers a blurred object, does
not end a goal as found.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.belief import belief_map, prior_of
from dasha_ros.estimation.cases import cases_of
from dasha_ros.estimation.detail_reading import core_cells
from dasha_ros.estimation.motion import Elapsed
from dasha_ros.estimation.own_sharpness import OwnSharpness
from dasha_ros.estimation.profile import Array
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.learned.focus_features import BeliefFeatureExtractor, ObjectPlace
from dasha_ros.policies.learned.learned_policy import ROW
from dasha_ros.policies.learned.policy_file import PolicyFile, PolicyInfo, shipped_policy
from dasha_ros.policies.policy import FocusTask


class ObjectEvidence:
    """What the pictures of one goal tell about the sharpness of its object."""

    def __init__(self, task: FocusTask) -> None:
        """Nothing seen yet.

        Raises:
            PolicyFileError: The policy ``plus`` is missing or damaged.
        """
        self._task, (_, self._reading) = task, shipped_belief()
        self._map = belief_map(task.lens)
        self._own = OwnSharpness(
            self._reading.model.detail,
            1,
            *prior_of(self._map),
            self._map.px_per_dioptre,
            cases=cases_of(self._map.blur_doubt, moving=True),
            scale=self._map.scale,
        )
        self._elapsed = Elapsed(1)
        self._place = ObjectPlace()
        self._here: Array = np.zeros(1)
        self._unread: list[tuple[Array, Array, NDArray[np.uint8]]] = []
        """Where the lens was in the pictures before the first detection, when, and their maps of detail."""

    def see(self, percept: Percept) -> None:
        """Take in the next picture of the goal."""
        waited = not self._place.is_known
        box, trust = self._place.look(percept, self._task)
        self._here = self._map.dioptres(np.array([percept.lens.commanded_position]))
        seconds = self._elapsed.see(ROW, np.array([percept.capture.stamp_ns / 1e9]))
        if waited and self._place.is_known:
            # Once the object is found, what earlier pictures show of its detail counts, too.
            self._own.reset(ROW)
            for here, then, detail in self._unread:
                self._add(here, then, detail, box, trust)
        elif waited:
            self._unread.append((self._here, seconds, percept.detail))
        self._add(self._here, seconds, percept.detail, box, trust)

    def _add(self, here: Array, seconds: Array, detail: NDArray[np.uint8], box: Array, trust: float) -> None:
        read = self._reading.detail_at((detail,), box)[0]
        self._own.add(ROW, here, read, np.array([trust]), np.array([core_cells(box)]), seconds=seconds)

    @property
    def probability(self) -> float:
        """Probability that the object is sharp in the last picture; NaN if its detail was never seen."""
        return float(self._own.probability(self._here)[0])


@cache
def shipped_belief() -> tuple[PolicyInfo, BeliefFeatureExtractor]:
    """What the policy ``plus`` was made for, and how it reads pictures, without its network.

    Raises:
        PolicyFileError: Its file is missing or damaged.
    """
    file = PolicyFile.load(shipped_policy("plus", "focus"), "focus")
    return file.info, BeliefFeatureExtractor.from_arrays(file.info.encoder, file.fitted)
