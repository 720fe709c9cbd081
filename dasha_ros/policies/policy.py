"""What a policy is: the one protocol behind classical, learned and rival policies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from dasha_ros.optics.exposure import ExposureTable
from dasha_ros.optics.lens import LensModel
from dasha_ros.perception.percept import Percept

ExposureRule = Literal["well_exposed", "acceptable", "good_peak"]
"""When A^H has reached its goal; `policies.reached` says what each means."""


@dataclass(frozen=True, slots=True)
class ExposureTask:
    """What A^H is asked for, and what it may use."""

    table: ExposureTable
    max_steps: int = 12


@dataclass(frozen=True, slots=True)
class ExposureDecision:
    """The next exposure, or the end."""

    index: int
    """Into the task's exposure table (paper IV.B: 146 values)."""
    done: bool = False
    """The picture is as good as this policy makes it; ``index`` is in force already. Whether that is good
    enough is not the policy's to say: its ``rule`` is asked."""


class ExposurePolicy(Protocol):
    """A^H's mind. Holds the state of one episode."""

    name: str

    @property
    def rule(self) -> ExposureRule:
        """What it aims at: its goals are judged by it."""
        ...

    def reset(self, task: ExposureTask) -> None:
        """Begin a new episode."""
        ...

    def act(self, percept: Percept) -> ExposureDecision:
        """Decide from the percept that answers the last command."""
        ...


@dataclass(frozen=True, slots=True)
class FocusTask:
    """What A^L is asked for, and what it may use."""

    lens: LensModel
    labels: frozenset[str] = field(default_factory=frozenset)
    """Objects to look for; empty: any."""
    min_score: float = 0.3
    max_brisque: float = 100.0
    max_steps: int = 60


@dataclass(frozen=True, slots=True)
class FocusDecision:
    """The next lens position, or the end."""

    position: float
    done: bool = False
    """The lens rests where this policy wants it; ``position`` is in force already."""
    found: bool = False
    """With ``done``: the object is there. Without: the search ended with nothing."""


class FocusPolicy(Protocol):
    """A^L's mind. Holds the state of one episode."""

    name: str

    def reset(self, task: FocusTask) -> None:
        """Begin a new episode."""
        ...

    def act(self, percept: Percept) -> FocusDecision:
        """Decide from the percept that answers the last command."""
        ...
