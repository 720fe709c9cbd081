"""``dasha emulate``: serves emulated devices to real drivers."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from dasha_ros.cli.devices.hardware import default_path, device_errors
from dasha_ros.cli.terminal.console import Exit, err, fail, out
from dasha_ros.cli.terminal.given import refuse_given

app = typer.Typer(help="Serve emulated devices to real drivers.", no_args_is_help=True)

_LINE = "The line"


def _share(of: str) -> Any:
    """An option from 0 to 1."""
    return typer.Option(min=0.0, max=1.0, help=f"Share of {of}.", rich_help_panel=_LINE)


@app.command()
def lens(
    context: typer.Context,
    link: Annotated[
        Path | None, typer.Option(help="Path of the serial port; default: one in your runtime folder.")
    ] = None,
    *,
    device: Annotated[
        str, typer.Option(help="varioptic: Corning's Flexiboard. optotune: Optotune's Lens Driver 4.")
    ] = "varioptic",
    profile: Annotated[
        str,
        typer.Option(
            help="Lens model: physical, paper, optotune, or the path of a table; default: the device's own."
        ),
    ] = "",
    step: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Step of the output in the lens's unit; 0: it follows exactly; default: as the lens model.",
        ),
    ] = None,
    time_constant: Annotated[
        float | None,
        typer.Option(min=0.0, help="Time constant of the liquid in s: how fast the lens settles."),
    ] = None,
    hysteresis: Annotated[
        float | None, typer.Option(min=0.0, help="Half width of the liquid's play, in the lens's unit.")
    ] = None,
    analog: Annotated[
        bool, typer.Option("--analog/--digital", help="Varioptic only: mode of the board at power-on.")
    ] = True,
    paced: Annotated[
        bool,
        typer.Option("--paced/--unpaced", help="Whether bytes take as long as at the board's baud rate."),
    ] = True,
    drop_request: Annotated[float, _share("requests that get lost")] = 0.0,
    corrupt_request: Annotated[float, _share("requests with a changed byte")] = 0.0,
    drop_reply: Annotated[float, _share("replies that get lost")] = 0.0,
    corrupt_reply: Annotated[float, _share("replies with a changed byte")] = 0.0,
    half_reply: Annotated[float, _share("replies that break off")] = 0.0,
    late_reply: Annotated[float, _share("replies that come late")] = 0.0,
    late: Annotated[
        float, typer.Option(min=0.0, max=60.0, help="How late, in s.", rich_help_panel=_LINE)
    ] = 0.3,
    nack: Annotated[float, _share("sound requests that are refused")] = 0.0,
    noise: Annotated[float, _share("replies that follow stray bytes")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the line's faults.", rich_help_panel=_LINE)] = 0,
) -> None:
    """Serve a lens board on a pseudo-terminal until Ctrl-C.

    Commands on standard input pull its cable and change its faults: type ``help``.
    """
    from dasha_ros.emulators.console import run_lens
    from dasha_ros.emulators.lens.line import LineFaults
    from dasha_ros.emulators.lens.port import DEVICES, LensEmulatorSettings

    if device not in DEVICES:
        fail(f"unknown device {device!r}; known: {', '.join(DEVICES)}", Exit.REFUSED)
    if device != "varioptic":
        refuse_given(context, ["analog"], f"--device {device}")
    path = (link or default_path("lens")).absolute()
    with device_errors(), _until_interrupted() as stop:
        settings = LensEmulatorSettings(
            faults=LineFaults(
                drop_request=drop_request,
                corrupt_request=corrupt_request,
                drop_reply=drop_reply,
                corrupt_reply=corrupt_reply,
                half_reply=half_reply,
                late_reply=late_reply,
                late_s=late,
                nack=nack,
                noise=noise,
            ),
            seed=seed,
            device=device,
            paced=paced,
            analog_at_power_on=analog,
            profile=profile,
            time_constant_s=time_constant,
            hysteresis=hysteresis,
            step=step,
        )
        run_lens(path, settings, sys.stdin, _say, stop)


@app.command()
def camera(
    socket: Annotated[
        Path | None, typer.Option(help="Socket for the drivers; default: one in your runtime folder.")
    ] = None,
    lens_link: Annotated[
        Path | None,
        typer.Option(help="Port of the lens emulator to look through; default: the emulator's own default."),
    ] = None,
    *,
    scene: Annotated[str, typer.Option(help="Name of a shipped scene or path of a YAML file.")] = (
        "motorcycle_street"
    ),
    illuminance: Annotated[float, typer.Option(min=0.0, help="Light on the scene in lx.")] = 100.0,
    profile: Annotated[
        str, typer.Option(help="Lens model: physical, paper, or the path of a table.")
    ] = "physical",
    width: Annotated[int, typer.Option(min=64, max=8192, help="Of the pictures in px.")] = 2048,
    height: Annotated[int, typer.Option(min=64, max=8192, help="Of the pictures in px.")] = 1088,
    encoding: Annotated[str, typer.Option(help="Pixel format: mono8, mono16 or rgb8.")] = "mono8",
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the noise; default: new noise every time.")
    ] = None,
) -> None:
    """Serve the digital twin's pictures to pylon's emulated camera until Ctrl-C.

    Pylon delivers the twin's picture at its current exposure and gain, focused as the lens emulator is
    at that moment. Commands on standard input change the world: type ``help``.
    """
    from dasha_ros.devices.errors import DeviceLost
    from dasha_ros.emulators.camera.twin_view import TwinView
    from dasha_ros.emulators.console import run_camera
    from dasha_ros.optics.profiles import lens_model
    from dasha_ros.twin.world import World

    with device_errors(), _until_interrupted() as stop:
        try:
            view = TwinView(
                (lens_link or default_path("lens")).absolute(),
                lens_model(profile),
                world=World(scene=scene, illuminance_lx=illuminance),
                width=width,
                height=height,
                encoding=encoding,
                seed=seed,
            )
        except DeviceLost as error:
            fail(str(error), Exit.REFUSED)
        run_camera((socket or default_path("camera.socket")).absolute(), view, sys.stdin, _say, stop)


@app.command()
def webcam(
    *,
    scene: Annotated[str, typer.Option(help="Name of a shipped scene or path of a YAML file.")] = (
        "motorcycle_street"
    ),
    illuminance: Annotated[float, typer.Option(min=0.0, help="Light on the scene in lx.")] = 100.0,
    width: Annotated[int, typer.Option(min=16, max=1920, help="Of the pictures in px; even.")] = 640,
    height: Annotated[int, typer.Option(min=16, max=1080, help="Of the pictures in px.")] = 480,
    rate: Annotated[float, typer.Option(min=1.0, max=120.0, help="Frames a second.")] = 30.0,
    colour: Annotated[bool, typer.Option("--colour/--grey", help="Whether the sensor sees colours.")] = False,
    exposure_lag: Annotated[
        int, typer.Option(min=0, max=50, help="Frames that still show the exposure before a command.")
    ] = 2,
    focus_lag: Annotated[
        int, typer.Option(min=0, max=50, help="Frames that still show the focus before a command.")
    ] = 2,
    focus_time_constant: Annotated[
        float, typer.Option(min=0.0, max=5.0, help="Time constant of the lens's travel in s.")
    ] = 0.05,
    focus_play: Annotated[float, typer.Option(min=0.0, help="Half width of the lens's play in steps.")] = 2.5,
    focus_motor: Annotated[
        bool, typer.Option("--focus-motor/--no-focus-motor", help="Whether it can focus at all.")
    ] = True,
    serial: Annotated[str, typer.Option(help="Serial number of the device.")] = "E1",
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the noise; default: new noise every time.")
    ] = None,
) -> None:
    """Plug a webcam into this machine's kernel that shows the digital twin, until Ctrl-C.

    Linux's own driver takes it for a real one, and /dev/video* appears. Needs root and the kernel modules
    vhci-hcd and uvcvideo. Commands on standard input pull its cable, change its lag and its world, and let
    it refuse controls: type ``help``.
    """
    from dasha_ros.devices.errors import DeviceLost
    from dasha_ros.emulators.webcam.console import run_webcam
    from dasha_ros.emulators.webcam.controls import WebcamKnobs
    from dasha_ros.emulators.webcam.device import WebcamEmulator
    from dasha_ros.emulators.webcam.pictures import PictureSize, TwinPainter
    from dasha_ros.twin.world import World

    if width % 2:
        fail(f"--width {width}: two pixels share their colour, so it must be even", Exit.REFUSED)
    size = PictureSize(width, height, rate)
    with device_errors(), _until_interrupted() as stop:
        try:
            world = World(scene=scene, illuminance_lx=illuminance)
            painter = TwinPainter(size, world=world, colour=colour, seed=seed)
        except DeviceLost as error:
            fail(str(error), Exit.REFUSED)
        knobs = WebcamKnobs(exposure_lag, focus_lag, focus_time_constant, focus_play)
        emulator = WebcamEmulator(size, painter, knobs, has_focus=focus_motor, serial_number=serial)
        run_webcam(emulator, painter, sys.stdin, _say, stop)


def _say(line: str) -> None:
    out().print(line)
    # Flushed, so that a reader of a pipe knows at once that the device is there.
    sys.stdout.flush()


@contextmanager
def _until_interrupted() -> Iterator[threading.Event]:
    """End the command on SIGINT and SIGTERM, and unplug the device cleanly."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield threading.Event()
    except KeyboardInterrupt:
        err().print("unplugged")
    except FileExistsError as error:
        fail(str(error), Exit.REFUSED)
    except OSError as error:
        fail(f"the device can't be served: {error}", Exit.REFUSED)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
