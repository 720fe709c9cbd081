"""What the commands for real devices share: their options, and how their errors end a command."""

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
        help="Serial port of the lens board, best a link below /dev/serial/by-id.",
    ),
]
Board = Annotated[str, typer.Option(help="Register map of the board: flexiboard, caspian or c-mount-com.")]
Serial = Annotated[
    str,
    typer.Option(
        envvar="DASHA_CAMERA",
        help="Serial number, user-defined name or IP address; empty: the only camera there is.",
    ),
]
Emulator = Annotated[
    Path | None,
    typer.Option(help="Socket of `dasha emulate camera`: pylon's own emulator shows its pictures."),
]


def default_path(name: str) -> Path:
    """Where an emulated device of a given name appears when nobody says where: one place for each user."""
    from dasha_ros.bringup.graph import runtime_dir

    return runtime_dir("/emulated") / name


@contextmanager
def device_errors() -> Iterator[None]:
    """Turn errors of devices into a sentence and an exit code.

    2: the value is refused, nothing was sent. 3: nobody answers. 1: it was tried and failed.
    """
    from dasha_ros.devices.errors import DeviceError, DeviceLost
    from dasha_ros.system.extras import how_to_install

    try:
        yield
    except ImportError as error:
        fail(f"{error}; real devices need their libraries: {how_to_install('hardware')}", Exit.REFUSED)
    except DeviceLost as error:
        fail(str(error), Exit.UNREACHABLE)
    except ValueError as error:  # OutOfRange, too
        fail(str(error), Exit.REFUSED)
    except DeviceError as error:
        fail(str(error))


def picture_feed(socket: Path | None) -> PictureFeed | None:
    """What paints for pylon's emulator; ``None``: a real camera needs nobody to."""
    if socket is None:
        return None
    from dasha_ros.emulators.camera.pictures import PictureFeed, enable_emulator
    from dasha_ros.emulators.camera.server import RemotePictures

    enable_emulator()
    return PictureFeed(RemotePictures(socket))
