"""``dasha lens``: uses a lens on a bench, without a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dasha_ros.cli.devices.hardware import Board, Port, device_errors
from dasha_ros.cli.terminal.console import Exit, err, fail, out
from dasha_ros.cli.terminal.negative_numbers import TAKES_THEM, WithNegativeNumbers

if TYPE_CHECKING:
    from dasha_ros.devices.lens import LensReading

app = typer.Typer(help="A lens on a bench, without a graph.", no_args_is_help=True)


@app.command("list")
def list_lenses() -> None:
    """List serial ports that may carry a lens, and the back end that each probably needs.

    Exit code 1 if there is none.
    """
    from dasha_ros.devices import bench

    with device_errors():
        ports = bench.list_ports()
    for port in ports:
        said = f"{port.description or 'no description'}, serial number {port.serial_number or 'none'}"
        out().print(f"{port.path}: {said}, back end {port.backend or 'unknown'}")
    if not ports:
        fail("no serial port with a USB bridge; is the lens board plugged in?")


@app.command()
def get(port: Port = "", board: Board = "flexiboard") -> None:
    """Read a lens, without moving it."""
    from dasha_ros.devices import bench

    with device_errors():
        reading, description = bench.read_lens(port, board)
    _print(reading, description)


@app.command("set", cls=WithNegativeNumbers, context_settings=TAKES_THEM)
def set_position(
    position: Annotated[
        float,
        typer.Argument(
            help="In the lens's unit: V for Varioptic (24.0 to 70.0), D for Optotune, or a webcam's steps."
        ),
    ],
    port: Port = "",
    board: Board = "flexiboard",
) -> None:
    """Move a lens and leave it there. A webcam's automatic focus stays off."""
    from dasha_ros.devices import bench

    with device_errors():
        reading, description = bench.set_lens(port, position, board)
    _print(reading, description)
    if board == bench.WEBCAM:
        node = description["port"]
        err().print(
            "automatic focus stays off, else the lens would not stay; to give it back: "
            f"v4l2-ctl -d {node} -c focus_automatic_continuous=1, or plug the webcam in again",
        )


@app.command()
def faults(port: Port = "", board: Board = "flexiboard") -> None:
    """Print the board's faults, one per line; exit code 1 if there are any."""
    from dasha_ros.devices import bench

    with device_errors():
        reading, _ = bench.read_lens(port, board)
    for fault in reading.faults:
        out().print(fault)
    if reading.faults:
        raise typer.Exit(Exit.FAILED)


def _print(reading: LensReading, description: dict[str, Any]) -> None:
    console, unit = out(), description["unit"]
    commanded = description["position_in_force"]
    said = "nothing commanded yet" if commanded is None else f"commanded {commanded:.3f} {unit}"
    console.print(f"{reading.position:.4f} {unit}, {said}")
    firmware = f", firmware {description['firmware']}" if "firmware" in description else ""
    console.print(f"{description['model']} at {description['port']}{firmware}")
    console.print(f"faults: {', '.join(reading.faults) or 'none'}")
