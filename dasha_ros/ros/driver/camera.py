"""A camera node of another package as a camera."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dasha_ros.devices.camera import EXPOSURE_LIMITS_US, CameraLimits, Frame
from dasha_ros.devices.errors import DeviceError, DeviceLost, OutOfRange
from dasha_ros.devices.lag.latency import SLOWEST_S
from dasha_ros.devices.lag.stream_camera import StreamCamera
from dasha_ros.freshness.clock import Clock
from dasha_ros.ros.driver.answers import Answers
from dasha_ros.ros.driver.device import DriverDevice, MakePort
from dasha_ros.ros.driver.parameters import NumberParameter
from dasha_ros.ros.driver.port import DriverPicture, DriverPort
from dasha_ros.ros.driver.table import DriverDescription

_FIRST_S = 5.0
"""How long the first picture may take [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverSettings:
    """How to use a driver."""

    node: str = ""
    """Its name in the graph, with its namespace; empty: the usual one."""
    exposure_us: float = 10_000.0
    gain_db: float = 0.0
    latency: str = ""
    """File of the measured lag; empty: the one of this driver and node."""
    margin_s: float = 0.5
    """Time that a frame may take besides its exposure and the lag [s]."""
    notes: Path | None = None
    """Folder of the notes of what is to be given back after a kill; ``None``: none are kept."""


class DriverCamera(StreamCamera[DriverPicture]):
    """A `Camera` whose pictures another node publishes all the time.

    A setting is a parameter of that node. Where its pictures have metadata, the first whose own metadata
    carry the setting answers it. Where they have none, frames are counted: none answers until the measured
    lag and a margin have passed. Automatic functions are off while the camera is open.
    """

    def __init__(
        self,
        description: DriverDescription,
        settings: DriverSettings,
        make_port: MakePort,
        clock: Clock | None = None,
    ) -> None:
        """Not opened yet.

        Args:
            description: The driver.
            settings: How to use it.
            make_port: Makes a port to it.
            clock: A steady one, of frames and of ``not_before_ns``.
        """
        super().__init__(clock)
        self.settings = settings
        self._device = DriverDevice(
            "camera",
            description,
            settings.node,
            make_port,
            automatics=description.exposure_automatics,
            latency_path=settings.latency,
            notes=settings.notes,
        )
        self._exposure_us, self._gain_db = settings.exposure_us, settings.gain_db
        self._in_force: dict[str, tuple[int | float, float]] = {}
        """What was sent for each quantity and what the driver has since, in this package's unit."""
        self._answers = Answers()

    def open(self) -> CameraLimits:
        """Find the driver, switch its automatic exposure off, and apply every setting.

        Raises:
            DeviceLost: It is not there, or can't be used; the message says why and what to do.
        """
        self._abort.clear()
        try:
            return self._set_up(self._device.open())
        except DeviceError as error:
            self.close()
            if isinstance(error, DeviceLost):
                raise
            raise DeviceLost(f"{error}; it can't be used without") from error

    def close(self) -> None:
        """Give exposure, gain and automatic exposure back, and leave the driver."""
        self._device.close()

    def set_exposure(self, exposure_us: float) -> float:
        """Set the exposure of the next `capture`, in steps of the driver [us]."""
        self._device.opened()
        limits = self._limits
        if not limits.exposure_min_us <= exposure_us <= limits.exposure_max_us:
            raise OutOfRange(
                f"exposure {exposure_us!r} us refused: {self._device.name} takes "
                f"{limits.exposure_min_us:g} to {limits.exposure_max_us:g} us"
            )
        self._counted.exposing(exposure_us)
        in_force_us = self._command(self._exposure, exposure_us)
        self._exposure_us = exposure_us
        return in_force_us

    def set_gain(self, gain_db: float) -> float:
        """Set the gain of the next `capture`, clipped to the driver's limits [dB]; 0 where it has none.

        Raises:
            OutOfRange: Not a finite number.
            DeviceLost: The driver is gone.
        """
        self._device.opened()
        if not math.isfinite(gain_db):
            raise OutOfRange(f"gain {gain_db!r} dB refused: it must be a number")
        if self._gain is None:
            return 0.0
        in_force_db = self._command(self._gain, gain_db)
        self._gain_db = gain_db
        return in_force_db

    def describe(self) -> dict[str, Any]:
        """Driver, node, settings, what tells a frame's settings, the lag, and counts."""
        described = self._device.describe() | {"frames told by": self._answers.source}
        if "exposure" in self._in_force:
            described["exposure_us"] = self._in_force["exposure"][1]
        return described | self._counts()

    def _set_up(self, port: DriverPort) -> CameraLimits:
        device, description = self._device, self._device.description
        self._in_force, self._silent = {}, 0
        self._exposure = exposure = device.number(description.exposure)
        self._gain = gain = None if description.gain is None else device.number(description.gain)
        self._answers = Answers()
        self._counted.latency = device.latency
        self._counted.nominal_s = device.latency.frame_s or SLOWEST_S
        port.start()
        first = port.next(_FIRST_S, self._abort.is_set)
        if first is None:
            raise DeviceLost(
                f"{device.name} runs and publishes no picture: look at its log, or start it again"
            )
        height, width = first.pixels.shape[:2]
        self._limits = CameraLimits(
            width=width,
            height=height,
            encoding=first.encoding,
            exposure_min_us=max(exposure.own_low, EXPOSURE_LIMITS_US[0]),
            exposure_max_us=min(exposure.own_high, EXPOSURE_LIMITS_US[1]),
            gain_min_db=gain.own_low if gain else 0.0,
            gain_max_db=gain.own_high if gain else 0.0,
        )
        # Frames of the driver's own exposure are on their way, and nobody knows how long it was.
        self._counted.commanded()
        self._counted.exposing(self._value("exposure"))
        self.set_exposure(self._limits.nearest_exposure_us(self._exposure_us))
        self.set_gain(self._limits.nearest_gain_db(self._gain_db))
        return self._limits

    def _command(self, parameter: NumberParameter, own: float) -> float:
        """Set a value that the driver does not have yet; returns what it has."""
        quantity = parameter.quantity.quantity
        value, (sent, in_force) = parameter.nearest(own), self._in_force.get(quantity, (None, 0.0))
        if sent == value:
            return in_force
        # A command that failed half-way may be in force; the driver says what it has.
        self._in_force.pop(quantity, None)
        try:
            in_force = self._device.set(parameter, own)
        except DeviceLost:
            raise
        except DeviceError:
            self._after_command(quantity, self._device.read(parameter))
            raise
        self._in_force[quantity] = (value, in_force)
        self._after_command(quantity, in_force)
        return in_force

    def _after_command(self, quantity: str, in_force: float) -> None:
        self._device.opened().drain()
        self._counted.commanded()
        self._answers.commanded(quantity, in_force)

    def _value(self, quantity: str) -> float:
        """The value in force: asked again where a command failed."""
        if quantity not in self._in_force:
            parameter = self._exposure if quantity == "exposure" else self._gain
            if parameter is None:
                return 0.0
            in_force = self._device.read(parameter)
            self._in_force[quantity] = (math.nan, in_force)
        return self._in_force[quantity][1]

    def _stream(self) -> DriverPort:
        return self._device.opened()

    def _margin_s(self) -> float:
        return self.settings.margin_s

    def _answer(self, picture: DriverPicture) -> Frame | None:
        told = picture.told
        exposure_us = told.exposure_us if told is not None else self._value("exposure")
        begun_ns = picture.stamp_ns
        if not (self._device.description.stamp_is_begin and picture.stamp_is_known):
            # The stamp may be that of the last line, or of the publication.
            begun_ns -= round(exposure_us * 1e3)
        if not self._answers.admit(picture, self._counted.arrived(begun_ns)):
            return None
        return self._frame(picture, begun_ns, exposure_us)

    def _frame(self, picture: DriverPicture, begun_ns: int, exposure_us: float) -> Frame:
        limits = self._limits
        if picture.pixels.shape[:2] != (limits.height, limits.width) or picture.encoding != limits.encoding:
            height, width = picture.pixels.shape[:2]
            raise DeviceLost(
                f"{self._device.name} publishes {width}x{height} {picture.encoding} now, and it was "
                f"{limits.width}x{limits.height} {limits.encoding}: it is opened again"
            )
        self._silent = 0
        self.counts["frames"] += 1
        told = picture.told
        gain_db = told.gain_db if told is not None and told.gain_db is not None else self._value("gain")
        return Frame(picture.pixels.copy(), picture.encoding, begun_ns, exposure_us, gain_db)

    def _missing(self, waited_s: float) -> str:
        message = f"{self._device.name} published no frame that answers within {waited_s:.2f} s"
        reason = self._answers.reason()
        return f"{message}: {reason}" if reason else message
