"""What every camera back end promises."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dasha_ros.devices.errors import FrameIncomplete, as_number
from dasha_ros.optics.exposure_table import asked_us, gain_factor, made_of

if TYPE_CHECKING:
    from dasha_ros.perception.image_message import Pixels

EXPOSURE_LIMITS_US = (1.0, 10e6)
"""No camera goes beyond this [us]; each has narrower limits of its own."""


@dataclass(frozen=True, slots=True)
class SensorRegion:
    """Which part of the sensor a picture shows, in pixels of the sensor."""

    sensor_width: int
    sensor_height: int
    x: int
    """Left edge."""
    y: int
    """Upper edge."""
    width: int
    height: int
    binning: int = 1
    """Pixels of the sensor that make one of the picture, in both directions."""

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole sensor."""
        return (self.width, self.height) == (self.sensor_width, self.sensor_height)


@dataclass(frozen=True, slots=True)
class CameraLimits:
    """What this camera can do, read from the device."""

    width: int
    height: int
    encoding: str
    """ROS image encoding: ``mono8``, ``mono16`` (12 bits, the upper ones), ``rgb8``, ``bgr8``."""
    exposure_min_us: float
    exposure_max_us: float
    gain_min_db: float
    gain_max_db: float
    region: SensorRegion | None = None
    """Which part of the sensor the pictures show; `None`: the camera does not tell."""

    def exposing_at_most(self, exposure_us: float) -> CameraLimits:
        """These limits with at most this exposure [us], but no less than the shortest one."""
        longest_us = max(self.exposure_min_us, min(self.exposure_max_us, exposure_us))
        return replace(self, exposure_max_us=longest_us)

    @property
    def longest_asked_us(self) -> float:
        """The longest exposure that can be asked for [us]: beyond the camera's own, gain stands in."""
        with_gain_us = self.exposure_max_us * gain_factor(max(0.0, self.gain_max_db))
        return max(self.exposure_max_us, min(with_gain_us, EXPOSURE_LIMITS_US[1]))

    def nearest_asked_us(self, asked_us: float, most_gain_db: float = math.inf) -> float:
        """The nearest exposure that can be asked for with at most so much gain [us]."""
        most_us = min(self.longest_asked_us, self.exposure_max_us * gain_factor(min(most_gain_db, 100.0)))
        return min(max(asked_us, self.exposure_min_us), most_us)

    def made_of(self, asked_us: float, least_gain_db: float) -> tuple[float, float]:
        """The exposure [us] and gain [dB] by which this camera makes what was asked for.

        Args:
            asked_us: Exposure that was asked for [us].
            least_gain_db: The gain of exposures that need none [dB].
        """
        exposure_us, gain_db = made_of(asked_us, self.exposure_max_us, least_gain_db)
        return self.nearest_exposure_us(exposure_us), self.nearest_gain_db(gain_db)

    def asked_us(self, exposure_us: float, gain_db: float) -> float:
        """The exposure that was asked for [us], from what a frame says of its exposure [us] and gain [dB]."""
        return asked_us(exposure_us, gain_db, self.exposure_max_us)

    def nearest_exposure_us(self, exposure_us: float) -> float:
        """The exposure nearest to ``exposure_us`` that this camera can do [us]."""
        return min(max(exposure_us, self.exposure_min_us), self.exposure_max_us)

    def nearest_gain_db(self, gain_db: float) -> float:
        """The gain nearest to ``gain_db`` that this camera can do [dB]."""
        return min(max(gain_db, self.gain_min_db), self.gain_max_db)


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture and what made it, as read back from the device."""

    pixels: Pixels
    """Shape (height, width), or (height, width, channels)."""
    encoding: str
    begun_ns: int
    """Start of the exposure on the back end's steady clock."""
    exposure_us: float
    gain_db: float


def checked_frame(frame: object) -> Frame:
    """Return what a back end took for a picture, if somebody could read it; numbers are Python's own.

    Encodings that perception does not read are not judged.

    Raises:
        FrameIncomplete: It is no `Frame`, its pixels are not what its encoding says, or its time or a setting
            is no number.
    """
    from dasha_ros.perception.image import ENCODINGS

    if not isinstance(frame, Frame):
        raise FrameIncomplete(f"the camera's back end returned {frame!r:.60}, not a Frame")
    pixels, known = frame.pixels, ENCODINGS.get(frame.encoding)
    if not isinstance(pixels, np.ndarray):
        raise FrameIncomplete(f"the camera's back end gave pixels of the type {type(pixels).__name__}")
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if pixels.size == 0:
        raise FrameIncomplete(f"the camera's back end gave no pixels, but the shape {pixels.shape}")
    if known is not None and (
        pixels.ndim not in (2, 3) or pixels.dtype != known.dtype or channels != known.channels
    ):
        raise FrameIncomplete(
            f"the camera's back end gave pixels of {pixels.dtype} in the shape {pixels.shape}, and its "
            f"encoding {frame.encoding} means {np.dtype(known.dtype)} with {known.channels} channels"
        )
    numbers = {name: as_number(getattr(frame, name)) for name in ("begun_ns", "exposure_us", "gain_db")}
    for name, number in numbers.items():
        if not math.isfinite(number):
            raise FrameIncomplete(
                f"the camera's back end says that {name} is {getattr(frame, name)!r:.60}; it must be a number"
            )
    return replace(
        frame,
        # Not by way of a float, which may round so many nanoseconds.
        begun_ns=int(frame.begun_ns),
        exposure_us=numbers["exposure_us"],
        gain_db=numbers["gain_db"],
    )


def never() -> bool:
    """The default of `Camera.capture`: nothing overtakes the exposure."""
    return False


class Camera(Protocol):
    """A camera that takes one picture when asked.

    Back ends are used from one thread at a time, but `abort` may be called from any.
    After `DeviceLost` the owner calls `close` and then `open`, with back-off; `open`
    finds the same device again and re-applies every setting.
    """

    def open(self) -> CameraLimits:
        """Claim the device and apply every setting.

        Raises:
            DeviceLost: It is not there, or another process holds it.
        """
        ...

    def close(self) -> None:
        """Give the device back. Never raises; closing twice is fine."""
        ...

    def set_exposure(self, exposure_us: float) -> float:
        """Set the exposure time of the next `capture` and return the value read back [us].

        Raises:
            OutOfRange: Not a finite number inside the device's limits; nothing was sent.
            DeviceLost: The device is gone.
        """
        ...

    def set_gain(self, gain_db: float) -> float:
        """Set the gain of the next `capture` and return the value read back [dB]."""
        ...

    def capture(self, not_before_ns: int = 0, overtaken: Callable[[], bool] = never) -> Frame | None:
        """Take one picture whose exposure begins now, or at ``not_before_ns`` if that is later.

        Never returns a picture whose exposure began before the call.

        Args:
            not_before_ns: On the back end's steady clock.
            overtaken: Whether something newer makes this exposure pointless. Asked once, after `abort` has
                been armed: a caller that first changes the answer and then aborts is never missed.

        Returns:
            The frame, or ``None`` when `abort` ended the wait or the exposure was ``overtaken``.

        Raises:
            DeviceTimeout: No frame in the time that its exposure allows.
            FrameIncomplete: The frame was damaged.
            DeviceLost: The device is gone.
        """
        ...

    def abort(self) -> None:
        """End a `capture` in progress early; does nothing when there is none. Callable from any thread."""
        ...

    def describe(self) -> dict[str, Any]:
        """Model, serial number and settings, for diagnostics; ``hardware_id`` names the device."""
        ...
