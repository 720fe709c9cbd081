"""A webcam behind no kernel: the emulated webcam's controls, and frames that come by a clock.

It stands for `devices.v4l2.linux` in fast tests. `test/webcam` runs the same suites through the kernel.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.v4l2.controls import Control, ControlId
from dasha_ros.devices.v4l2.device import WebcamAccess
from dasha_ros.devices.v4l2.discovery import WebcamFound
from dasha_ros.devices.v4l2.port import PictureFormat, RawPicture
from dasha_ros.emulators.webcam.controls import BY_NAME, ControlStates, Shown, WebcamKnobs
from dasha_ros.freshness.clock import Clock

UVC_NAMES = {
    ControlId.AUTO_EXPOSURE: "auto_exposure",
    ControlId.EXPOSURE_TIME_ABSOLUTE: "exposure_time",
    ControlId.FOCUS_ABSOLUTE: "focus",
    ControlId.FOCUS_AUTOMATIC_CONTINUOUS: "auto_focus",
    ControlId.GAIN: "gain",
    ControlId.POWER_LINE_FREQUENCY: "power_line",
    ControlId.AUTO_WHITE_BALANCE: "auto_white_balance",
}
AUTO_EXPOSURE_BITS = {1: 1, 3: 8}
"""Linux's menu of ``auto_exposure``, and the device's bits."""
QUEUE = 4


def flat_picture(shown: Shown, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture that tells what made it; see `told`."""
    picture = np.zeros(size, np.uint8)
    picture[0] = round((shown.focus_dioptres + 1.0) * 40.0)
    picture[1, :2] = divmod(round(shown.exposure_us / 100.0), 256)
    picture[1, 2] = round(shown.gain * 16)
    return picture


def told(picture: NDArray[np.uint8]) -> tuple[int, float]:
    """The exposure [100 us] and the focus [D] that made a picture of `flat_picture`."""
    return int(picture[1, 0]) * 256 + int(picture[1, 1]), float(picture[0, 0]) / 40.0 - 1.0


class MemoryWebcam:
    """The device: plug it, pull it, and open ports on it."""

    def __init__(
        self,
        clock: Clock,
        folder: Path,
        *,
        knobs: WebcamKnobs | None = None,
        has_focus: bool = True,
        rate_hz: float = 30.0,
        size: tuple[int, int] = (48, 64),
        paint: Callable[[Shown, tuple[int, int]], NDArray[np.uint8]] = flat_picture,
        extra: tuple[Control, ...] = (),
    ) -> None:
        self.clock, self.size, self.rate_hz, self.paint, self.extra = clock, size, rate_hz, paint, extra
        self.knobs = knobs or WebcamKnobs()
        self.has_focus = has_focus
        self.states = ControlStates(self.knobs, has_focus=has_focus)
        self.found = WebcamFound(Path("/dev/video7"), "Memory webcam", "1209:da54", "W1", "1-1")
        self.plugged = True
        self.streaming: MemoryPort | None = None
        self.shown: list[Shown] = []
        """What made each frame since the device was plugged in."""
        self.sent: list[tuple[str, int]] = []
        """Every value that reached it, by its own names."""
        self.lose = lambda frame: False
        """Whether a frame is lost on the way."""
        self.access = WebcamAccess(self.find, self.open, folder)

    def find(self) -> list[WebcamFound]:
        return [self.found] if self.plugged else []

    def open(self, found: WebcamFound) -> MemoryPort:
        assert found == self.found
        return MemoryPort(self)

    def unplug(self) -> None:
        self.plugged, self.streaming = False, None

    def plug(self) -> None:
        """Power comes back: everything is at its default."""
        self.states = ControlStates(self.knobs, has_focus=self.has_focus)
        self.plugged = True


class MemoryPort:
    """A `WebcamPort`."""

    def __init__(self, device: MemoryWebcam) -> None:
        self._device, self._states = device, device.states
        self._queue: deque[RawPicture] = deque(maxlen=QUEUE)
        self._period_ns = round(1e9 / device.rate_hz)
        self._next_ns = 0
        self._shown: Shown | None = None

    def _check(self) -> None:
        if not self._device.plugged or self._device.states is not self._states:
            raise DeviceLost(f"webcam {self._device.found} was lost. Check cable and USB port")

    def controls(self) -> dict[int, Control]:
        self._check()
        known = {c.name: c for c in self._states.controls}
        controls = {
            int(number): Control(
                int(number),
                number.name.lower(),
                known[name].minimum,
                3 if name == "auto_exposure" else known[name].maximum,
                1 if name == "auto_exposure" else known[name].step,
                3 if name == "auto_exposure" else known[name].default,
            )
            for number, name in UVC_NAMES.items()
            if name in known
        }
        return controls | {control.id: control for control in self._device.extra}

    def get(self, control: Control) -> int:
        self._check()
        name = UVC_NAMES.get(control.id)
        if name is None:
            return control.default
        value = self._states.get(name)
        return {8: 3}.get(value, value) if name == "auto_exposure" else value

    def set(self, control: Control, value: int) -> None:
        self._check()
        name = UVC_NAMES.get(control.id, "")
        self._device.sent.append((name, value))
        device_value = AUTO_EXPOSURE_BITS.get(value, 0) if name == "auto_exposure" else value
        self._catch_up()
        if name not in BY_NAME or not self._states.set(name, device_value):
            raise DeviceError(f"webcam refused setting {control.name} to {value}")

    def formats(self) -> list[PictureFormat]:
        self._check()
        height, width = self._device.size
        return [PictureFormat("GREY", width, height, self._device.rate_hz)]

    def frame_s(self) -> float:
        return 1.0 / self._device.rate_hz

    def start(self, format: PictureFormat) -> PictureFormat:
        self._check()
        if self._device.streaming is not None:
            raise DeviceLost("another program uses webcam Memory webcam: close it")
        self._device.streaming = self
        self._next_ns = self._device.clock.now_ns()
        return format

    def stop(self) -> None:
        if self._device.streaming is self:
            self._device.streaming = None

    def drain(self) -> int:
        self._check()
        self._catch_up()
        count = len(self._queue)
        self._queue.clear()
        return count

    def next(self, timeout_s: float, interrupted: Callable[[], bool]) -> RawPicture | None:
        clock = self._device.clock
        end_ns = clock.now_ns() + round(timeout_s * 1e9)
        while not interrupted():
            self._check()
            self._catch_up()
            if self._queue:
                return self._queue.popleft()
            if clock.now_ns() >= end_ns:
                return None
            clock.wait_until(min(end_ns, self._complete_ns()))
        return None

    def close(self) -> None:
        self.stop()

    def _complete_ns(self) -> int:
        """When the frame in progress is complete; an exposure longer than the period delays it."""
        if self._shown is None:
            self._shown = self._states.begin_frame(self._next_ns)
            self._device.shown.append(self._shown)
        return self._next_ns + max(self._period_ns, round(self._shown.exposure_us * 1e3))

    def _catch_up(self) -> None:
        """Take every frame that is complete by now; one that finds the queue full is lost."""
        device = self._device
        if device.streaming is not self:
            return
        while (complete_ns := self._complete_ns()) <= device.clock.now_ns():
            begun_ns, self._next_ns = self._next_ns, complete_ns
            shown, self._shown = self._shown, None
            assert shown is not None
            if len(self._queue) < QUEUE and not device.lose(len(device.shown)):
                self._queue.append(RawPicture(device.paint(shown, device.size).tobytes(), begun_ns))
