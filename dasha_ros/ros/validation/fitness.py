"""What a message must be to be heard: finite numbers, sizes with an end, stamps of a calendar.

The shape comes from the type of every field, so that a new field needs no word here; the functions for
single types know what their numbers mean. They leave alone what somebody else judges and answers:
values of commands (the drivers' gates), pixels (`ros.transport.image`), and what perception measured (the
agents end a goal with PERCEPT_INVALID).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from dasha_ros import msg
from dasha_ros.action import AdjustExposure, AdjustFocus, FocusOnObject
from dasha_ros.devices.camera import EXPOSURE_LIMITS_US
from dasha_ros.optics.lens_info import LensInfoError
from dasha_ros.ros.transport.conversions import lens_info_from_msg
from dasha_ros.twin.world import World, WorldError

MOST_BYTES = {Image: 256 << 20, CompressedImage: 64 << 20}
"""Of a whole message; of any other `OTHERS_BYTES`."""
OTHERS_BYTES = 8 << 20
_TEXT = 10_000
"""Characters of a string: a reason for people may hold the words of several libraries."""
_MANY = 100_000
"""Elements of a list that are no plain numbers."""
_NAME = 300
_POSITIONS = (-1e9, 1e9)
"""Beyond any lens, whatever its unit; what the lens itself takes its driver's gate knows."""
_UNIT = 16
"""Characters of a unit."""
_GAIN_DB = (-100.0, 100.0)
_DIOPTRES = (-100.0, 100.0)
_SETTLE_S = (0.0, 60.0)
_SIDE_PX = 100_000
_STEP = (AdjustExposure.Feedback, AdjustFocus.Feedback)
_MAY_BE_UNKNOWN = frozenset({"focus_distance_m", "lens_position"})
"""Fields that are NaN where nobody knows them; a distance is infinite at infinity."""
_MEASURED = (msg.Percept, *_STEP, FocusOnObject.Feedback)
"""They hold what perception measured, and what follows from it."""
_SEQUENCE = re.compile(r"sequence<(.+)>")
_ARRAY = re.compile(r"(.+)\[\d+\]")

Check = Callable[[Any], None]


class Unfit(ValueError):
    """A message that can't be. The sentence names the field and its value."""


@cache
def checks_of(kind: type) -> Check:
    """What judges messages of a type; it raises `Unfit`."""
    measured = kind in _MEASURED
    commanded = kind in (msg.ExposureCommand, msg.LensCommand)
    shape = _shape(kind, "", not (measured or commanded))
    meaning = _MEANINGS.get(kind)
    if meaning is None:
        return shape

    def check(message: Any) -> None:
        shape(message)
        meaning(message)

    return check


def most_bytes(kind: type) -> int:
    """How long a message of a type may be [bytes]."""
    return MOST_BYTES.get(kind, OTHERS_BYTES)


def _shape(kind: type, path: str, finite: bool) -> Check:
    parts = []
    for name, text in kind.get_fields_and_field_types().items():  # type: ignore[attr-defined]
        part = _part(text, f"{path}{name}", finite)
        if part is not None:
            parts.append((name, part))

    def check(message: Any) -> None:
        for name, part in parts:
            part(getattr(message, name))

    return check


def _part(text: str, path: str, finite: bool) -> Check | None:
    """What judges one field, by its type as `get_fields_and_field_types` writes it; ``None``: nothing."""
    if text in {"float", "double"}:
        known = path.rpartition(".")[2] not in _MAY_BE_UNKNOWN
        return _finite(path) if finite and known else None
    if text == "string":
        return _text(path)
    if text == "builtin_interfaces/Time":
        return _stamp(path)
    if match := _SEQUENCE.fullmatch(text):
        return _list(match[1], path, finite)
    if match := _ARRAY.fullmatch(text):
        return _numbers(path) if finite and match[1] in {"float", "double"} else None
    package, _, name = text.partition("/")
    return _shape(getattr(import_module(f"{package}.msg"), name), f"{path}.", finite) if name else None


def _finite(path: str) -> Check:
    def check(value: Any) -> None:
        if not math.isfinite(value):
            raise Unfit(f"{path} is {value}")

    return check


def _text(path: str) -> Check:
    def check(value: Any) -> None:
        if len(value) > _TEXT:
            raise Unfit(f"{path} has {len(value)} characters, more than {_TEXT}")

    return check


def _stamp(path: str) -> Check:
    def check(value: Any) -> None:
        if value.sec < 0 or value.nanosec >= 1_000_000_000:
            raise Unfit(f"{path} is no time: {value.sec} s and {value.nanosec} ns")

    return check


def _numbers(path: str) -> Check:
    def check(values: Any) -> None:
        if not np.isfinite(values).all():
            raise Unfit(f"{path} holds what is no number")

    return check


def _list(element: str, path: str, finite: bool) -> Check | None:
    if element in {"float", "double"}:
        return _numbers(path) if finite else None
    each = _part(element, f"{path}[]", finite)
    if each is None:
        return None  # Of plain numbers; `most_bytes` ends it.

    def check(values: Any) -> None:
        if len(values) > _MANY:
            raise Unfit(f"{path} has {len(values)} elements, more than {_MANY}")
        for value in values:
            each(value)

    return check


def _within(path: str, value: float, limits: tuple[float, float]) -> None:
    if not limits[0] <= value <= limits[1]:
        raise Unfit(f"{path} is {value:g}; it must lie in {limits[0]:g}..{limits[1]:g}")


def _name(path: str, value: str) -> None:
    if len(value) > _NAME or not value.isprintable():
        raise Unfit(f"{path} is no name: {value[:40]!r}")


def _capture(message: Any) -> None:
    _within("exposure_us", message.exposure_us, EXPOSURE_LIMITS_US)
    _within("gain_db", message.gain_db, _GAIN_DB)


def _unit(value: str) -> None:
    if len(value) > _UNIT or not value.isprintable():
        raise Unfit(f"the unit is none: {value[:40]!r}")


def _distance(value: float) -> None:
    if value < 0.0:
        raise Unfit(f"focus_distance_m is {value:g}; it must be positive, infinite, or NaN")


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
        raise Unfit(str(error)) from None
    _within("position_min", message.position_min, _POSITIONS)
    _within("position_max", message.position_max, _POSITIONS)


def _lens_in_force(message: Any) -> None:
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
        raise Unfit(f"no camera exposes from {shortest:g} to {longest:g} us")
    if not _GAIN_DB[0] <= message.gain_min_db <= message.gain_max_db <= _GAIN_DB[1]:
        raise Unfit(f"no camera has gains from {message.gain_min_db:g} to {message.gain_max_db:g} dB")


def _info(message: Any) -> None:
    for path, value in (("encoder", message.encoder), ("detector", message.detector)):
        _name(path, value)
        if not value:
            raise Unfit(f"{path} is empty")
    for label in message.labels:
        _name("labels[]", label)


def _twin_lens(message: Any) -> None:
    _lens(message.state)
    _within("start_dioptres", message.start_dioptres, _DIOPTRES)
    _within("target_dioptres", message.target_dioptres, _DIOPTRES)
    _within("time_constant_s", message.time_constant_s, _SETTLE_S)


def _world(message: Any) -> None:
    try:
        World(message.scene, message.illuminance_lx, tuple(message.distances_m), message.temperature_c)
    except WorldError as error:
        raise Unfit(str(error)) from None


def _focus(message: Any) -> None:
    _within("state", message.state, (msg.FocusState.IDLE, msg.FocusState.RESTORING))
    _within("exposure_us", message.exposure_us, (0.0, EXPOSURE_LIMITS_US[1]))
    _lens_in_force(message)


def _percept(message: Any) -> None:
    checks_of(msg.CaptureInfo)(message.capture)
    checks_of(msg.LensState)(message.lens)
    _within("width", message.width, (1, _SIDE_PX))
    _within("height", message.height, (1, _SIDE_PX))
    if len(message.stage_names) != len(message.stage_ms):
        raise Unfit(f"{len(message.stage_names)} stage_names come with {len(message.stage_ms)} stage_ms")


def _reward(message: Any) -> None:
    for what in ("term", "action"):
        names, values = getattr(message, f"{what}_names"), getattr(message, f"{what}_values")
        if len(names) != len(values):
            raise Unfit(f"{len(names)} {what}_names come with {len(values)} {what}_values")


def _step(message: Any) -> None:
    _reward(message.reward)
    _percept(message.percept)


def _progress(message: Any) -> None:
    _within("phase", message.phase, (msg.FocusState.IDLE, msg.FocusState.RESTORING))
    _within("exposure_us", message.exposure_us, (0.0, EXPOSURE_LIMITS_US[1]))
    _lens_in_force(message)


def _image(message: Any) -> None:
    # Zero is a picture of nothing, which `ros.transport.image` tells of.
    _within("width", message.width, (0, _SIDE_PX))
    _within("height", message.height, (0, _SIDE_PX))
    _name("encoding", message.encoding)


def _camera_info(message: Any) -> None:
    _within("width", message.width, (0, _SIDE_PX))
    _within("height", message.height, (0, _SIDE_PX))


_MEANINGS: dict[type, Check] = {
    msg.CaptureInfo: _capture,
    msg.LensState: _lens,
    msg.LensInfo: _lens_info,
    msg.CameraLimits: _limits,
    msg.PerceptionInfo: _info,
    msg.TwinLens: _twin_lens,
    msg.TwinWorld: _world,
    msg.FocusState: _focus,
    msg.Percept: _percept,
    msg.Reward: _reward,
    **dict.fromkeys(_STEP, _step),
    FocusOnObject.Feedback: _progress,
    Image: _image,
    CameraInfo: _camera_info,
}
