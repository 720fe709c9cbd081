"""One-shot jobs on a bench, without a graph: the work of ``dasha lens`` and ``dasha camera``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dasha_ros.devices.aravis.camera import AravisCamera
from dasha_ros.devices.aravis.device import AravisSettings
from dasha_ros.devices.camera import Camera, Frame
from dasha_ros.devices.lens import Lens, LensReading
from dasha_ros.devices.optotune.icc.boards import CHANNELS, icc_board
from dasha_ros.devices.optotune.icc.lens import IccLens, IccSettings
from dasha_ros.devices.optotune.icc.library import check_installed
from dasha_ros.devices.optotune.lens import OptotuneLens, OptotuneSettings
from dasha_ros.devices.pylon.camera import PylonCamera
from dasha_ros.devices.pylon.device import PylonSettings
from dasha_ros.devices.pylon.discovery import CameraFound, list_cameras
from dasha_ros.devices.pylon.listener import StreamListener
from dasha_ros.devices.serial.lens import SerialLens
from dasha_ros.devices.serial.ports import SerialPort, list_ports
from dasha_ros.devices.v4l2.camera import WebcamCamera, WebcamSettings
from dasha_ros.devices.v4l2.lens import WebcamLens
from dasha_ros.devices.varioptic.boards import BOARDS
from dasha_ros.devices.varioptic.lens import VariopticLens, VariopticSettings
from dasha_ros.system.extras import require

__all__ = [
    "CameraFound",
    "SerialPort",
    "bench_lens",
    "board_lens",
    "list_cameras",
    "list_ports",
    "read_lens",
    "save_frame",
    "set_lens",
    "snap",
]

LENS_DRIVER_4 = "lens-driver-4"
"""The older board of Optotune's lenses; the newer ones are `optotune.icc.boards.CHANNELS`."""
WEBCAM = "webcam"
"""In place of a board: the lens of a webcam."""
CAMERAS = ("pylon", "v4l2", "aravis")
"""Back ends of which `snap` takes a picture."""
_LARGEST_PX = 10_000
"""A webcam's size nearest to this one is its largest."""


def read_lens(port: str, board: str = "flexiboard") -> tuple[LensReading, dict[str, Any]]:
    """Output and faults of a lens board, and its description. The lens stays where it is.

    A board in analog mode or on standby is switched to digital control first. Automatic focus of a webcam is
    off meanwhile.

    Args:
        port: Path of its port; of a `WEBCAM`, what `v4l2.discovery.chosen` takes.
        board: See `bench_lens`.

    Raises:
        DeviceLost: No board answers there.
        ValueError: Unknown board.
    """
    return _with_lens(port, board, None)


def set_lens(port: str, position: float, board: str = "flexiboard") -> tuple[LensReading, dict[str, Any]]:
    """Move a lens and leave it there. Automatic focus of a webcam stays off.

    Args:
        port: See `read_lens`.
        position: In the lens's unit.
        board: See `bench_lens`.

    Raises:
        OutOfRange: Not a number inside the lens's limits; nothing was sent.
        DeviceLost: No board answers there.
        DeviceTimeout: The board did not confirm.
        ValueError: Unknown board.
    """
    return _with_lens(port, board, position)


def bench_lens(port: str, board: str, *, leave_there: bool) -> Lens:
    """A lens for a bench, not opened yet.

    Args:
        port: See `read_lens`.
        board: See `board_lens`, or `WEBCAM`.
        leave_there: Whether it stays where it is after `close`, at the price of a webcam's automatic focus.

    Raises:
        ValueError: Unknown board, or a board without a port.
        ExtraMissing: The package that the board needs is not installed.
    """
    if board == WEBCAM:
        require("webcam", "the lens of a webcam", "linuxpy")
        return WebcamLens(port, leave_there=leave_there)
    _check_known(board)
    if not port:
        raise ValueError(
            f"the board {board} needs --port, the path of its serial port: see `dasha lens list`"
        )
    return board_lens(port, board, standby_on_close=False)


def board_lens(port: str, board: str, **settings: Any) -> SerialLens[Any]:
    """The lens behind a board, not opened yet.

    Args:
        port: Path of its port.
        board: A Varioptic board, `LENS_DRIVER_4`, or what `icc_board` takes.
        **settings: More fields of `VariopticSettings`, `OptotuneSettings` or `IccSettings`.

    Raises:
        ValueError: Unknown board.
        ExtraMissing: The package that the board needs is not installed.
    """
    _check_known(board)
    if icc := icc_board(board):
        check_installed()
        return IccLens(IccSettings(port=port, board=icc, **settings))
    if board == LENS_DRIVER_4:
        return OptotuneLens(OptotuneSettings(port=port, **settings))
    return VariopticLens(VariopticSettings(port=port, board=board, **settings))


def _check_known(board: str) -> None:
    if icc_board(board) is None and board not in {*BOARDS, LENS_DRIVER_4}:
        known = ", ".join((*sorted(BOARDS), LENS_DRIVER_4, *CHANNELS, WEBCAM))
        raise ValueError(f"unknown lens board {board!r}; choose one of {known}")


def snap(
    address: str = "",
    *,
    exposure_us: float | None = None,
    gain_db: float = 0.0,
    encoding: str = "mono8",
    back_end: str = "pylon",
    listener: StreamListener | None = None,
) -> tuple[Frame, dict[str, Any]]:
    """One picture of the whole sensor, and the camera's description.

    Args:
        address: The camera, as its back end names it; empty: the only one there is.
        exposure_us: Exposure [us]; ``None``: the driver's default, inside the camera's limits.
        gain_db: Gain [dB].
        encoding: ROS encoding.
        back_end: One of `CAMERAS`.
        listener: Told before the exposure; lets pylon's emulator paint the picture.

    Raises:
        ValueError: No such back end.
        DeviceLost: No such camera.
        OutOfRange: The camera cannot do that.
        DeviceTimeout: No picture came.
        FrameIncomplete: The picture was damaged.
    """
    camera = _camera(back_end, address, gain_db, encoding, listener)
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


def _camera(
    back_end: str, address: str, gain_db: float, encoding: str, listener: StreamListener | None
) -> Camera:
    """The whole sensor of a camera, not opened yet."""
    if back_end == "v4l2":
        require("webcam", "a webcam", "linuxpy")
        size = _LARGEST_PX
        return WebcamCamera(
            WebcamSettings(address=address, gain_db=gain_db, encoding=encoding, width=size, height=size)
        )
    if back_end == "aravis":
        return AravisCamera(AravisSettings(address=address, gain_db=gain_db, encoding=encoding))
    if back_end != "pylon":
        raise ValueError(f"unknown back end {back_end!r}: choose one of {', '.join(CAMERAS)}")
    settings = PylonSettings(address=address, gain_db=gain_db, encoding=encoding)
    return PylonCamera(settings, listener=listener)


def _with_lens(port: str, board: str, position: float | None) -> tuple[LensReading, dict[str, Any]]:
    lens = bench_lens(port, board, leave_there=position is not None)
    try:
        reading = lens.open()
        if position is not None:
            lens.move(position)
            reading = lens.read()
        return reading, lens.describe()
    finally:
        lens.close()
