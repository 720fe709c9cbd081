"""A GenICam camera through Aravis."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from dasha_ros.devices.aravis.device import AravisDevice, AravisSettings
from dasha_ros.devices.aravis.discovery import GenicamFound, chosen, list_cameras
from dasha_ros.devices.aravis.library import aravis, calls
from dasha_ros.devices.camera import CameraLimits, Frame, never
from dasha_ros.devices.errors import DeviceError, DeviceLost, FrameIncomplete, OutOfRange, check_number
from dasha_ros.freshness.clock import Clock, SteadyClock

_BUFFERS = 4
_SOCKET_BYTES = 8 * 2**20
"""Packets of a GigE camera that wait for a busy reader [bytes]."""
_SLICE_US = 20_000
"""How often an abort is looked for during a wait."""


class AravisCamera:
    """A `Camera` behind Aravis: each picture is triggered by software.

    After a loss, `open` accepts only the camera that was lost, and restores every setting.
    """

    def __init__(
        self,
        settings: AravisSettings,
        clock: Clock | None = None,
        *,
        find: Callable[[], list[GenicamFound]] = list_cameras,
    ) -> None:
        """Not opened yet.

        Args:
            settings: Which camera, and how to set it up.
            clock: A steady one, of frames and of ``not_before_ns``.
            find: Lists the cameras.
        """
        self.settings = settings
        self.counts: Counter[str] = Counter()
        """Frames, and what went wrong with them, since this object was made."""
        self._clock, self._find = clock or SteadyClock(), find
        self._address = settings.address
        self._exposure_us, self._gain_db = settings.exposure_us, settings.gain_db
        self._camera: Any = None
        self._device: AravisDevice | None = None
        self._stream: Any = None
        self._limits: CameraLimits | None = None
        self._is_running = False
        self._abort, self._removed = threading.Event(), threading.Event()
        self._silent = 0

    def open(self) -> CameraLimits:
        """Claim the camera and apply every setting.

        Raises:
            DeviceLost: It is not there, or another program controls it.
            OutOfRange: It is there and cannot be set up as the settings say.
            ExtraMissing: Aravis is not installed.
        """
        self.close()
        self._removed.clear()
        self._silent = 0
        found = chosen(self._find(), self._address)
        try:
            with calls(str(found), "it is opened"):
                self._camera = camera = aravis().Camera.new(found.id)
                camera.get_device().connect("control-lost", lambda *_: self._removed.set())
                self._device = device = AravisDevice(camera, found, self.settings)
                limits = self._limits = device.limits
                camera.set_exposure_time(limits.nearest_exposure_us(self._exposure_us))
                if device.has_gain:
                    camera.set_gain(limits.nearest_gain_db(self._gain_db))
                self._stream = stream = camera.create_stream(None, None)
                if camera.is_gv_device():
                    # The system makes it smaller where it must (net.core.rmem_max).
                    stream.props.socket_buffer = aravis().GvStreamSocketBuffer.FIXED
                    stream.props.socket_buffer_size = _SOCKET_BYTES
                for _ in range(_BUFFERS):
                    stream.push_buffer(aravis().Buffer.new_allocate(camera.get_payload()))
        except DeviceError:
            self.close()
            raise
        self._address = found.serial_number or found.id
        return limits

    def close(self) -> None:
        """Give the camera back."""
        camera, self._camera, self._device, self._stream = self._camera, None, None, None
        if camera is None:
            return
        was_running, self._is_running = self._is_running, False
        try:
            with calls(f"GenICam camera {self._address}", "it is closed"):
                if was_running:
                    camera.stop_acquisition()
                # Else the control ends with the last reference, which an error may hold for long.
                if camera.is_gv_device() and camera.get_device().is_controller():
                    camera.get_device().leave_control()
        except DeviceError:
            self.counts["failed closes"] += 1

    def set_exposure(self, exposure_us: float) -> float:
        """Set the exposure time of the next frame and return the value read back [us]."""
        device, limits, _ = self._opened()
        low, high = limits.exposure_min_us, limits.exposure_max_us
        if not low <= exposure_us <= high:
            raise OutOfRange(f"exposure {exposure_us!r} us refused: this camera takes {low:g} to {high:g} us")
        with calls(str(device.found), "setting the exposure"):
            device.camera.set_exposure_time(exposure_us)
            in_force_us = device.exposure_us
        # Remembered only now: a command that failed half-way must not come back after a loss.
        self._exposure_us = exposure_us
        return in_force_us

    def set_gain(self, gain_db: float) -> float:
        """Set the gain of the next frame, clipped to the camera's limits; returns the value read back [dB].

        Raises:
            OutOfRange: Not a finite number.
            DeviceLost: The device is gone.
        """
        device, limits, _ = self._opened()
        check_number("gain", gain_db, "dB")
        if not device.has_gain:
            return 0.0
        with calls(str(device.found), "setting the gain"):
            device.camera.set_gain(limits.nearest_gain_db(gain_db))
            in_force_db = device.gain_db
        self._gain_db = gain_db
        return in_force_db

    def capture(self, not_before_ns: int = 0, overtaken: Callable[[], bool] = never) -> Frame | None:
        """Take one picture whose exposure begins now, or at ``not_before_ns`` if that is later."""
        device, _, stream = self._opened()
        self._abort.clear()
        if overtaken():
            return None
        if not self._clock.wait_until(not_before_ns, self._abort):
            return None
        with calls(str(device.found), "taking a picture"):
            exposure_us, gain_db = device.exposure_us, device.gain_db
            if not self._is_running:
                device.camera.start_acquisition()
                self._is_running = True
            self.counts["stale frames"] += _emptied(stream)
            # Taken before the trigger: never later than the true start of the exposure.
            begun_ns = self._clock.now_ns()
            device.camera.software_trigger()
            timeout_s = exposure_us / 1e6 + self.settings.margin_s
            buffer = self._next(stream, timeout_s)
            if buffer is None:
                # The late frame must not answer the next trigger.
                device.camera.stop_acquisition()
                self._is_running = False
                self._missed(timeout_s)
                return None
            return self._frame(device, buffer, begun_ns, exposure_us, gain_db)

    def abort(self) -> None:
        """End a `capture` in progress within 20 ms. Callable from any thread."""
        self._abort.set()

    def describe(self) -> dict[str, Any]:
        """Model, serial number, settings as read from the camera, and counts."""
        described: dict[str, Any] = {
            "hardware_id": f"GenICam camera {self._address}".strip(),
            "model": "GenICam camera, not open",
            "address": self._address,
        }
        if self._device is not None:
            try:
                with calls(str(self._device.found), "it describes itself"):
                    described = self._device.describe()
            except DeviceError as error:
                described["error"] = str(error)
        return described | {f"count {name}": count for name, count in sorted(self.counts.items()) if count}

    def _opened(self) -> tuple[AravisDevice, CameraLimits, Any]:
        if self._device is None or self._limits is None:
            raise DeviceLost(f"GenICam camera {self._address or 'device'} is not open")
        if self._removed.is_set():
            raise DeviceLost(f"{self._device.found} was lost. Check its power and cable")
        return self._device, self._limits, self._stream

    def _next(self, stream: Any, timeout_s: float) -> Any:
        """The next buffer; ``None`` when time is up or somebody aborts."""
        end = time.monotonic() + timeout_s
        while not self._abort.is_set() and (left_s := end - time.monotonic()) > 0.0:
            buffer = stream.timeout_pop_buffer(min(_SLICE_US, math.ceil(left_s * 1e6)))
            if buffer is not None:
                return buffer
            if self._removed.is_set():
                raise DeviceLost(f"GenICam camera {self._address} was lost. Check its power and cable")
        return None

    def _missed(self, timeout_s: float) -> None:
        if self._abort.is_set():
            self.counts["aborted"] += 1
            return
        self.counts["timeouts"] += 1
        self._silent += 1
        raise self.settings.missing_frame(f"GenICam camera {self._address}", timeout_s, self._silent)

    def _frame(
        self, device: AravisDevice, buffer: Any, begun_ns: int, exposure_us: float, gain_db: float
    ) -> Frame:
        self._silent = 0
        try:
            status = buffer.get_status()
            if status != aravis().BufferStatus.SUCCESS:
                self.counts["incomplete"] += 1
                raise FrameIncomplete(
                    f"a frame of {device.found} was damaged ({status.value_nick}). If this is frequent: "
                    "larger packets, another network card, or a free USB port"
                )
            pixels = device.pixels(buffer)
        finally:
            self._stream.push_buffer(buffer)
        self.counts["frames"] += 1
        return Frame(pixels, device.encoding, begun_ns, exposure_us, gain_db)


def _emptied(stream: Any) -> int:
    """Throw away every frame that has arrived; returns how many there were."""
    count = 0
    while (buffer := stream.try_pop_buffer()) is not None:
        stream.push_buffer(buffer)
        count += 1
    return count
