"""The protocols of policies: classical, learned and rival ones alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.optics.lens import LensModel
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.selection import EVERYTHING, Selection

MIN_SCORE = 0.3
"""Least score of an object, if a goal names none."""
ExposureRule = Literal["well_exposed", "acceptable", "good_peak"]
"""When A^H has reached its goal; see `policies.reached`."""


@dataclass(frozen=True, slots=True)
class ExposureTask:
    """A goal of A^H, and what it may use."""

    table: ExposureTable
    max_steps: int = 12
    heeds_flicker: bool = True
    """Whether exposures shall fit the flicker of the light, where perception saw one
    (`policies.steady_light`)."""


@dataclass(frozen=True, slots=True)
class ExposureDecision:
    """The next exposure, or the end."""

    index: int
    """Index in the task's exposure table (paper IV.B: 146 values)."""
    done: bool = False
    """The policy stops; ``index`` is already active. Whether the picture is good enough is decided by
    ``rule``, not by the policy."""


class ExposurePolicy(Protocol):
    """A policy of A^H. Holds the state of one episode."""

    name: str

    @property
    def rule(self) -> ExposureRule:
        """The rule by which its goals are judged."""
        ...

    def reset(self, task: ExposureTask) -> None:
        """Begin a new episode."""
        ...

    def act(self, percept: Percept) -> ExposureDecision:
        """Decide from the percept that answers the last command."""
        ...


@dataclass(frozen=True, slots=True)
class FocusTask:
    """A goal of A^L, and what it may use."""

    lens: LensModel
    """Positions outside its limits are not searched, wherever it is at the start (`optics.limited_lens`)."""
    labels: frozenset[str] = field(default_factory=frozenset)
    """Objects to look for; empty: any."""
    min_score: float = MIN_SCORE
    max_brisque: float = 100.0
    min_sharp: float = 0.3
    """Least probability that the object itself is sharp where a goal ends as found (`policies.reached`)."""
    max_steps: int = 60
    selection: Selection = EVERYTHING
    """What else counts in a picture. Policies see only what counts, the most wanted first."""


@dataclass(frozen=True, slots=True)
class FocusDecision:
    """The next lens position, or the end."""

    position: float
    done: bool = False
    """The policy stops; ``position`` is already active."""
    found: bool = False
    """With ``done``: whether the object was found."""


class FocusPolicy(Protocol):
    """A policy of A^L. Holds the state of one episode."""

    name: str

    def reset(self, task: FocusTask) -> None:
        """Begin a new episode."""
        ...

    def act(self, percept: Percept) -> FocusDecision:
        """Decide from the percept that answers the last command."""
        ...


@runtime_checkable
class HasBelief(Protocol):
    """A policy of A^L that can say where it expects the object's focus."""

    def belief(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Focus positions [1/m], evenly spaced, and the probability of each, both of shape (h,).

        ``None`` before the first percept of an episode, and if this policy has no belief after all.
        """
        ...
