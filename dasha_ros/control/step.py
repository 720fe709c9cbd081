"""The records of one goal of one agent: its steps and its outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dasha_ros.perception.percept import Detection, Percept
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureDecision, FocusDecision
from dasha_ros.policies.rewards import Reward

HIGH_LEVEL = "A^H"
"""The agent that sets the exposure."""
LOW_LEVEL = "A^L"
"""The agent that moves the lens."""
EXPOSURE_US, LENS_POSITION = "exposure_us", "lens_position"
"""What commands set."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a step."""

    name: str
    """`EXPOSURE_US` or `LENS_POSITION`: the quantity; a position is in the lens's own unit."""
    value: float


@dataclass(frozen=True, slots=True)
class Step:
    """One percept, the command that led to it, and the decision that followed."""

    agent: str
    """`HIGH_LEVEL` or `LOW_LEVEL`."""
    index: int
    """Number of the command; 0 for the settings at the start."""
    command: Command | None
    """The command that ``percept`` answers; ``None`` in step 0."""
    percept: Percept
    reward: Reward
    """Reward of ``percept`` by Eq. 7 or 8."""
    decision: ExposureDecision | FocusDecision
    """The policy's decision on ``percept``."""


@dataclass(frozen=True, slots=True)
class ExposureOutcome:
    """How a goal of A^H ended."""

    code: ErrorCode
    message: str
    """What happened and what to do; empty on success."""
    steps: int = 0
    """Number of commands that were answered."""
    percept: Percept | None = None
    """The newest valid percept; ``None`` if there was none."""


@dataclass(frozen=True, slots=True)
class FocusOutcome:
    """How a goal of A^L ended."""

    code: ErrorCode
    message: str
    """What happened and what to do; empty on success."""
    steps: int = 0
    """Number of commands that were answered."""
    percept: Percept | None = None
    """The newest valid percept; ``None`` if there was none."""
    detection: Detection | None = None
    """The best detection of a wanted object in ``percept``."""
    hold_steps: int = 0
    """Number of commands while the object was held."""


OnStep = Callable[[Step], None]
"""Called with every step as soon as it is complete."""
Interrupt = Callable[[], "ErrorCode | None"]
"""Asked before every command and after every percept; returns why to stop now, or ``None`` to go on."""
