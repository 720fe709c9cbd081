"""``dasha camera``: uses a camera on a bench, without a graph."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dasha_ros.cli.devices.hardware import Emulator, Serial, device_errors, picture_feed
from dasha_ros.cli.terminal.console import fail, out
from dasha_ros.cli.terminal.files import refuse_unwritable

app = typer.Typer(help="A camera on a bench, without a graph.", no_args_is_help=True)


@app.command("list")
def list_cameras(
    emulated: Annotated[bool, typer.Option("--emulated", help="Also show pylon's emulated camera.")] = False,
) -> None:
    """Print every camera that pylon and Aravis see, and every webcam; exit code 1 if there is none."""
    from importlib.util import find_spec

    from dasha_ros.devices import bench
    from dasha_ros.devices.aravis.discovery import list_if_installed
    from dasha_ros.devices.v4l2.discovery import list_webcams

    if emulated:
        from dasha_ros.emulators.camera.pictures import enable_emulator

        enable_emulator()
    webcams, genicam = list_webcams(), list_if_installed()
    with device_errors():
        # Who has another camera need not have pylon.
        others = bool(webcams or genicam)
        cameras = [] if others and find_spec("pypylon") is None else bench.list_cameras()
    for camera in cameras:
        out().print(f"{camera.kind:12} {camera}")
    for webcam in webcams:
        out().print(f"{'webcam':12} {webcam}")
    for found in genicam:
        out().print(f"{'aravis':12} {found}")
    if not cameras and not others:
        fail(
            "pylon sees no camera, Aravis neither, and there is no webcam. Check power, cable and, on GigE, "
            "the IP address (docs/how-to/connect-hardware.md); `dasha doctor` says which libraries are "
            "missing"
        )


@app.command()
def snap(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Picture file; .png and .tif keep 12 bits.")
    ] = Path("snap.png"),
    *,
    exposure: Annotated[
        float | None,
        typer.Option(min=0.0, help="Exposure in us; default: 10 ms, within the camera's limits."),
    ] = None,
    gain: Annotated[float, typer.Option(help="Gain in dB.")] = 0.0,
    encoding: Annotated[str, typer.Option(help="mono8, mono16, rgb8 or bgr8.")] = "mono8",
    serial: Serial = "",
    back_end: Annotated[
        str, typer.Option("--back-end", help="pylon, v4l2 (webcams) or aravis: as `dasha camera list` shows.")
    ] = "pylon",
    emulator: Emulator = None,
) -> None:
    """Take one picture of the whole sensor."""
    from dasha_ros.devices import bench

    refuse_unwritable(output)
    with device_errors():
        feed = picture_feed(emulator)
        try:
            frame, description = bench.snap(
                serial,
                exposure_us=exposure,
                gain_db=gain,
                encoding=encoding,
                back_end=back_end,
                listener=feed,
            )
        finally:
            if feed is not None:
                feed.close()
    try:
        bench.save_frame(output, frame)
    except OSError as error:
        fail(str(error))
    height, width = frame.pixels.shape[:2]
    white = 255 if frame.pixels.dtype.itemsize == 1 else 65535
    out().print(
        f"{output}: {width}x{height} {frame.encoding}, {frame.exposure_us:g} us, {frame.gain_db:.2f} dB,"
        f" mean {100 * float(frame.pixels.mean()) / white:.1f} % of white",
    )
    out().print(f"{description['model']} {description['serial_number']}")
