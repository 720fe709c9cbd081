"""What GenICam cameras have in common, whichever library talks to them."""

from __future__ import annotations

from dataclasses import dataclass

from dasha_ros.devices.errors import DeviceLost, DeviceTimeout, check_number


@dataclass(frozen=True, slots=True, kw_only=True)
class GenicamSettings:
    """Which camera, and how to set it up."""

    address: str = ""
    """Serial number, or a name that the library knows it by; empty: the only camera there is."""
    encoding: str = "mono8"
    """ROS encoding: mono8, mono16 (12 bits, the upper ones), rgb8, or another one of the back end."""
    width: int = 0
    """Width of the region of interest [px]; 0: all of the sensor."""
    height: int = 0
    offset: tuple[int, int] | None = None
    """Offset of the region's upper left corner [px]; ``None``: centred."""
    binning: int = 1
    exposure_us: float = 10_000.0
    gain_db: float = 0.0
    packet_size: int = 0
    """GigE packets [bytes], at most the network's MTU; 0: as the camera has it."""
    margin_s: float = 0.5
    """Time for a frame beyond its exposure [s]: read-out, transfer, a busy computer."""
    silent_frames: int = 3
    """After this many missing frames in a row the camera counts as lost."""

    def __post_init__(self) -> None:
        """Check what is clipped to the camera's limits.

        Raises:
            OutOfRange: Exposure or gain is not a finite number.
        """
        check_number("exposure", self.exposure_us, "us")
        check_number("gain", self.gain_db, "dB")

    def missing_frame(self, camera: str, timeout_s: float, in_a_row: int) -> DeviceLost | DeviceTimeout:
        """The error of a frame that did not come.

        Args:
            camera: Names the camera in the message.
            timeout_s: How long was waited since the trigger [s].
            in_a_row: How many frames are missing now, this one included.
        """
        message = f"{camera} sent no frame within {timeout_s:.3f} s of its trigger"
        if in_a_row >= self.silent_frames:
            return DeviceLost(f"{message}, {in_a_row} times in a row: it is there but silent, open it again")
        return DeviceTimeout(message)
