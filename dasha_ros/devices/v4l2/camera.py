"""The camera of a webcam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dasha_ros.devices.camera import CameraLimits, Frame
from dasha_ros.devices.errors import DeviceError, DeviceLost, FrameIncomplete, OutOfRange, check_number
from dasha_ros.devices.lag.stream_camera import StreamCamera
from dasha_ros.devices.v4l2.controls import (
    EXPOSURE_MANUAL,
    EXPOSURE_UNIT_US,
    POWER_LINE,
    Control,
    ControlId,
    chosen_controls,
    need_range,
)
from dasha_ros.devices.v4l2.device import Webcam, WebcamAccess
from dasha_ros.devices.v4l2.formats import best_format
from dasha_ros.devices.v4l2.gain import GainScale
from dasha_ros.devices.v4l2.pixels import ENCODINGS, decode
from dasha_ros.devices.v4l2.port import RawPicture, WebcamPort
from dasha_ros.freshness.clock import Clock

_START_S = 5.0
"""The first picture of a stream may take this much longer: webcams take a second or two to start [s]."""
_AUTOMATICS = {
    ControlId.AUTO_EXPOSURE: EXPOSURE_MANUAL,
    ControlId.AUTO_GAIN: 0,
    ControlId.AUTO_WHITE_BALANCE: 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WebcamSettings:
    """Which webcam, and how to set it up."""

    address: str = ""
    """Serial number, bus path, name, or a path; empty: the only one."""
    encoding: str = "mono8"
    """``mono8`` or ``rgb8``."""
    width: int = 640
    height: int = 480
    """The nearest size that the device has is used [px]."""
    pixels: str = ""
    """``MJPG``, ``YUYV`` or ``GREY``; empty: the one with the highest frame rate."""
    exposure_us: float = 10_000.0
    gain_db: float = 0.0
    power_line_hz: int = -1
    """Frequency of the light's flicker: 50 or 60 Hz, 0: none; -1: as the device has it."""
    controls: tuple[str, ...] = ()
    """``NAME=VALUE`` of other controls to set while the camera is open."""
    latency: str = ""
    """File of the measured lag; empty: the one of this model."""
    margin_s: float = 0.5
    """Time that a frame may take besides its exposure and the lag [s]."""

    def __post_init__(self) -> None:
        """Check what is clipped to the webcam's limits.

        Raises:
            OutOfRange: Exposure or gain is not a finite number.
        """
        check_number("exposure", self.exposure_us, "us")
        check_number("gain", self.gain_db, "dB")


class WebcamCamera(StreamCamera[RawPicture]):
    """A `Camera` whose stream runs all the time; the frames that answer a command are told by counting.

    A setting is read back at once, but the picture follows later: until the measured lag and a margin have
    passed, no frame is returned. Automatic exposure, gain and white balance are off while the camera is open.
    """

    def __init__(
        self, settings: WebcamSettings, clock: Clock | None = None, access: WebcamAccess | None = None
    ) -> None:
        """Not opened yet.

        Args:
            settings: Which webcam, and how to set it up.
            clock: A steady one, of frames and of ``not_before_ns``.
            access: How to get at the device.

        Raises:
            ValueError: The encoding is none that a webcam has.
        """
        if settings.encoding not in ENCODINGS:
            raise ValueError(f"encoding {settings.encoding!r}: a webcam has {' and '.join(ENCODINGS)}")
        super().__init__(clock)
        self.settings = settings
        self._webcam = Webcam("camera", settings.address, settings.latency, access)
        self._exposure_us, self._gain_db = settings.exposure_us, settings.gain_db
        self._streams = False
        """Whether a picture has come since the stream was started."""

    def open(self) -> CameraLimits:
        """Claim the camera, switch its automatic functions off, apply every setting and start its stream.

        Raises:
            DeviceLost: It is not there, another program uses it, or it cannot be set up.
            OutOfRange: The settings name a control or a value that it does not have.
        """
        self.close()
        port = self._webcam.open()
        try:
            return self._set_up(port)
        except DeviceError as error:
            self.close()
            if isinstance(error, DeviceLost | OutOfRange):
                raise
            raise DeviceLost(f"{error}; it can't be used without") from error

    def close(self) -> None:
        """Stop the stream, give the automatic functions back, and then the camera."""
        self._webcam.close()

    def set_exposure(self, exposure_us: float) -> float:
        """Set the exposure time of the next `capture`, in steps of the device [us]."""
        port, limits = self._webcam.opened(), self._limits
        if not limits.exposure_min_us <= exposure_us <= limits.exposure_max_us:
            raise OutOfRange(
                f"exposure {exposure_us!r} us refused: this webcam takes {limits.exposure_min_us:g} to "
                f"{limits.exposure_max_us:g} us"
            )
        value = self._exposure.nearest(exposure_us / EXPOSURE_UNIT_US)
        self._counted.exposing(exposure_us)
        self._command(port, self._exposure, value)
        self._exposure_us = exposure_us
        return value * EXPOSURE_UNIT_US

    def set_gain(self, gain_db: float) -> float:
        """Set the gain of the next `capture`, clipped to the webcam's limits; see `gain.GainScale` [dB].

        Raises:
            OutOfRange: Not a finite number.
            DeviceLost: The device is gone.
        """
        port = self._webcam.opened()
        check_number("gain", gain_db, "dB")
        if self._gain is None:
            return 0.0
        value = self._gain.value(gain_db)
        self._command(port, self._gain.control, value)
        self._gain_db = gain_db
        return self._gain.db(value)

    def describe(self) -> dict[str, Any]:
        """Model, node, settings, the assumed lag, and counts."""
        described = self._webcam.describe()
        if self._webcam.port is not None:
            format = self._format
            described["format"] = f"{format.width}x{format.height} {format.pixels} at {format.rate_hz:.3g} Hz"
            described["exposure_us"] = self._in_force.get(self._exposure.id, 0) * EXPOSURE_UNIT_US
        return described | self._counts()

    def _set_up(self, port: WebcamPort) -> CameraLimits:
        webcam, settings = self._webcam, self.settings
        controls = webcam.controls
        self._exposure = need_range(controls, ControlId.EXPOSURE_TIME_ABSOLUTE, webcam.name)
        self._gain = GainScale.of(controls.get(ControlId.GAIN))
        self._in_force: dict[int, int] = {}
        for which, off in _AUTOMATICS.items():
            if which in controls:
                webcam.take(controls[which], off)
        if settings.power_line_hz >= 0 and (line := controls.get(ControlId.POWER_LINE_FREQUENCY)):
            webcam.take(line, POWER_LINE[settings.power_line_hz])
        for number, value in chosen_controls(controls, settings.controls).items():
            webcam.take(controls[number], value)
        wanted = best_format(port.formats(), settings.width, settings.height, settings.pixels, webcam.name)
        self._format = port.start(wanted)
        self._silent, self._streams = 0, False
        exposure, gain = self._exposure, self._gain
        self._limits = CameraLimits(
            width=self._format.width,
            height=self._format.height,
            encoding=settings.encoding,
            exposure_min_us=exposure.minimum * EXPOSURE_UNIT_US,
            exposure_max_us=exposure.greatest * EXPOSURE_UNIT_US,
            gain_min_db=0.0,
            gain_max_db=gain.greatest_db if gain else 0.0,
        )
        # The first pictures of a stream may show anything.
        self._counted.latency = webcam.latency
        self._counted.nominal_s = 1.0 / self._format.rate_hz if self._format.rate_hz else 0.0
        self._counted.commanded()
        self.set_exposure(self._limits.nearest_exposure_us(self._exposure_us))
        self.set_gain(self._limits.nearest_gain_db(self._gain_db))
        return self._limits

    def _command(self, port: WebcamPort, control: Control, value: int) -> None:
        """Give the device a value that it does not have yet, and let the lag pass."""
        if self._in_force.get(control.id) == value:
            return
        # A command that failed half-way may be in force; the device says what it has.
        self._in_force.pop(control.id, None)
        try:
            self._webcam.take(control, value)
        finally:
            port.drain()
            self._counted.commanded()
        self._in_force[control.id] = value

    def _value(self, port: WebcamPort, control: Control) -> int:
        """The value in force."""
        if control.id not in self._in_force:
            self._in_force[control.id] = port.get(control)
        return self._in_force[control.id]

    def _stream(self) -> WebcamPort:
        return self._webcam.opened()

    def _margin_s(self) -> float:
        return self.settings.margin_s + (0.0 if self._streams else _START_S)

    def _answer(self, picture: RawPicture) -> Frame | None:
        self._streams, port = True, self._webcam.opened()
        exposure_us = self._value(port, self._exposure) * EXPOSURE_UNIT_US
        # The stamp may be that of the first byte, which comes after the exposure.
        begun_ns = picture.stamp_ns - round(exposure_us * 1e3)
        if not self._counted.arrived(begun_ns).answers:
            return None
        gain_db = self._gain.db(self._value(port, self._gain.control)) if self._gain else 0.0
        return self._frame(picture, begun_ns, exposure_us, gain_db)

    def _frame(self, picture: RawPicture, begun_ns: int, exposure_us: float, gain_db: float) -> Frame:
        self._silent = 0
        encoding = self.settings.encoding
        try:
            if picture.damaged:
                raise FrameIncomplete("a part of a frame is missing. If this is frequent: another USB port")
            pixels = decode(picture.data, self._format, encoding)
        except FrameIncomplete:
            self.counts["incomplete"] += 1
            raise
        self.counts["frames"] += 1
        return Frame(pixels, encoding, begun_ns, exposure_us, gain_db)

    def _missing(self, waited_s: float) -> str:
        return f"{self._webcam.name} sent no frame that answers within {waited_s:.2f} s"
