"""The settings of camera and lens that made a frame.

Stamps are integer nanoseconds since 1970, or of simulated time, and only for people. Senders and their
running numbers tell which command, frame or state came first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from dasha_ros.freshness.command import NO_COMMAND, CommandId, FrameId


@dataclass(frozen=True, slots=True)
class LensMove:
    """Identifies a move of a lens, and so the place where it rests afterwards."""

    driver: str = ""
    """Instance of the lens driver; empty if the lens does not rest."""
    move: int = 0
    """Counts the moves of this driver."""
    command: CommandId = NO_COMMAND
    """The command of the move; `NO_COMMAND` for the position at which the lens was opened."""


NOWHERE = LensMove()
"""The lens is moving, or its position is unknown."""


@dataclass(frozen=True, slots=True)
class CaptureInfo:
    """The exposure that made one frame, as read back from the device."""

    stamp_ns: int
    """Start of the exposure."""
    exposure_us: float
    gain_db: float
    exposure_command: CommandId
    """The active exposure command."""
    sequence: int
    """Counts the frames of its driver from 0."""
    ready_ns: int = 0
    """When the driver received the frame; 0 if it is not measured."""
    driver: str = ""
    """Instance of the camera driver."""
    lens: LensMove = NOWHERE
    """Where the lens rested when the exposure began."""

    @property
    def id(self) -> FrameId:
        """The identity of this frame."""
        return FrameId(self.driver, self.sequence)


@dataclass(frozen=True, slots=True)
class LensState:
    """The state of the lens, as its driver reports it."""

    command: CommandId
    """The active lens command."""
    commanded_position: float
    """In the lens's unit, like every position."""
    position: float
    """The real position, rounded by the resolution of the electronics."""
    settled: bool
    settled_at_ns: int
    """When the lens came to rest, or is expected to."""
    faults: tuple[str, ...] = ()
    driver: str = ""
    """Instance of the lens driver."""
    sequence: int = 0
    """Counts the states of this driver: the greatest is the newest."""
    move: int = 0
    """Counts the moves of this driver."""
    unit: str = ""
    """Unit of the positions; empty if it is unknown."""
    focus_distance_m: float = field(default=math.nan, compare=False)
    """Focus distance at ``position`` [m]: infinite at infinity and beyond, NaN if it is unknown."""
    settle_s: float = 0.0
    """Time until the lens rests, when the state was sent [s]."""

    @property
    def last_move(self) -> LensMove:
        """The last move, after which the lens rests."""
        return LensMove(self.driver, self.move, self.command)
