"""The pictures of a recording, and the settings of camera and lens that made each.

A picture is used if the recording tells its exposure (``camera/capture``) and where the lens rested meanwhile
(the move that ``camera/capture`` names, and its position in ``lens/state``). What is left out is counted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dasha_ros.devices.replay.search import (
    IMAGE,
    JPEG,
    Found,
    Visit,
    lens_info,
    place_of,
    search,
    why_impossible,
)
from dasha_ros.files.errors import shown
from dasha_ros.files.jpeg import jpeg_pixels
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.perception.image import ENCODINGS
from dasha_ros.perception.image_message import ImageMessageError, Pixels, pixels_of
from dasha_ros.recording.reader import Recorded, Recording
from dasha_ros.recording.writer import RecordingError

_IN_JPEG = ("mono8", "8UC1", "rgb8", "bgr8")
"""Encodings that a JPEG keeps. Other recorders turn a mosaic into colours first, and its name would lie."""
_SAME_EXPOSURE = 0.01
"""Exposures that differ by less are the same."""


class ReplayError(ValueError):
    """A recording can't be played; the message names it and says why."""


@dataclass(frozen=True, slots=True)
class RecordedFrame:
    """A picture of a recording, and what made it."""

    position: float
    """Where the lens rested, in its unit."""
    exposure_us: float
    gain_db: float
    visit: Visit
    """The commands that made it: equal for pictures of which none was taken for a new command."""
    message: Recorded
    """The message that holds it, without its data."""
    judged: bool = False
    """Whether an agent got a reward for it."""


class Replay:
    """The pictures of a recording, read from the file when they are shown."""

    def __init__(self, path: str | Path) -> None:
        """Read everything but the pictures; takes about a second for each gigabyte of them.

        Raises:
            ReplayError: It is no recording, or it does not hold what a replay needs.
        """
        self._shown: dict[tuple[float, float], tuple[int, int]] = {}
        """By position and exposure, the visit that was shown last, and the number of its picture."""
        try:
            self.recording = Recording(path)
        except RecordingError as error:
            raise ReplayError(str(error)) from error
        try:
            found = search(self.recording)
            self.info = lens_info(self.recording, found)
            self.frames, left_out = _frames(self.recording, found, self.info)
            self.encoding, self.size = self._first()
        except RecordingError as error:
            # What seems not to have been recorded may have been lost.
            lost = "; ".join(self.recording.troubles)
            raise ReplayError(f"{lost}. That is not enough: {error}" if lost else str(error)) from error
        self.notes = list(self._told(left_out))
        """What the recording can't tell, a sentence each."""

    @property
    def name(self) -> str:
        """Its path, for people."""
        return shown(self.recording.path)

    @property
    def positions(self) -> list[float]:
        """The positions of the lens at which there are pictures, ascending."""
        return sorted({frame.position for frame in self.frames})

    @property
    def exposures_us(self) -> list[float]:
        """The exposures of the pictures, ascending [us]."""
        return sorted({frame.exposure_us for frame in self.frames})

    def nearest_position(self, position: float) -> float:
        """The recorded position that is nearest to one."""
        return min((frame.position for frame in self.frames), key=lambda known: abs(known - position))

    def nearest_exposure(self, exposure_us: float) -> float:
        """The recorded exposure that is nearest to one, as a ratio [us]."""
        return min(
            (frame.exposure_us for frame in self.frames),
            key=lambda known: abs(math.log(known / exposure_us)),
        )

    def frame(self, position: float, exposure_us: float, anew: bool) -> RecordedFrame:
        """The picture that was taken nearest to a position, and there nearest to an exposure.

        If camera and lens were set so several times, each of these visits is shown in its turn, from the
        first picture on that an agent judged: previews may have come before a goal. If the recording does not
        tell, that is the first one.

        Args:
            position: Of the lens.
            exposure_us: As it was asked for [us].
            anew: Whether camera or lens were commanded since the last picture: the next visit begins.
        """
        place = self.nearest_position(position)
        here = [frame for frame in self.frames if frame.position == place]
        exposure = min(here, key=lambda frame: abs(math.log(frame.exposure_us / exposure_us))).exposure_us
        visits: dict[Visit, list[RecordedFrame]] = {}
        for frame in here:
            if abs(math.log(frame.exposure_us / exposure)) < _SAME_EXPOSURE:
                visits.setdefault(frame.visit, []).append(frame)
        turn, index = self._shown.get((place, exposure), (-1, 0))
        turn, index = (turn + 1, 0) if anew or turn < 0 else (turn, index + 1)
        self._shown[place, exposure] = turn, index
        pictures = list(visits.values())[turn % len(visits)]
        begin = next((at for at, picture in enumerate(pictures) if picture.judged), 0)
        return pictures[(begin + index) % len(pictures)]

    def pixels(self, frame: RecordedFrame) -> Pixels:
        """The pixels of a picture, as recorded.

        Raises:
            ReplayError: The file changed, or the picture is damaged or of another kind than the first.
        """
        try:
            data = self.recording.read(frame.message.place)
            message = self.recording.decode(replace(frame.message, data=data))
            encoding, pixels = _pixels(message, f"{self.name}: a picture")
        except RecordingError as error:
            raise ReplayError(str(error)) from error
        if (encoding, pixels.shape[1::-1]) != (self.encoding, self.size):
            raise ReplayError(
                f"{self.name}: its pictures have different sizes or encodings: record each of them alone"
            )
        return pixels

    def check_unchanged(self) -> None:
        """Look whether the files still have what was read from them.

        Raises:
            ReplayError: One is gone or shorter.
        """
        try:
            self.recording.check_unchanged()
        except RecordingError as error:
            raise ReplayError(str(error)) from error

    def _first(self) -> tuple[str, tuple[int, int]]:
        first = self.frames[0].message
        message = self.recording.decode(replace(first, data=self.recording.read(first.place)))
        encoding, pixels = _pixels(message, f"{self.name}: the first picture")
        height, width = pixels.shape[:2]
        return encoding, (width, height)

    def _told(self, left_out: Counter[str]) -> Iterator[str]:
        yield from self.recording.troubles
        for reason, count in sorted(left_out.items()):
            of = count + len(self.frames)
            yield f"{self.name}: {count} of {of} pictures are not shown: {reason}"
        positions, info = self.positions, self.info
        yield (
            f"{len(self.frames)} pictures at {len(positions)} position(s) from {positions[0]:.2f} to "
            f"{positions[-1]:.2f} {info.unit}, of a lens that moves from {info.position_min:.2f} to "
            f"{info.position_max:.2f} {info.unit}: elsewhere the lens goes to the nearest of them"
        )
        exposures = self.exposures_us
        yield (
            f"{len(exposures)} exposure(s) from {exposures[0]:,.0f} to {exposures[-1]:,.0f} µs: another "
            "one shows the picture whose exposure is nearest at that position, and the capture tells it"
        )


def _frames(recording: Recording, found: Found, info: LensInfo) -> tuple[list[RecordedFrame], Counter[str]]:
    name = shown(recording.path)
    if not found.images:
        raise RecordingError(
            f"{name} holds no pictures: no topic ends in {IMAGE} or {JPEG}. Record with --images raw or jpeg"
        )
    if len(found.spaces) > 1:
        graphs = " and ".join(shown(space) for space in sorted(found.spaces))
        raise RecordingError(f"{name} holds the pictures of {graphs}: record each graph alone")
    frames, left_out = list[RecordedFrame](), Counter[str]()
    for stamp, message in found.images:
        capture = found.captures.get(stamp)
        if capture is None:
            left_out["camera/capture does not tell their exposure"] += 1
        elif not (lens := capture.visit[2:])[0]:
            left_out["the lens moved"] += 1
        elif (position := found.positions.get(lens)) is None:
            left_out["lens/state does not tell where the lens was"] += 1
        elif why := why_impossible(position := place_of(position, info), capture, info):
            left_out[why] += 1
        else:
            judged = stamp in found.judged
            frames.append(
                RecordedFrame(position, capture.exposure_us, capture.gain_db, capture.visit, message, judged)
            )
    if not frames:
        reasons = "; ".join(f"{count} because {reason}" for reason, count in sorted(left_out.items()))
        raise RecordingError(f"{name}: none of its {len(found.images)} pictures can be used: {reasons}")
    return frames, left_out


def _pixels(message: Any, what: str) -> tuple[str, Pixels]:
    """Encoding and pixels of an ``Image`` or a ``CompressedImage``."""
    try:
        if hasattr(message, "encoding"):
            return str(message.encoding), pixels_of(message)
        encoding = str(message.format).partition(";")[0].strip()
        if encoding not in _IN_JPEG:
            raise ImageMessageError(
                f"its format {shown(message.format)!r} names none of the encodings {', '.join(_IN_JPEG)}"
            )
        grey = ENCODINGS[encoding].channels == 1
        pixels = jpeg_pixels(bytes(message.data), grey=grey)
        if pixels is None:
            raise ImageMessageError("its JPEG is damaged")
        rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if encoding == "rgb8" else pixels
        return encoding, np.asarray(rgb, np.uint8)
    except (ImageMessageError, AttributeError, TypeError, ValueError, cv2.error) as error:
        raise RecordingError(f"{what} can't be read: {error}") from error
