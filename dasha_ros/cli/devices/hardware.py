"""What the commands for real devices share: options, and how device errors end a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dasha_ros.cli.terminal.console import Exit, fail

if TYPE_CHECKING:
    from dasha_ros.emulators.camera.pictures import PictureFeed

Port = Annotated[
    str,
    typer.Option(
        envvar="DASHA_LENS_PORT",
        help="Serial port of the lens board, best a link in /dev/serial/by-id. A webcam: serial number, bus"
        " path, name or a path; left out: the only one.",
    ),
]
Board = Annotated[
    str,
    typer.Option(
        help="The board. Varioptic: flexiboard, caspian or c-mount-com. Optotune: lens-driver-4, icc-1c, or"
        " icc-4c with the lens at channel 0, as icc-4c:2 at channel 2. Or webcam.",
    ),
]
Serial = Annotated[
    str,
    typer.Option(
        envvar="DASHA_CAMERA",
        help="Serial number; or user-defined name or IP address, bus path or path of a webcam; empty: the"
        " only camera.",
    ),
]
Emulator = Annotated[
    Path | None,
    typer.Option(help="Socket of `dasha emulate camera`, whose pictures pylon's own emulator shows."),
]


def default_path(name: str) -> Path:
    """The default path of an emulated device: one per user."""
    from dasha_ros.bringup.environment import runtime_dir

    return runtime_dir("/emulated") / name


@contextmanager
def device_errors() -> Iterator[None]:
    """Turn device errors into a sentence and an exit code.

    2: the value was refused and nothing was sent. 3: the device does not answer. 1: it failed.
    """
    from dasha_ros.devices.errors import DeviceError, DeviceLost
    from dasha_ros.system.extras import ExtraMissing, how_to_install

    try:
        yield
    except ExtraMissing as error:
        fail(str(error), Exit.REFUSED)
    except ImportError as error:
        fail(f"{error}; real devices need their libraries: {how_to_install('hardware')}", Exit.REFUSED)
    except DeviceLost as error:
        fail(str(error), Exit.UNREACHABLE)
    except ValueError as error:  # also OutOfRange
        fail(str(error), Exit.REFUSED)
    except DeviceError as error:
        fail(str(error))


def picture_feed(socket: Path | None) -> PictureFeed | None:
    """The source of pictures for pylon's emulator; ``None`` for a real camera."""
    if socket is None:
        return None
    from dasha_ros.emulators.camera.pictures import PictureFeed, enable_emulator
    from dasha_ros.emulators.camera.server import RemotePictures

    enable_emulator()
    return PictureFeed(RemotePictures(socket))
