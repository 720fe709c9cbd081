"""The protocol of lens back ends, and the one gate that every position passes."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol, final, runtime_checkable

from dasha_ros.devices.errors import DeviceError, OutOfRange, as_number
from dasha_ros.optics.lens_info import SETTLE_MAX_S, LensInfo


@dataclass(frozen=True, slots=True)
class LensReading:
    """The state of a lens."""

    position: float
    """Actual position, after the steps of its electronics, in the lens's unit."""
    settle_s: float
    """Time from the command until the lens rests [s]."""
    faults: tuple[str, ...] = ()


def checked_position(position: float, info: LensInfo) -> float:
    """Return ``position`` if the lens may be given it.

    Raises:
        OutOfRange: Not a finite number inside the lens's limits.
    """
    if not info.admits(position):
        raise OutOfRange(
            f"lens position {position!r} refused: it must be a number from {info.position_min} to "
            f"{info.position_max} {info.unit}"
        )
    return float(position)


def checked_reading(reading: object) -> LensReading:
    """Return what a back end said of its lens, if it can be published; numbers are Python's own.

    Raises:
        DeviceError: It is no `LensReading`, or holds what is no number, no time, or no list of faults.
    """
    if not isinstance(reading, LensReading):
        raise DeviceError(f"the lens's back end returned {reading!r:.60}, not a LensReading")
    return replace(
        reading,
        position=_number("position", reading.position),
        settle_s=_number("settle_s", reading.settle_s, 0.0, SETTLE_MAX_S),
        faults=_texts("faults", reading.faults),
    )


def _number(name: str, value: object, least: float = -math.inf, most: float = math.inf) -> float:
    if math.isfinite(number := as_number(value)) and least <= number <= most:
        return number
    limits = f" from {least:g} to {most:g}" if math.isfinite(most) else ""
    raise DeviceError(f"the lens's back end says that {name} is {value!r:.60}; it must be a number{limits}")


def _texts(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, Iterable) and not isinstance(value, str):
        texts = tuple(value)
        if all(isinstance(text, str) for text in texts):
            return texts
    raise DeviceError(f"the lens's back end says that {name} is {value!r:.60}; it must be a tuple of texts")


class Lens(Protocol):
    """A lens that moves where it is told. Back ends are used from one thread at a time."""

    @property
    def info(self) -> LensInfo:
        """Unit, limits, accuracy and map. Values that the device itself reports are known after `open`.

        Raises:
            DeviceLost: Nothing is known before the first `open`.
        """
        ...

    def open(self) -> LensReading:
        """Claim the device, leave it where it is and read it.

        Raises:
            DeviceLost: It is not there, or another process holds it.
        """
        ...

    def close(self) -> None:
        """Put the device to standby and give it back. Never raises; closing twice is fine."""
        ...

    def move(self, position: float) -> LensReading:
        """Command a position and return where the lens really goes.

        Raises:
            OutOfRange: Not a finite number inside the limits of `info`; nothing was sent.
            DeviceTimeout: The device did not acknowledge within its bounded retries.
            DeviceLost: The device is gone.
        """
        ...

    def read(self) -> LensReading:
        """Read position and faults without moving."""
        ...

    def describe(self) -> dict[str, Any]:
        """Model, port and versions, for diagnostics; ``hardware_id`` names the device."""
        ...


@runtime_checkable
class InterruptibleLens(Protocol):
    """A lens whose moves take seconds and can be stopped on the way."""

    def heed(self, overtaken: Callable[[], bool]) -> None:
        """Stop moves that something newer makes pointless: `Lens.move` then raises `MoveOvertaken`.

        Args:
            overtaken: Asked again and again while a move lasts, in the thread that moves.
        """
        ...


class LimitedLens(ABC):
    """Base of the back ends: no position outside the limits ever reaches the device."""

    @property
    @abstractmethod
    def info(self) -> LensInfo:
        """See `Lens.info`."""

    @final
    def move(self, position: float) -> LensReading:
        """Command a position; see `Lens.move`."""
        return self._move(checked_position(position, self.info))

    @abstractmethod
    def _move(self, position: float) -> LensReading:
        """Give the device a position that is inside its limits."""
