"""What the camera and the lens were set to when a frame was exposed.

Stamps are integer nanoseconds since 1970, or of simulated time, and for people: which
command, which frame and which state comes first is told by who says it and their count.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from dasha_ros.freshness.command import NO_COMMAND, CommandId, FrameId


@dataclass(frozen=True, slots=True)
class LensMove:
    """Where a lens rests, by the move that brought it there: what one driver said of one of its moves."""

    driver: str = ""
    """Instance of the lens driver, empty where the lens does not rest."""
    move: int = 0
    """Counts the moves of this driver."""
    command: CommandId = NO_COMMAND
    """What the move obeys, `NO_COMMAND` for what was found when the lens was opened."""


NOWHERE = LensMove()
"""The lens moves, or nobody knows where it is."""


@dataclass(frozen=True, slots=True)
class CaptureInfo:
    """The exposure that made one frame, as read back from the device."""

    stamp_ns: int
    """Start of the exposure."""
    exposure_us: float
    gain_db: float
    exposure_command: CommandId
    """The exposure command in force."""
    sequence: int
    """Counts the frames of its driver from 0."""
    ready_ns: int = 0
    """When the driver had the frame in hand, 0 where nobody measures it."""
    driver: str = ""
    """Instance of the camera driver."""
    lens: LensMove = NOWHERE
    """Where the lens rested when the exposure began."""

    @property
    def id(self) -> FrameId:
        """Which frame this is."""
        return FrameId(self.driver, self.sequence)


@dataclass(frozen=True, slots=True)
class LensState:
    """What the lens does, as its driver reports it."""

    command: CommandId
    """The lens command in force."""
    commanded_position: float
    """In the lens's unit, as every position."""
    position: float
    """Where the lens really goes, after the steps of its electronics."""
    settled: bool
    settled_at_ns: int
    """When the lens came, or is expected to come, to rest."""
    faults: tuple[str, ...] = ()
    driver: str = ""
    """Instance of the lens driver."""
    sequence: int = 0
    """Counts what this driver says: the greatest is the newest."""
    move: int = 0
    """Counts the moves of this driver."""
    unit: str = ""
    """Of positions; empty: nobody has said."""
    focus_distance_m: float = field(default=math.nan, compare=False)
    """Where the lens focuses at ``position`` [m]: infinite at infinity and beyond, NaN if nobody knows."""
    settle_s: float = 0.0
    """Time that was left until the lens rests when this was said [s]."""

    @property
    def last_move(self) -> LensMove:
        """Names where the lens rests once it has settled."""
        return LensMove(self.driver, self.move, self.command)
