"""Creates cameras and lenses that show what was recorded: focal stacks and recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dasha_ros.config import CameraDriverConfig, LensDriverConfig
from dasha_ros.devices.camera import Camera
from dasha_ros.devices.lens import Lens
from dasha_ros.freshness.clock import Clock
from dasha_ros.system.extras import require

if TYPE_CHECKING:
    from dasha_ros.devices.replay.recorded import Replay
    from dasha_ros.devices.stack.description import Stack


def stack_camera(config: CameraDriverConfig, clock: Clock) -> Camera:
    """The camera of a focal stack.

    Raises:
        StackError: There is none.
    """
    from dasha_ros.devices.stack.camera import StackCamera

    return StackCamera(
        clock,
        _stack(config.stack, "camera_driver"),
        tone=config.stack_tone,
        encoding=config.encoding,
        step=config.stack_step,
        seed=config.twin_seed,
    )


def stack_lens(config: LensDriverConfig, clock: Clock) -> Lens:
    """The lens of a focal stack.

    Raises:
        StackError: There is none.
    """
    from dasha_ros.devices.stack.lens import StackLens

    stack = _stack(config.stack, "lens_driver")
    return StackLens(clock, stack, step=config.stack_step, initial_share=config.initial_share)


def _stack(folder: str, node: str) -> Stack:
    from dasha_ros.devices.stack.description import StackError, load_stack

    if not folder:
        raise StackError(f"{node} has no focal stack to show: set its parameter `stack` to the folder")
    return load_stack(folder)


def replay_camera(config: CameraDriverConfig, clock: Clock) -> Camera:
    """The camera of a recording.

    Raises:
        ReplayError: It can't be played.
        ExtraMissing: The library that reads it is not installed.
    """
    from dasha_ros.devices.replay.camera import ReplayCamera

    return ReplayCamera(clock, _replay(config.recording, "camera_driver"))


def replay_lens(config: LensDriverConfig, clock: Clock) -> Lens:
    """The lens of a recording; see `replay_camera`."""
    from dasha_ros.devices.replay.lens import ReplayLens

    return ReplayLens(clock, _replay(config.recording, "lens_driver"))


def _replay(path: str, node: str) -> Replay:
    require("replay", "a recording", "mcap", "mcap_ros2")
    from dasha_ros.devices.replay.recorded import Replay, ReplayError

    if not path:
        raise ReplayError(f"{node} has no recording to play: set its parameter `recording` to it")
    return Replay(path)
