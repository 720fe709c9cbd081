"""What the camera and the lens were set to when a frame was exposed.

All stamps are integer nanoseconds of one clock (on a robot: the ROS clock).
A command is identified by its stamp; 0 means that no command was given yet.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CaptureInfo:
    """The exposure that made one frame, as read back from the device."""

    stamp_ns: int
    """Start of the exposure."""
    exposure_us: float
    gain_db: float
    exposure_command_ns: int
    """Stamp of the exposure command in force, 0 before the first."""
    sequence: int
    """Counts frames since the driver was configured."""
    ready_ns: int = 0
    """When the driver had the frame in hand, 0 where nobody measures it."""

    @property
    def end_ns(self) -> int:
        """End of the exposure."""
        return self.stamp_ns + round(self.exposure_us * 1000)


@dataclass(frozen=True, slots=True)
class LensState:
    """What the lens does, as its driver reports it."""

    command_ns: int
    """Stamp of the lens command in force, 0 before the first."""
    commanded_volts: float
    volts: float
    """What the driver board really outputs, after its quantisation."""
    settled: bool
    settled_at_ns: int
    """When the lens came, or is expected to come, to rest."""
    faults: tuple[str, ...] = ()
