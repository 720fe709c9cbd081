"""One opened GenICam camera: its settings, each read back from the camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.aravis.discovery import GenicamFound
from dasha_ros.devices.aravis.library import aravis
from dasha_ros.devices.camera import CameraLimits, SensorRegion
from dasha_ros.devices.errors import DeviceLost, OutOfRange
from dasha_ros.devices.genicam import GenicamSettings

FORMATS = {"mono8": ("Mono8",), "mono16": ("Mono12", "Mono16"), "rgb8": ("RGB8", "RGB8Packed")}
"""Pixel formats that give a ROS encoding, the best one first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AravisSettings(GenicamSettings):
    """Which camera, and how to set it up: see `GenicamSettings`.

    ``address`` may also be an IP address or Aravis' id.
    """


class AravisDevice:
    """The settings of an ``Aravis.Camera`` that is open and not streaming. Aravis' errors pass through.

    Automatic exposure and gain are switched off: a commanded exposure must take effect.
    """

    def __init__(self, camera: Any, found: GenicamFound, settings: AravisSettings) -> None:
        """Set everything up but exposure and gain.

        Raises:
            OutOfRange: The camera cannot be set up so.
            DeviceLost: Another program controls it.
        """
        library = aravis()
        self.camera, self.found, self.encoding = camera, found, settings.encoding
        if camera.is_gv_device():
            if not camera.get_device().is_controller():
                raise DeviceLost(f"another program controls {found}: close it")
            # Packet sockets need root and see no loopback; the ordinary ones do for a picture at a time.
            camera.gv_set_stream_options(library.GvStreamOption.PACKET_SOCKET_DISABLED)
            if settings.packet_size:
                camera.gv_set_packet_size(settings.packet_size)
        off = library.Auto.OFF
        if camera.is_exposure_auto_available():
            camera.set_exposure_time_auto(off)
        self.has_gain = bool(camera.is_gain_available())
        if self.has_gain and camera.is_gain_auto_available():
            camera.set_gain_auto(off)
        camera.set_acquisition_mode(library.AcquisitionMode.CONTINUOUS)
        if not camera.is_software_trigger_supported():
            raise OutOfRange(f"{found} takes no software trigger, so no picture can be asked for")
        self.binning = self._bin(settings.binning)
        self.pixel_format = self._format(settings.encoding)
        self._set_region(settings)
        camera.set_trigger("Software")

    @property
    def limits(self) -> CameraLimits:
        """What the camera can do, from its own limits."""
        low_us, high_us = self._pair(self.camera.get_exposure_time_bounds())
        low_db, high_db = self._pair(self.camera.get_gain_bounds()) if self.has_gain else (0.0, 0.0)
        x, y, width, height = self._region()
        sensor = self.camera.get_sensor_size()
        return CameraLimits(
            width=width,
            height=height,
            encoding=self.encoding,
            exposure_min_us=low_us,
            exposure_max_us=high_us,
            gain_min_db=low_db,
            gain_max_db=high_db,
            region=SensorRegion(
                sensor_width=int(sensor[0]),
                sensor_height=int(sensor[1]),
                x=x * self.binning,
                y=y * self.binning,
                width=width * self.binning,
                height=height * self.binning,
                binning=self.binning,
            ),
        )

    @property
    def exposure_us(self) -> float:
        """The active exposure [us]."""
        return float(self.camera.get_exposure_time())

    @property
    def gain_db(self) -> float:
        """The active gain [dB, or what the camera counts in]; 0 where it has none."""
        return float(self.camera.get_gain()) if self.has_gain else 0.0

    def pixels(self, buffer: Any) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """The picture of a whole buffer, copied: shape (height, width) or (height, width, 3)."""
        height, width = buffer.get_image_height(), buffer.get_image_width()
        data = buffer.get_image_data()
        if self.encoding == "mono16":
            deep = np.frombuffer(data, np.uint16, height * width).reshape(height, width)
            return np.left_shift(deep, 4) if self.pixel_format == "Mono12" else deep.copy()
        shape = (height, width, 3) if self.encoding == "rgb8" else (height, width)
        return np.frombuffer(data, np.uint8, int(np.prod(shape))).reshape(shape).copy()

    def describe(self) -> dict[str, Any]:
        """Model, serial number and settings, as read from the camera."""
        found = self.found
        x, y, width, height = self._region()
        return {
            "hardware_id": f"{found.vendor} {found.model} {found.serial_number}",
            "model": f"{found.vendor} {found.model}",
            "serial_number": found.serial_number,
            "address": found.address,
            "pixel_format": self.pixel_format,
            "region": f"{width}x{height}+{x}+{y}",
            "exposure_us": self.exposure_us,
            "gain_db": self.gain_db,
        }

    def _bin(self, binning: int) -> int:
        if self.camera.is_binning_available():
            self.camera.set_binning(binning, binning)
            return int(self.camera.get_binning()[0])
        if binning != 1:
            raise OutOfRange(f"{self.found} cannot bin pixels, and binning is {binning}")
        return 1

    def _format(self, encoding: str) -> str:
        if encoding not in FORMATS:
            raise OutOfRange(f"image encoding {encoding!r} is not one of {', '.join(FORMATS)}")
        offered = list(self.camera.dup_available_pixel_formats_as_strings())
        for name in FORMATS[encoding]:
            if name in offered:
                self.camera.set_pixel_format_from_string(name)
                return name
        raise OutOfRange(f"{self.found} cannot give {encoding}; its pixel formats are {', '.join(offered)}")

    def _set_region(self, settings: AravisSettings) -> None:
        camera = self.camera
        # The bounds shrink with the offset, which the camera may have kept.
        if camera.is_region_offset_available():
            least = self._pair(camera.get_width_bounds()), self._pair(camera.get_height_bounds())
            camera.set_region(0, 0, int(least[0][0]), int(least[1][0]))
        sides = (
            self._pair(camera.get_width_bounds()),
            self._pair(camera.get_height_bounds()),
        )
        steps = camera.get_width_increment(), camera.get_height_increment()
        sizes = [
            self._on_grid(wanted, bounds, step)
            for wanted, bounds, step in zip((settings.width, settings.height), sides, steps, strict=True)
        ]
        greatest = [int(high) for _, high in sides]
        at = settings.offset or [(high - size) // 2 for high, size in zip(greatest, sizes, strict=True)]
        if any(place + size > high for place, size, high in zip(at, sizes, greatest, strict=True)):
            raise OutOfRange(
                f"a region of {sizes[0]}x{sizes[1]} px at {at[0]}, {at[1]} is not on the sensor of "
                f"{greatest[0]}x{greatest[1]} px"
            )
        grid = camera.get_x_offset_increment(), camera.get_y_offset_increment()
        x, y = (place - place % max(1, step) for place, step in zip(at, grid, strict=True))
        camera.set_region(x, y, *sizes)

    def _on_grid(self, wanted: int, bounds: tuple[float, float], step: int) -> int:
        """A size that the camera can have; 0: its greatest."""
        low, high = int(bounds[0]), int(bounds[1])
        if wanted > high:
            raise OutOfRange(f"a region of {wanted} px: the sensor of {self.found} has {high} px")
        value = wanted or high
        return max(low, value - (value - low) % max(1, step))

    def _region(self) -> tuple[int, int, int, int]:
        region = self.camera.get_region()
        return int(region[0]), int(region[1]), int(region[2]), int(region[3])

    @staticmethod
    def _pair(bounds: Any) -> tuple[float, float]:
        return float(bounds[0]), float(bounds[1])
