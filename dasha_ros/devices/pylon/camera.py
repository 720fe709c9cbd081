"""A Basler camera through pylon: GigE, USB, or pylon's own emulator."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from dasha_ros.devices.camera import CameraLimits, Frame, never
from dasha_ros.devices.errors import DeviceError, DeviceLost, FrameIncomplete, OutOfRange, check_number
from dasha_ros.devices.pylon.device import PylonDevice, PylonSettings
from dasha_ros.devices.pylon.discovery import attach
from dasha_ros.devices.pylon.errors import sdk, sdk_open
from dasha_ros.devices.pylon.listener import StreamListener, flag_removal
from dasha_ros.devices.pylon.stream import PylonStream
from dasha_ros.freshness.clock import Clock, SteadyClock

T = TypeVar("T")
PREVIEW_SLICE_MS = 4
"""The reported start of a preview frame may be too early by at most this [ms]."""


class PylonCamera:
    """A `Camera` and `PreviewCamera` behind pylon.

    `capture` throws away older frames, then triggers one picture by software. Every call to the SDK has a
    timeout; SDK callbacks only set a flag. After a loss, `open` accepts only the camera that was lost,
    and restores every setting.

    Args:
        settings: Which camera, and how to set it up.
        clock: A steady one, of frames and of ``not_before_ns``.
        attach: Makes the ``InstantCamera`` for an address.
        listener: Told before every exposure.
    """

    def __init__(
        self,
        settings: PylonSettings,
        clock: Clock | None = None,
        *,
        attach: Callable[[str], Any] = attach,
        listener: StreamListener | None = None,
    ) -> None:
        self.settings = settings
        self.counts: Counter[str] = Counter()
        """Frames, and what went wrong with them, since this object was made."""
        self._clock = clock or SteadyClock()
        self._attach = attach
        self._listener = listener
        self._address = settings.address
        self._exposure_us = settings.exposure_us
        self._gain_db = settings.gain_db
        self._camera: Any = None
        self._device: PylonDevice | None = None
        self._stream: PylonStream | None = None
        self._lending = threading.Lock()
        """Held while another thread uses the node map, so that the camera is not destroyed under it."""
        self._abort = threading.Event()
        self._removed = threading.Event()
        self._preview_rate_hz = 0.0
        self._silent = 0
        self._heard_at = 0.0

    def open(self) -> CameraLimits:
        """Claim the camera and apply every setting.

        Raises:
            DeviceLost: It is not there, or another process holds it.
            OutOfRange: It is there and cannot be set up as the settings say.
        """
        self.close()
        self._removed.clear()
        self._silent = 0
        self._camera = self._attach(self._address)
        try:
            with sdk_open(self._camera, f"opening camera {self._address or 'device'}"):
                flag_removal(self._camera, self._removed)
                self._camera.Open()
                device = PylonDevice(self._camera, self.settings, self._exposure_us, self._gain_db)
                self._stream = PylonStream(self._camera, device, self._removed.is_set)
                if self._listener is not None:
                    self._listener.opened(device.node_map)
                limits = device.limits
        except DeviceError:
            self.close()
            raise
        self._device = device
        self._address = device.serial_number
        return limits

    def close(self) -> None:
        """Give the camera back."""
        with self._lending:
            camera, self._camera, self._device, self._stream = self._camera, None, None, None
            if camera is None:
                return
            from pypylon import genicam

            # On a camera that is gone each step may fail; try the next one all the same.
            for step in (camera.StopGrabbing, camera.Close, camera.DestroyDevice):
                try:
                    step()
                except genicam.GenericException:
                    self.counts["failed closes"] += 1
        self._preview_ended()

    def with_nodes(self, call: Callable[[Any], T]) -> T:
        """The result of ``call`` with the node map, from any thread; the camera stays open meanwhile.

        Raises:
            DeviceLost: The camera is not open or gone.
            DeviceError: It refused.
        """
        with self._lending:
            if self._device is None:
                raise DeviceLost("the camera is not open")
            with sdk(self._camera, "using its lens port"):
                return call(self._device.node_map)

    def set_exposure(self, exposure_us: float) -> float:
        """Set the exposure time of the next frame and return the value read back [us]."""
        device, _ = self._opened()
        with sdk(self._camera, "setting the exposure"):
            limits = device.limits
            low, high = limits.exposure_min_us, limits.exposure_max_us
            if not (math.isfinite(exposure_us) and low <= exposure_us <= high):
                raise OutOfRange(
                    f"exposure {exposure_us!r} us refused: this camera takes {low:g} to {high:g} us"
                )
            if exposure_us != self._exposure_us:
                device.set_exposure(exposure_us)
                self._exposure_us = exposure_us
                self._restart_preview()
            return device.exposure_us

    def set_gain(self, gain_db: float) -> float:
        """Set the gain of the next frame, clipped to the camera's limits; returns the value read back [dB].

        Raises:
            OutOfRange: Not a finite number.
            DeviceLost: The device is gone.
        """
        device, _ = self._opened()
        check_number("gain", gain_db, "dB")
        with sdk(self._camera, "setting the gain"):
            if gain_db != self._gain_db:
                device.set_gain(gain_db)
                self._gain_db = gain_db
                self._restart_preview()
            return device.gain_db

    def capture(self, not_before_ns: int = 0, overtaken: Callable[[], bool] = never) -> Frame | None:
        """Take one picture whose exposure begins now, or at ``not_before_ns`` if that is later."""
        device, stream = self._opened()
        self._abort.clear()
        if overtaken():
            return None
        with sdk(self._camera, "getting ready"):
            if stream.free_running:
                self.stop_preview()
            stream.start_triggered()
            exposure_us, gain_db = device.exposure_us, device.gain_db
            if self._listener is not None:
                self._listener.planned(exposure_us, gain_db, not_before_ns)
        if not self._clock.wait_until(not_before_ns, self._abort):
            return None
        with sdk(self._camera, "taking a picture"):
            if self._listener is not None:
                self._listener.before_trigger(exposure_us, gain_db)
            stream.wait_ready()
            self.counts["stale frames"] += stream.discard()
            # Taken before the trigger: never later than the true start of the exposure.
            begun_ns = self._clock.now_ns()
            stream.trigger()
            timeout_s = exposure_us / 1e6 + self.settings.margin_s
            result = stream.next(timeout_s, self._abort.is_set)
            if result is None:
                # The late frame must not answer the next trigger.
                stream.stop()
                self._missed(timeout_s)
                return None
            return self._frame(device, result, begun_ns, exposure_us, gain_db)

    def abort(self) -> None:
        """End a `capture` or `latest` in progress within 20 ms. Callable from any thread."""
        self._abort.set()

    def start_preview(self, frame_rate_hz: float = 0.0) -> float:
        """Run freely, keeping only the newest frame; returns the rate that the camera will reach [Hz]."""
        device, stream = self._opened()
        with sdk(self._camera, "running freely"):
            self._preview_rate_hz = frame_rate_hz
            if self._listener is not None:
                self._listener.free_running(device.exposure_us, device.gain_db, frame_rate_hz)
            self._heard_at = time.monotonic()
            return stream.start_free(frame_rate_hz)

    def latest(self, timeout_s: float) -> Frame | None:
        """The newest frame that was not returned yet; ``None`` when none came in time or on `abort`."""
        device, stream = self._opened()
        if not stream.free_running:
            raise DeviceError("no preview is running; call start_preview first")
        self._abort.clear()
        with sdk(self._camera, "running freely"):
            result = stream.next(timeout_s, self._abort.is_set, PREVIEW_SLICE_MS)
            if result is None:
                self._check_preview(device)
                return None
            self._heard_at = time.monotonic()
            exposure_us = device.exposure_us
            age_s = self._heard_at - stream.arrived_after + exposure_us / 1e6 + device.readout_s
            begun_ns = self._clock.now_ns() - round(age_s * 1e9)
            return self._frame(device, result, begun_ns, exposure_us, device.gain_db)

    def stop_preview(self) -> None:
        """Stop running freely."""
        _, stream = self._opened()
        with sdk(self._camera, "stopping"):
            stream.stop()
        self._preview_ended()

    def describe(self) -> dict[str, Any]:
        """Model, serial number, settings as read from the camera, and counts."""
        described: dict[str, Any] = {
            "hardware_id": f"Basler camera {self._address}".strip(),
            "model": "Basler camera, not open",
            "address": self._address,
        }
        if self._device is not None:
            try:
                with sdk(self._camera, "describing itself"):
                    described = self._device.describe()
            except DeviceError as error:
                described["error"] = str(error)
        return described | {f"count {name}": count for name, count in sorted(self.counts.items()) if count}

    def _opened(self) -> tuple[PylonDevice, PylonStream]:
        if self._device is None or self._stream is None:
            raise DeviceLost(f"camera {self._address or 'device'} is not open")
        if self._removed.is_set():
            raise DeviceLost(f"camera {self._address} was removed. Check its power and cable.")
        return self._device, self._stream

    def _missed(self, timeout_s: float) -> None:
        if self._abort.is_set():
            self.counts["aborted"] += 1
            return
        self.counts["timeouts"] += 1
        self._silent += 1
        raise self.settings.missing_frame(f"camera {self._address}", timeout_s, self._silent)

    def _check_preview(self, device: PylonDevice) -> None:
        period_s = 1.0 / self._preview_rate_hz if self._preview_rate_hz > 0 else 0.0
        frame_s = device.exposure_us / 1e6 + period_s + self.settings.margin_s
        silence_s = time.monotonic() - self._heard_at
        if silence_s > self.settings.silent_frames * frame_s:
            self.counts["timeouts"] += 1
            raise DeviceLost(
                f"camera {self._address} has sent no frame for {silence_s:.1f} s of its preview:"
                " it is there but silent, open it again"
            )

    def _frame(
        self, device: PylonDevice, result: Any, begun_ns: int, exposure_us: float, gain_db: float
    ) -> Frame:
        self._silent = 0
        try:
            if not result.GrabSucceeded():
                self.counts["incomplete"] += 1
                raise FrameIncomplete(
                    f"a frame of camera {self._address} was damaged ({result.ErrorDescription})."
                    " If this is frequent: larger packets, a longer packet delay, or another network card."
                )
            pixels = device.reader.pixels(result)
            told = {name: device.reader.chunk(result, name) for name in device.chunks}
        finally:
            result.Release()
        self.counts["frames"] += 1
        if (own_us := told.get("ExposureTime")) is not None:
            exposure_us = own_us
        if (own_db := told.get("Gain")) is not None:
            gain_db = own_db
        return Frame(pixels, device.reader.encoding, begun_ns, exposure_us, gain_db)

    def _restart_preview(self) -> None:
        """Restart the stream, so that no frame made with the old setting can arrive any more."""
        if self._stream is not None and self._stream.free_running:
            self.start_preview(self._preview_rate_hz)

    def _preview_ended(self) -> None:
        if self._listener is not None:
            self._listener.stopped()
