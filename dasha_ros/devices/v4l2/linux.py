"""A `WebcamPort` on ``/dev/video*``, through linuxpy."""

from __future__ import annotations

import errno
import mmap
import os
import select
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.v4l2.controls import Control, plain_name
from dasha_ros.devices.v4l2.discovery import WebcamFound
from dasha_ros.devices.v4l2.pixels import FORMATS
from dasha_ros.devices.v4l2.port import PictureFormat, RawPicture

_BUFFERS = 4
_SLICE_S = 0.02
"""How often an interrupt is looked for during a wait [s]."""
_GONE = (errno.ENODEV, errno.ENXIO, errno.ESHUTDOWN, errno.EBADF, errno.ENOENT)
_BROKEN = (errno.EIO, errno.EPROTO, errno.EPIPE, errno.ETIMEDOUT, errno.EILSEQ)
"""A request failed on the cable: the device is gone, or it refused in a way of its own."""
_OPENING, _STARTING = "opening it", "starting its stream"
# Numbers of linux/videodev2.h, so that the library is imported only when a webcam is opened.
_CAPTURE, _MMAP = 1, 1
_CAN_CAPTURE = 0x1
_DISABLED, _READ_ONLY, _HAS_PAYLOAD = 0x1, 0x4, 0x100
_CONTROL_CLASS = 6
_DAMAGED, _CLOCK, _MONOTONIC = 0x40, 0xE000, 0x2000


class LinuxWebcam:
    """An open ``/dev/video*``; see `WebcamPort`."""

    def __init__(self, found: WebcamFound) -> None:
        """Open the node.

        Raises:
            DeviceLost: It is gone, is no webcam, or may not be opened.
        """
        from linuxpy.video import device

        self._v4l2: Any = device
        self._found, self._name = found, f"webcam {found}"
        self._fd = -1
        self._memory: list[mmap.mmap] = []
        with self._errors(_OPENING):
            self._fd = os.open(found.node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            with self._errors("asking what it is"):
                can = self._v4l2.read_capabilities(self._fd)
        except DeviceError:
            self.close()
            raise
        if not can.device_caps & _CAN_CAPTURE:
            self.close()
            raise DeviceLost(f"{found} sends no pictures; choose another node")

    def controls(self) -> Mapping[int, Control]:
        """All controls by id."""
        with self._errors("reading its controls"):
            described = list(self._v4l2.iter_read_controls(self._fd))
        return {
            control.id: Control(
                control.id,
                plain_name(control.name.decode(errors="replace")),
                control.minimum,
                control.maximum,
                control.step,
                control.default_value,
                writable=not control.flags & (_DISABLED | _READ_ONLY),
            )
            for control in described
            if control.type != _CONTROL_CLASS and not control.flags & _HAS_PAYLOAD
        }

    def get(self, control: Control) -> int:
        """Read a control."""
        with self._errors(f"reading {control.name}"):
            return int(self._v4l2.get_control(self._fd, control.id))

    def set(self, control: Control, value: int) -> None:
        """Set a control."""
        with self._errors(f"setting {control.name} to {value}"):
            self._v4l2.set_control(self._fd, control.id, value)

    def formats(self) -> list[PictureFormat]:
        """Every format that can be decoded, in every size."""
        with self._errors("reading its formats"):
            known = [
                described.pixel_format
                for described in self._v4l2.iter_read_formats(self._fd, _CAPTURE)
                if self._v4l2.human_pixel_format(described.pixel_format) in FORMATS
            ]
            return [
                PictureFormat(
                    self._v4l2.human_pixel_format(size.pixel_format),
                    size.width,
                    size.height,
                    float(size.max_fps),
                )
                for size in self._v4l2.iter_read_pixel_formats_frame_intervals(self._fd, known)
            ]

    def frame_s(self) -> float:
        """Time between two frames [s]."""
        with self._errors("reading its frame rate"), suppress(ZeroDivisionError):
            rate_hz = float(self._v4l2.get_fps(self._fd, _CAPTURE))
            return 1.0 / rate_hz
        return 0.0

    def start(self, format: PictureFormat) -> PictureFormat:
        """Start the stream."""
        self.stop()
        with self._errors(_STARTING):
            self._v4l2.set_format(self._fd, _CAPTURE, format.width, format.height, format.pixels)
            if format.rate_hz:
                with suppress(OSError):  # a device with one rate need not let anybody set it
                    self._v4l2.set_fps(self._fd, _CAPTURE, format.rate_hz)
            given = self._v4l2.get_format(self._fd, _CAPTURE)
            buffers = self._v4l2.request_and_query_buffers(self._fd, _CAPTURE, _MMAP, _BUFFERS)
            self._memory = [self._v4l2.mmap_from_buffer(self._fd, buffer) for buffer in buffers]
            self._v4l2.enqueue_buffers(self._fd, _CAPTURE, _MMAP, len(buffers))
            self._v4l2.stream_on(self._fd, _CAPTURE)
        frame_s = self.frame_s()
        return PictureFormat(
            self._v4l2.human_pixel_format(given.pixel_format),
            given.width,
            given.height,
            1.0 / frame_s if frame_s else format.rate_hz,
            given.bytes_per_line,
        )

    def stop(self) -> None:
        """Stop the stream."""
        if not self._memory:
            return
        memory, self._memory = self._memory, []
        try:
            with self._errors("stopping its stream"):
                self._v4l2.stream_off(self._fd, _CAPTURE)
        finally:
            for buffer in memory:
                buffer.close()
            with suppress(OSError):
                self._v4l2.free_buffers(self._fd, _CAPTURE, _MMAP)

    def drain(self) -> int:
        """Throw away every picture that has arrived."""
        count = 0
        with self._errors("emptying its queue"):
            while (buffer := self._dequeue()) is not None:
                self._v4l2.enqueue_buffer(self._fd, _CAPTURE, _MMAP, 0, buffer.index)
                count += 1
        return count

    def next(self, timeout_s: float, interrupted: Callable[[], bool]) -> RawPicture | None:
        """The next picture."""
        end = time.monotonic() + timeout_s
        with self._errors("waiting for a picture"):
            while not interrupted():
                left_s = end - time.monotonic()
                ready = select.poll()
                ready.register(self._fd, select.POLLIN)
                events = ready.poll(max(0.0, min(left_s, _SLICE_S)) * 1e3)
                if events and (buffer := self._dequeue()) is not None:
                    return self._picture(buffer)
                if left_s <= 0.0:
                    return None
                if events and events[0][1] & (select.POLLERR | select.POLLHUP):
                    raise DeviceLost(f"{self._name} no longer streams. Check cable and USB port")
        return None

    def close(self) -> None:
        """Give the device back."""
        with suppress(DeviceError):
            self.stop()
        if self._fd >= 0:
            with suppress(OSError):
                os.close(self._fd)
            self._fd = -1

    def _dequeue(self) -> Any:
        try:
            return self._v4l2.dequeue_buffer(self._fd, _CAPTURE, _MMAP)
        except BlockingIOError:
            return None

    def _picture(self, buffer: Any) -> RawPicture:
        now_ns = time.monotonic_ns()
        stamp = buffer.timestamp
        # A device's own clock, turned into ours, may run ahead.
        stamp_ns = min(now_ns, stamp.secs * 10**9 + stamp.usecs * 1000)
        if buffer.flags & _CLOCK != _MONOTONIC:
            stamp_ns = now_ns - round(self.frame_s() * 1e9)
        data = self._memory[buffer.index][: buffer.bytesused]
        damaged = bool(buffer.flags & _DAMAGED)
        self._v4l2.enqueue_buffer(self._fd, _CAPTURE, _MMAP, 0, buffer.index)
        return RawPicture(data, stamp_ns, damaged)

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._explained(error, doing) from error

    def _explained(self, error: OSError, doing: str) -> DeviceError:
        """The device error that stands for an error of the kernel."""
        name = self._name
        if error.errno in _GONE or (error.errno in _BROKEN and not self._found.node.exists()):
            return DeviceLost(f"{name} was lost while {doing}. Check cable and USB port")
        if error.errno == errno.EBUSY and doing == _STARTING:
            return DeviceLost(
                f"another program uses {name}: close it (a browser, a video call, another graph;"
                f" `fuser -v {self._found.node}` names it)"
            )
        if error.errno in (errno.EACCES, errno.EPERM) and doing == _OPENING:
            return DeviceLost(
                f"this user may not open {name}: sudo usermod -aG video $USER, then log in again"
            )
        return DeviceError(f"{name} refused {doing}: {error.strerror or error}")
