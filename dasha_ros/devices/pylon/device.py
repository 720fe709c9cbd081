"""One opened Basler camera: its settings, each read back from the camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dasha_ros.devices.camera import CameraLimits, SensorRegion
from dasha_ros.devices.genicam import GenicamSettings
from dasha_ros.devices.pylon import nodes
from dasha_ros.devices.pylon.frames import FrameReader


@dataclass(frozen=True, slots=True, kw_only=True)
class PylonSettings(GenicamSettings):
    """Which Basler camera, and how to set it up: see `GenicamSettings`.

    ``address`` may also be a user-defined name or an IP address, ``encoding`` also bgr8.
    """


class PylonDevice:
    """The settings of an ``InstantCamera`` that is open and not grabbing.

    Automatic exposure and gain are switched off: a commanded exposure must take effect.

    Args:
        camera: The ``InstantCamera``.
        settings: What to set up.
        exposure_us: Clipped to the camera's limits [us].
        gain_db: Clipped to the camera's limits [dB].

    Raises:
        OutOfRange: The camera cannot be set up so.
        genicam.GenericException: The camera refused or is gone.
    """

    def __init__(self, camera: Any, settings: PylonSettings, exposure_us: float, gain_db: float) -> None:
        self.node_map = camera.GetNodeMap()
        info = camera.GetDeviceInfo()
        self.model: str = info.GetModelName()
        self.serial_number: str = info.GetSerialNumber()
        for name, value in (
            ("ExposureAuto", "Off"),
            ("GainAuto", "Off"),
            ("ExposureMode", "Timed"),
            ("AcquisitionMode", "Continuous"),
        ):
            nodes.choose(self.node_map, name, value)
        for name in ("BinningHorizontal", "BinningVertical"):
            if (node := nodes.find(self.node_map, name)) is not None and node.GetValue() != settings.binning:
                nodes.set_number(node, settings.binning)
        formats = nodes.need(self.node_map, "PixelFormat")
        self.pixel_format = nodes.pixel_format(settings.encoding, tuple(formats.GetSymbolics()))
        formats.SetValue(self.pixel_format)
        self.region = nodes.set_region(self.node_map, settings.width, settings.height, settings.offset)
        if settings.packet_size and (packet := nodes.find(self.node_map, *nodes.PACKET_SIZE)) is not None:
            nodes.set_number(packet, settings.packet_size)
        self.chunks = nodes.enable_chunks(self.node_map)
        self._exposure = nodes.need(self.node_map, *nodes.EXPOSURE)
        self._gain = nodes.Gain(self.node_map, self.model)
        self.reader = FrameReader(settings.encoding, self.pixel_format)
        self.set_exposure(exposure_us)
        self.set_gain(gain_db)

    @property
    def limits(self) -> CameraLimits:
        """What the camera can do, from its own limits."""
        low_db, high_db = self._gain.limits_db
        return CameraLimits(
            width=self.region[2],
            height=self.region[3],
            encoding=self.reader.encoding,
            exposure_min_us=float(self._exposure.GetMin()),
            exposure_max_us=float(self._exposure.GetMax()),
            gain_min_db=low_db,
            gain_max_db=high_db,
            region=self._sensor_region(),
        )

    def _sensor_region(self) -> SensorRegion:
        """The region in pixels of the sensor; pylon counts binned ones."""
        x, y, width, height = self.region
        horizontal, vertical = (
            node.GetValue() if (node := nodes.find(self.node_map, name)) is not None else 1
            for name in ("BinningHorizontal", "BinningVertical")
        )
        whole = [
            node.GetValue() if (node := nodes.find(self.node_map, name)) is not None else size
            for name, size in (("WidthMax", x + width), ("HeightMax", y + height))
        ]
        return SensorRegion(
            sensor_width=int(whole[0] * horizontal),
            sensor_height=int(whole[1] * vertical),
            x=int(x * horizontal),
            y=int(y * vertical),
            width=int(width * horizontal),
            height=int(height * vertical),
            binning=int(horizontal),
        )

    @property
    def exposure_us(self) -> float:
        """The active exposure [us]."""
        return float(self._exposure.GetValue())

    @property
    def gain_db(self) -> float:
        """The active gain [dB]."""
        return self._gain.get_db()

    @property
    def readout_s(self) -> float:
        """Time from the end of an exposure until the sensor is read [s]; 0: this camera does not tell."""
        node = nodes.find(self.node_map, *nodes.READOUT)
        return 0.0 if node is None else float(node.GetValue()) / 1e6

    def set_exposure(self, exposure_us: float) -> float:
        """Set the exposure and return what the camera made of it [us]."""
        return nodes.set_number(self._exposure, exposure_us)

    def set_gain(self, gain_db: float) -> float:
        """Set the gain and return what the camera made of it [dB]."""
        return self._gain.set_db(gain_db)

    def set_triggered(self, triggered: bool) -> None:
        """One frame for each software trigger, or a free run. Not while grabbing."""
        if not nodes.choose(self.node_map, "TriggerSelector", "FrameStart"):
            nodes.choose(self.node_map, "TriggerSelector", "AcquisitionStart")
        nodes.choose(self.node_map, "TriggerSource", "Software")
        nodes.choose(self.node_map, "TriggerMode", "On" if triggered else "Off")

    def set_frame_rate(self, frame_rate_hz: float) -> float:
        """Set the rate of a free run (0: no limit) and return the rate that the camera will reach [Hz]."""
        if (enable := nodes.find(self.node_map, "AcquisitionFrameRateEnable")) is not None:
            enable.SetValue(frame_rate_hz > 0)
        if frame_rate_hz > 0 and (rate := nodes.find(self.node_map, *nodes.FRAME_RATE)) is not None:
            nodes.set_number(rate, frame_rate_hz)
        reached = nodes.find(self.node_map, "ResultingFrameRateAbs", "ResultingFrameRate", *nodes.FRAME_RATE)
        return float(reached.GetValue()) if reached is not None else frame_rate_hz

    def describe(self) -> dict[str, Any]:
        """Model, serial number and settings, as read from the camera."""
        packet = nodes.find(self.node_map, *nodes.PACKET_SIZE)
        firmware = nodes.find(self.node_map, "DeviceFirmwareVersion")
        x, y, width, height = self.region
        return {
            "hardware_id": f"{self.model} {self.serial_number}",
            "model": self.model,
            "serial_number": self.serial_number,
            "firmware": "" if firmware is None else firmware.ToString(),
            "pixel_format": self.pixel_format,
            "region": f"{width}x{height}+{x}+{y}",
            "exposure_us": self.exposure_us,
            "gain_db": self.gain_db,
            "packet_size": 0 if packet is None else packet.GetValue(),
            "chunks": list(self.chunks),
        }
