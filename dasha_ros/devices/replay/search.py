"""Goes through a recording and collects what a replay needs: pictures, and what tells their settings."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from dasha_ros.devices.camera import EXPOSURE_LIMITS_US
from dasha_ros.files import version_0_1
from dasha_ros.files.errors import shown
from dasha_ros.optics.lens import MEASURED
from dasha_ros.optics.lens_info import LensInfo, LensInfoError
from dasha_ros.recording.reader import Recorded, Recording
from dasha_ros.recording.writer import RecordingError

IMAGE, JPEG = "/camera/image_raw", "/camera/image_raw/compressed"
_CAPTURE, _STATE, _INFO, _REWARD = "/camera/capture", "/lens/state", "/lens/info", "/reward"
_LEAST_RANGE, _GREATEST_RANGE = 1e-9, 2e9
"""Of positions, in any unit. Beyond, numbers are too coarse to move the lens."""
_SLACK = 1e-3
"""A lens that reports to be this far beyond its limits, as a share of its range, was at the limit."""
_MOST_GAIN_DB = 100.0
"""No camera has more, or less than the negative of it [dB]."""

Visit = tuple[str, int, str, int]
"""Sender and number of the exposure command; driver and number of the lens's move."""


@dataclass(frozen=True, slots=True)
class Capture:
    """How a picture was taken, as ``camera/capture`` tells."""

    exposure_us: float
    gain_db: float
    visit: Visit


@dataclass
class Found:
    """What is collected on the way through a file."""

    images: list[tuple[tuple[int, int], Recorded]]
    captures: dict[tuple[int, int], Capture]
    positions: dict[tuple[str, int], float]
    judged: set[tuple[int, int]]
    """Stamps of the pictures that agents were rewarded for."""
    info: Any = None
    spaces: frozenset[str] = frozenset()


def search(recording: Recording) -> Found:
    """Read everything but the pictures.

    Raises:
        RecordingError: It can't be read, or holds messages of another package where ours are expected.
    """
    found, spaces = Found([], {}, {}, set()), set[str]()
    topics = (IMAGE, JPEG, _CAPTURE, _STATE, _INFO, _REWARD)
    for message in recording.messages():
        topic = next((topic for topic in topics if message.topic.endswith(topic)), None)
        if topic is None:
            continue
        if topic in (IMAGE, JPEG):
            spaces.add(message.topic.removesuffix(topic))
            stamp = _first_stamp(message)
            found.images.append((stamp, replace(message, data=b"")))
            continue
        content = recording.decode(message)
        try:
            if topic == _CAPTURE:
                found.captures[_stamp(content.header.stamp)] = _capture(content)
            elif topic == _REWARD:
                found.judged.add(_stamp(content.header.stamp))
            elif topic == _STATE:
                found.positions[content.driver, content.move] = float(content.position)
            else:
                found.info = content
        except (AttributeError, TypeError, ValueError) as error:
            raise _of_others(recording, message) from error
    found.spaces = frozenset(spaces)
    return found


def _capture(content: Any) -> Capture:
    command = content.exposure_command
    visit = str(command.sender), int(command.sequence), str(content.lens_driver), int(content.lens_move)
    return Capture(float(content.exposure_us), float(content.gain_db), visit)


def _of_others(recording: Recording, message: Recorded) -> RecordingError:
    definition = message.schema.data.decode("utf-8", "replace") if message.schema else ""
    if message.kind.startswith("dasha_ros/") and version_0_1.is_message(definition):
        return RecordingError(
            f"{shown(recording.path)}: {shown(message.topic)} was {version_0_1.WRITTEN}, "
            "which did not record the lens's unit and limits: record the goal again"
        )
    return RecordingError(
        f"{shown(recording.path)}: {shown(message.topic)} is a {shown(message.kind)}, not what this package "
        "records there: record it with `dasha record`"
    )


def place_of(position: float, info: LensInfo) -> float:
    """A recorded position, within the limits of the lens if it measured itself hardly beyond them."""
    slack = _SLACK * (info.position_max - info.position_min)
    within = min(max(position, info.position_min), info.position_max)
    return within if abs(position - within) <= slack else position


def why_impossible(position: float, capture: Capture, info: LensInfo) -> str:
    """Why no camera and lens can have had these settings; empty: they can."""
    if not all(map(math.isfinite, (position, capture.exposure_us, capture.gain_db))):
        return "their settings are no numbers"
    shortest, longest = EXPOSURE_LIMITS_US
    if not (shortest <= capture.exposure_us <= longest and abs(capture.gain_db) <= _MOST_GAIN_DB):
        return (
            f"no camera exposes beyond {shortest:g} µs to {longest / 1e6:g} s, "
            f"or has a gain beyond {_MOST_GAIN_DB:g} dB"
        )
    if not info.admits(position):
        low, high = info.position_min, info.position_max
        return f"the lens was outside of its own limits, {low:g} to {high:g} {info.unit}"
    return ""


def lens_info(recording: Recording, found: Found) -> LensInfo:
    """The lens that was recorded.

    Raises:
        RecordingError: It was not recorded, or is impossible.
    """
    name = shown(recording.path)
    if found.info is None:
        raise RecordingError(f"{name} does not tell the lens's unit and limits: record lens/info, too")
    try:
        names = [field.name for field in fields(LensInfo) if field.name != "blur_doubt"]
        values = {name: getattr(found.info, name) for name in names}
        # Recordings of version 0.2 and before do not have it.
        values["blur_doubt"] = getattr(found.info, "blur_doubt", 0.0) or MEASURED
        maps = {key: tuple(values[key]) for key in ("map_positions", "map_dioptres")}
        info = LensInfo(**{**values, **maps})
        if not _LEAST_RANGE <= info.position_max - info.position_min <= _GREATEST_RANGE:
            raise LensInfoError(
                f"no lens moves from {info.position_min:g} to {info.position_max:g} {info.unit}"
            )
        return info
    except (AttributeError, TypeError, LensInfoError) as error:
        raise RecordingError(f"{name}: its lens/info can't be used: {error}") from error


def _first_stamp(message: Recorded) -> tuple[int, int]:
    """The stamp of a message that begins with a header, without decoding the rest."""
    order: Literal["little", "big"] = "little" if message.data[1:2] != b"\0" else "big"
    return (
        int.from_bytes(message.data[4:8], order, signed=True),
        int.from_bytes(message.data[8:12], order),
    )


def _stamp(stamp: Any) -> tuple[int, int]:
    return int(stamp.sec), int(stamp.nanosec)
