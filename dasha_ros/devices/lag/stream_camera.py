"""What cameras share whose stream runs all the time: pictures pass until one answers."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from dasha_ros.devices.camera import Frame, never
from dasha_ros.devices.errors import DeviceError, DeviceLost, DeviceTimeout
from dasha_ros.devices.lag.counting import CountedFrames
from dasha_ros.freshness.clock import Clock, SteadyClock

_SILENT = 3
"""After this many pictures in a row that did not come, the device counts as lost."""

Picture = TypeVar("Picture")
Sent_co = TypeVar("Sent_co", covariant=True)


class Stream(Protocol[Sent_co]):
    """Pictures as they arrive."""

    def drain(self) -> int:
        """Throw away every picture that has arrived; returns how many."""
        ...

    def next(self, timeout_s: float, interrupted: Callable[[], bool]) -> Sent_co | None:
        """The next picture; ``None`` after the time, or when ``interrupted`` says so."""
        ...


class StreamCamera(ABC, Generic[Picture]):
    """Captures from a stream. Subclasses open and set the device, and say which picture answers."""

    def __init__(self, clock: Clock | None) -> None:
        """Not opened yet.

        Args:
            clock: A steady one, of frames and of ``not_before_ns``.
        """
        self.counts: Counter[str] = Counter()
        """Frames, and what went wrong with them, since this object was made."""
        self._clock = clock or SteadyClock()
        self._counted = CountedFrames()
        self._abort = threading.Event()
        self._silent = 0

    def capture(self, not_before_ns: int = 0, overtaken: Callable[[], bool] = never) -> Frame | None:
        """The first picture of the stream that began after the call and answers every setting."""
        stream = self._stream()
        self._abort.clear()
        if overtaken():
            return None
        counted = self._counted
        counted.begin(self._clock.now_ns(), not_before_ns, stream.drain())
        end_ns = counted.end_ns(self._margin_s())
        while (picture := stream.next(self._left_s(end_ns), self._abort.is_set)) is not None:
            if (frame := self._answer(picture)) is not None:
                return frame
            self.counts["frames let pass"] += 1
        if self._abort.is_set():
            self.counts["aborted"] += 1
            return None
        raise self._missed((end_ns - counted.begin_ns) / 1e9)

    def abort(self) -> None:
        """End a `capture` in progress within 20 ms. Callable from any thread."""
        self._abort.set()

    @abstractmethod
    def _stream(self) -> Stream[Picture]:
        """The stream of the open device.

        Raises:
            DeviceLost: It is not open.
        """

    @abstractmethod
    def _answer(self, picture: Picture) -> Frame | None:
        """The frame of a picture that answers; ``None``: it does not."""

    @abstractmethod
    def _margin_s(self) -> float:
        """Time that a frame may take besides its exposure and the lag [s]."""

    @abstractmethod
    def _missing(self, waited_s: float) -> str:
        """A sentence that says that no frame answered within a time, without its full stop."""

    def _counts(self) -> dict[str, int]:
        """The counts for diagnostics."""
        return {f"count {name}": count for name, count in sorted(self.counts.items())}

    def _left_s(self, end_ns: int) -> float:
        return max(0.0, (end_ns - self._clock.now_ns()) / 1e9)

    def _missed(self, waited_s: float) -> DeviceError:
        self.counts["timeouts"] += 1
        self._silent += 1
        message = self._missing(waited_s)
        if self._silent >= _SILENT:
            return DeviceLost(f"{message}, {self._silent} times in a row: open it again")
        return DeviceTimeout(message)
