"""The stale-frame rule: which frame answers a command."""

from __future__ import annotations

from dasha_ros.freshness.command import CommandId
from dasha_ros.freshness.state import NOWHERE, CaptureInfo, LensState


def answers(
    capture: CaptureInfo, lens: LensState, exposure_command: CommandId, lens_command: CommandId
) -> bool:
    """Whether a frame may be used to judge the newest commands.

    A frame answers if the newest exposure command made it, and if the lens rested after the newest lens
    command when the exposure began. The camera's driver names both commands in the frame, so the rule
    compares identities, and never the clocks of two processes.

    Args:
        capture: The exposure that made the frame.
        lens: The newest state of the lens.
        exposure_command: The newest exposure command.
        lens_command: The newest lens command.
    """
    return (
        capture.exposure_command == exposure_command
        and lens.command == lens_command
        and not lens.faults
        and capture.lens != NOWHERE
        and capture.lens == lens.last_move
    )
