"""Which messages are valid: `message_shape` checks the types of their fields, and this module their meaning.

Some values are judged and answered elsewhere: those of commands by the drivers' gates, pixels by
`ros.transport.image`, and what perception measured by the agents (PERCEPT_INVALID).
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from dasha_ros import msg
from dasha_ros.action import AdjustExposure, AdjustFocus, FocusOnObject
from dasha_ros.devices.camera import EXPOSURE_LIMITS_US
from dasha_ros.optics.lens_info import LensInfoError
from dasha_ros.perception.quality.detail import SHAPE
from dasha_ros.ros.transport.conversions import lens_info_from_msg
from dasha_ros.ros.validation.message_shape import Check, InvalidMessage, shape_check
from dasha_ros.twin.world import World, WorldError

MOST_BYTES = {Image: 256 << 20, CompressedImage: 64 << 20}
"""Largest serialized message of a type; `OTHERS_BYTES` for all other types."""
OTHERS_BYTES = 8 << 20
_NAME = 300
_POSITIONS = (-1e9, 1e9)
"""Beyond any lens, whatever its unit. The driver's gate knows the limits of its own lens."""
_UNIT = 16
"""Most characters of a unit."""
_GAIN_DB = (-100.0, 100.0)
_DIOPTRES = (-100.0, 100.0)
_SETTLE_S = (0.0, 60.0)
_SIDE_PX = 100_000
_STEP = (AdjustExposure.Feedback, AdjustFocus.Feedback)
_MEASURED = (msg.Percept, *_STEP, FocusOnObject.Feedback)
"""Types that contain what perception measured, or what follows from it."""


@cache
def checks_of(kind: type) -> Check:
    """The check of messages of a type, which raises `InvalidMessage`."""
    measured = kind in _MEASURED
    commanded = kind in (msg.ExposureCommand, msg.LensCommand)
    shape = shape_check(kind, "", not (measured or commanded))
    meaning = _MEANINGS.get(kind)
    if meaning is None:
        return shape

    def check(message: Any) -> None:
        shape(message)
        meaning(message)

    return check


def most_bytes(kind: type) -> int:
    """The largest serialized message of a type [bytes]."""
    return MOST_BYTES.get(kind, OTHERS_BYTES)


def _within(path: str, value: float, limits: tuple[float, float]) -> None:
    if not limits[0] <= value <= limits[1]:
        raise InvalidMessage(f"{path} is {value:g}; it must lie in {limits[0]:g}..{limits[1]:g}")


def _name(path: str, value: str) -> None:
    if len(value) > _NAME or not value.isprintable():
        raise InvalidMessage(f"{path} is not a name: {value[:40]!r}")


def _capture(message: Any) -> None:
    _within("exposure_us", message.exposure_us, EXPOSURE_LIMITS_US)
    _within("gain_db", message.gain_db, _GAIN_DB)


def _unit(value: str) -> None:
    if len(value) > _UNIT or not value.isprintable():
        raise InvalidMessage(f"the unit is invalid: {value[:40]!r}")


def _distance(value: float) -> None:
    if value < 0.0:
        raise InvalidMessage(f"focus_distance_m is {value:g}; it must be positive, infinite, or NaN")


def _lens(message: Any) -> None:
    _unit(message.unit)
    _within("position", message.position, _POSITIONS)
    _within("commanded_position", message.commanded_position, _POSITIONS)
    _distance(message.focus_distance_m)
    _within("settle_s", message.settle_s, _SETTLE_S)


def _lens_info(message: Any) -> None:
    try:
        lens_info_from_msg(message)
    except LensInfoError as error:
        raise InvalidMessage(str(error)) from None
    _within("position_min", message.position_min, _POSITIONS)
    _within("position_max", message.position_max, _POSITIONS)


def _lens_values(message: Any) -> None:
    if not math.isnan(message.lens_position):
        _within("lens_position", message.lens_position, _POSITIONS)
    _unit(message.lens_unit)
    _distance(message.focus_distance_m)


def _limits(message: Any) -> None:
    _within("width", message.width, (1, _SIDE_PX))
    _within("height", message.height, (1, _SIDE_PX))
    _name("encoding", message.encoding)
    shortest, longest = message.exposure_min_us, message.exposure_max_us
    if not 0.0 < shortest <= longest or longest < EXPOSURE_LIMITS_US[0] or shortest > EXPOSURE_LIMITS_US[1]:
        raise InvalidMessage(f"no camera exposes from {shortest:g} to {longest:g} us")
    if not _GAIN_DB[0] <= message.gain_min_db <= message.gain_max_db <= _GAIN_DB[1]:
        raise InvalidMessage(
            f"no camera has gains from {message.gain_min_db:g} to {message.gain_max_db:g} dB"
        )


def _info(message: Any) -> None:
    for path, value in (("encoder", message.encoder), ("detector", message.detector)):
        _name(path, value)
        if not value:
            raise InvalidMessage(f"{path} is empty")
    for label in message.labels:
        _name("labels[]", label)


def _twin_lens(message: Any) -> None:
    _lens(message.state)
    _within("start_dioptres", message.start_dioptres, _DIOPTRES)
    _within("target_dioptres", message.target_dioptres, _DIOPTRES)
    _within("time_constant_s", message.time_constant_s, _SETTLE_S)


def _world(message: Any) -> None:
    try:
        World.of(message)
    except WorldError as error:
        raise InvalidMessage(str(error)) from None


def _focus(message: Any) -> None:
    _within("state", message.state, (msg.FocusState.IDLE, msg.FocusState.HOLDING))
    for edge in ("x_min", "y_min", "x_max", "y_max"):
        _within(f"region.{edge}", getattr(message.region, edge), (0.0, 1.0))
    _within("exposure_us", message.exposure_us, (0.0, EXPOSURE_LIMITS_US[1]))
    _lens_values(message)


def _percept(message: Any) -> None:
    checks_of(msg.CaptureInfo)(message.capture)
    checks_of(msg.LensState)(message.lens)
    _within("width", message.width, (1, _SIDE_PX))
    _within("height", message.height, (1, _SIDE_PX))
    if len(message.detail) not in (0, math.prod(SHAPE)):
        raise InvalidMessage(f"detail has {len(message.detail)} bytes, not {math.prod(SHAPE)} or none")
    if len(message.colour_detail) not in (0, 2 * math.prod(SHAPE)):
        raise InvalidMessage(
            f"colour_detail has {len(message.colour_detail)} bytes, not {2 * math.prod(SHAPE)} or none"
        )
    if len(message.stage_names) != len(message.stage_ms):
        raise InvalidMessage(
            f"{len(message.stage_names)} stage_names come with {len(message.stage_ms)} stage_ms"
        )


def _reward(message: Any) -> None:
    for what in ("term", "action"):
        names, values = getattr(message, f"{what}_names"), getattr(message, f"{what}_values")
        if len(names) != len(values):
            raise InvalidMessage(f"{len(names)} {what}_names come with {len(values)} {what}_values")


def _belief(message: Any) -> None:
    if len(message.dioptres) != len(message.probability):
        raise InvalidMessage(f"{len(message.dioptres)} dioptres come with {len(message.probability)} numbers")


def _step(message: Any) -> None:
    _reward(message.reward)
    _percept(message.percept)


def _exposure_command(message: Any) -> None:
    for edge in ("x_min", "y_min", "x_max", "y_max"):
        _within(f"meter.{edge}", getattr(message.meter, edge), (0.0, 1.0))


def _progress(message: Any) -> None:
    _within("phase", message.phase, (msg.FocusState.IDLE, msg.FocusState.HOLDING))
    _within("exposure_us", message.exposure_us, (0.0, EXPOSURE_LIMITS_US[1]))
    _lens_values(message)


def _image(message: Any) -> None:
    # `ros.transport.image` reports empty pictures.
    _within("width", message.width, (0, _SIDE_PX))
    _within("height", message.height, (0, _SIDE_PX))
    _name("encoding", message.encoding)


def _camera_info(message: Any) -> None:
    _within("width", message.width, (0, _SIDE_PX))
    _within("height", message.height, (0, _SIDE_PX))


_MEANINGS: dict[type, Check] = {
    msg.CaptureInfo: _capture,
    msg.ExposureCommand: _exposure_command,
    msg.LensState: _lens,
    msg.LensInfo: _lens_info,
    msg.CameraLimits: _limits,
    msg.PerceptionInfo: _info,
    msg.TwinLens: _twin_lens,
    msg.TwinWorld: _world,
    msg.FocusState: _focus,
    msg.Percept: _percept,
    msg.Reward: _reward,
    msg.Belief: _belief,
    **dict.fromkeys(_STEP, _step),
    FocusOnObject.Feedback: _progress,
    Image: _image,
    CameraInfo: _camera_info,
}
