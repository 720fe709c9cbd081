"""What camera and lens ask of a webcam: its controls, and a stream of pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from dasha_ros.devices.v4l2.controls import Control


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """One way in which a webcam sends pictures."""

    pixels: str
    """``MJPG``, ``YUYV`` or ``GREY``."""
    width: int
    height: int
    rate_hz: float
    """The highest frame rate [Hz]."""
    stride: int = 0
    """Bytes of a row; 0: the rows follow each other, or the format has none."""


@dataclass(frozen=True, slots=True)
class RawPicture:
    """One picture as it came from the device."""

    data: bytes
    stamp_ns: int
    """When it began to arrive, or the device says that it began, on the steady clock; never in the future."""
    damaged: bool = False
    """The driver says that a part is missing."""


class WebcamPort(Protocol):
    """An open webcam. Several ports may be open at once; only one may stream.

    Every method raises `DeviceLost` when the device is gone. Used from one thread at a time.
    """

    def controls(self) -> Mapping[int, Control]:
        """All controls by id, as the device describes them now."""
        ...

    def get(self, control: Control) -> int:
        """Read a control."""
        ...

    def set(self, control: Control, value: int) -> None:
        """Set a control.

        Raises:
            DeviceError: The device refused it.
        """
        ...

    def formats(self) -> list[PictureFormat]:
        """Every way to send pictures that can be decoded here."""
        ...

    def frame_s(self) -> float:
        """Time between two frames that is in force [s]; 0: not known."""
        ...

    def start(self, format: PictureFormat) -> PictureFormat:
        """Start the stream and return the format in force.

        Raises:
            DeviceLost: Another program streams.
        """
        ...

    def stop(self) -> None:
        """Stop the stream. Stopping twice is fine."""
        ...

    def drain(self) -> int:
        """Throw away every picture that has arrived; returns how many."""
        ...

    def next(self, timeout_s: float, interrupted: Callable[[], bool]) -> RawPicture | None:
        """The next picture; ``None`` after the time, or when ``interrupted`` says so."""
        ...

    def close(self) -> None:
        """Give the device back. Never raises; closing twice is fine."""
        ...
