"""The stale-frame rule: which frame answers a command."""

from __future__ import annotations

from dasha_ros.timing.state import CaptureInfo, LensState


def answers(
    capture: CaptureInfo,
    lens: LensState,
    exposure_command_ns: int,
    lens_command_ns: int,
) -> bool:
    """Whether a frame may be used to judge the newest commands.

    A frame answers when its exposure began after the lens had come to rest from
    the newest lens command, and the newest exposure command made it.

    Args:
        capture: The exposure that made the frame.
        lens: The newest state of the lens.
        exposure_command_ns: Stamp of the newest exposure command, 0 if there was none.
        lens_command_ns: Stamp of the newest lens command, 0 if there was none.
    """
    return (
        capture.exposure_command_ns == exposure_command_ns
        and lens.command_ns == lens_command_ns
        and capture.stamp_ns >= lens.settled_at_ns
    )
