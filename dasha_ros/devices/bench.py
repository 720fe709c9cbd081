"""One-shot jobs on a bench, without a graph: the work of ``dasha lens`` and ``dasha camera``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dasha_ros.devices.camera import Frame
from dasha_ros.devices.lens import LensReading
from dasha_ros.devices.optotune.lens import OptotuneLens, OptotuneSettings
from dasha_ros.devices.pylon.camera import PylonCamera
from dasha_ros.devices.pylon.device import PylonSettings
from dasha_ros.devices.pylon.discovery import CameraFound, list_cameras
from dasha_ros.devices.pylon.listener import StreamListener
from dasha_ros.devices.serial.lens import SerialLens
from dasha_ros.devices.serial.ports import SerialPort, list_ports
from dasha_ros.devices.varioptic.boards import BOARDS
from dasha_ros.devices.varioptic.lens import VariopticLens, VariopticSettings

__all__ = [
    "CameraFound",
    "SerialPort",
    "board_lens",
    "list_cameras",
    "list_ports",
    "read_lens",
    "save_frame",
    "set_lens",
    "snap",
]

LENS_DRIVER_4 = "lens-driver-4"
"""The board of Optotune's lenses."""


def read_lens(port: str, board: str = "flexiboard") -> tuple[LensReading, dict[str, Any]]:
    """Output and faults of a lens board, and its description. The lens stays where it is.

    A board in analog mode or on standby is switched to digital control first.

    Raises:
        DeviceLost: No board answers there.
        ValueError: Unknown board.
    """
    return _with_lens(port, board, None)


def set_lens(port: str, position: float, board: str = "flexiboard") -> tuple[LensReading, dict[str, Any]]:
    """Move a lens and leave it there.

    Raises:
        OutOfRange: Not a number inside the lens's limits; nothing was sent.
        DeviceLost: No board answers there.
        DeviceTimeout: The board did not confirm.
        ValueError: Unknown board.
    """
    return _with_lens(port, board, position)


def board_lens(port: str, board: str, **settings: Any) -> SerialLens:
    """The lens behind a board, not opened yet.

    Args:
        port: Path of its port.
        board: A Varioptic board, or `LENS_DRIVER_4`.
        **settings: More fields of `VariopticSettings` or `OptotuneSettings`.

    Raises:
        ValueError: Unknown board.
    """
    if board == LENS_DRIVER_4:
        return OptotuneLens(OptotuneSettings(port=port, **settings))
    if board not in BOARDS:
        known = ", ".join((*sorted(BOARDS), LENS_DRIVER_4))
        raise ValueError(f"unknown lens board {board!r}; choose one of {known}")
    return VariopticLens(VariopticSettings(port=port, board=board, **settings))


def snap(
    address: str = "",
    *,
    exposure_us: float | None = None,
    gain_db: float = 0.0,
    encoding: str = "mono8",
    listener: StreamListener | None = None,
) -> tuple[Frame, dict[str, Any]]:
    """One picture of the whole sensor, and the camera's description.

    Args:
        address: Serial number, user-defined name or IP address; empty: the only camera there is.
        exposure_us: Exposure [us]; ``None``: the driver's default, inside the camera's limits.
        gain_db: Gain [dB].
        encoding: ROS encoding.
        listener: Told before the exposure; lets an emulator paint the picture.

    Raises:
        DeviceLost: No such camera.
        OutOfRange: The camera cannot do that.
        DeviceTimeout: No picture came.
        FrameIncomplete: The picture was damaged.
    """
    camera = PylonCamera(
        PylonSettings(address=address, gain_db=gain_db, encoding=encoding), listener=listener
    )
    try:
        camera.open()
        if exposure_us is not None:
            camera.set_exposure(exposure_us)
        frame = camera.capture()
        assert frame is not None, "nobody aborts this exposure"
        return frame, camera.describe()
    finally:
        camera.close()


def save_frame(path: Path, frame: Frame) -> None:
    """Write a picture; the file's ending chooses the format. PNG and TIFF keep all 12 bits of mono16.

    Raises:
        OSError: The file can't be written, or its ending names no format.
    """
    import cv2

    pixels = cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2BGR) if frame.encoding == "rgb8" else frame.pixels
    try:
        written = cv2.imwrite(str(path), pixels)
    except cv2.error as error:
        raise OSError(f"{path}: no picture format ends in {path.suffix!r}; use .png") from error
    if not written:
        raise OSError(f"{path} could not be written; does its folder exist, and is there space?")


def _with_lens(port: str, board: str, position: float | None) -> tuple[LensReading, dict[str, Any]]:
    lens = board_lens(port, board, standby_on_close=False)
    try:
        reading = lens.open()
        if position is not None:
            lens.move(position)
            reading = lens.read()
        return reading, lens.describe()
    finally:
        lens.close()
