"""``dasha calibrate``: measures a lens profile with the lens's own camera, and the lag of a webcam."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dasha_ros.cli.devices.calibrate_blind import Wanted, calibrate_blind, calibration_errors, use_it
from dasha_ros.cli.devices.calibrate_latency import calibrate_latency
from dasha_ros.cli.devices.hardware import Board, Emulator, Serial, device_errors, picture_feed
from dasha_ros.cli.devices.rig_devices import range_to_try
from dasha_ros.cli.terminal import options
from dasha_ros.cli.terminal.console import Exit, err, fail, out
from dasha_ros.cli.terminal.files import refuse_foreign_ending, refuse_unwritable
from dasha_ros.cli.terminal.given import refuse_given
from dasha_ros.cli.terminal.prompt import prompt

if TYPE_CHECKING:
    from dasha_ros.devices.calibration.profile import Calibration, Measurement
    from dasha_ros.devices.calibration.scan import Scanner
    from dasha_ros.devices.camera import Camera
    from dasha_ros.devices.lens import Lens
    from dasha_ros.optics.lens_info import LensInfo

app = typer.Typer(help="Measure a lens with its own camera, or a webcam's lag.", no_args_is_help=True)
app.command("latency")(calibrate_latency)

LENS_DRIVER_4 = "lens-driver-4"
"""The older board of Optotune's lenses."""
FARTHEST_M = 100.0
"""Farthest target [m]; from here to infinity, the blur changes by 0.1 px."""
EMULATED_DISTANCES_M = (0.4, 0.6, 1.0, 2.0)
_DRAWINGS = (
    *(".png", ".svg", ".svgz", ".pdf", ".jpg", ".jpeg", ".webp", ".avif", ".gif"),
    *(".tif", ".tiff", ".eps", ".ps", ".pgf"),
)
"""Endings of pictures that matplotlib draws."""
SETTLING_STEPS = 5.0
"""The move to time, in steps of the coarse scan: far enough to blur the target."""
SETTLING_STEP_S = 0.01
SETTLING_MAX_S = 0.4


@dataclass(frozen=True)
class _Rig:
    camera: Camera
    lens: Lens
    place: Callable[[float], None]
    """Puts the target at a distance, or asks a person to do it."""


@app.command("lens")
def calibrate_lens(
    context: typer.Context,
    output: Annotated[Path, typer.Option("--output", "-o", help="Profile to write.")] = Path("lens.yaml"),
    *,
    blind: Annotated[
        bool, typer.Option("--blind", help="Measure the blur of any still scene; needs no distances.")
    ] = False,
    near_end: Annotated[
        str,
        typer.Option(help="Blind: which end of the lens's range focuses nearest, greatest or least."),
    ] = "greatest",
    rig: Annotated[
        str,
        typer.Option(
            help="hardware: you move the target. emulated: emulated lens and chart. Blind: any of `dasha up`."
        ),
    ] = "hardware",
    params_file: options.ParamsFile = None,
    override: options.Override = None,
    port: Annotated[str, typer.Option(envvar="DASHA_LENS_PORT", help="Serial port of the lens board.")] = "",
    board: Board = "flexiboard",
    serial: Serial = "",
    emulator: Emulator = None,
    distances: Annotated[
        str, typer.Option(help="Distances of the target in m, separated by commas; default: you are asked.")
    ] = "",
    low: Annotated[
        float | None, typer.Option(help="Least position to try, in the lens's unit; default: its least.")
    ] = None,
    high: Annotated[
        float | None,
        typer.Option(help="Greatest position to try, in the lens's unit; default: its greatest."),
    ] = None,
    exposure: Annotated[
        float, typer.Option(min=0.0, help="Exposure in us; 0: metered on the target at each distance.")
    ] = 0.0,
    repeats: Annotated[int, typer.Option(min=1, help="Scans at each distance; they are averaged.")] = 1,
    settling: Annotated[
        bool, typer.Option("--settling/--no-settling", help="Also measure how long a move takes.")
    ] = True,
    focal_length: Annotated[
        float, typer.Option(min=0.1, help="Focal length of the fixed lens in mm.")
    ] = 25.0,
    f_number: Annotated[float, typer.Option(min=0.1, help="F-number of the fixed lens.")] = 2.0,
    plot: Annotated[
        Path | None, typer.Option(help="Picture of the fit; default: beside the profile.")
    ] = None,
) -> None:
    """Measure which position focuses at which distance, and write a lens profile.

    Put a target with fine texture (newspaper will do) at two or more known distances, in even
    light, so that it fills the middle of the picture.

    With --blind, any still scene with texture will do, such as a book shelf: the blur of each step is
    measured, which policies need, and no distances.
    """
    from dasha_ros.devices.calibration.scan import Scanner
    from dasha_ros.freshness.clock import SteadyClock

    drawing = plot or output
    if plot is None or not plot.suffix:
        drawing = drawing.with_suffix(".png")
    refuse_unwritable(output, drawing)
    refuse_foreign_ending(drawing, _DRAWINGS)
    if low is not None and high is not None and not low < high:
        fail(f"--low {low:g} is not below --high {high:g}", Exit.REFUSED)
    if blind:
        refuse_given(context, ("distances", "repeats", "focal_length", "f_number"), "--blind")
        wished = Wanted(output, drawing, low, high, exposure, settling, near_end)
        chosen = (*_overrides(port, board, serial, emulator), *(override or ()))
        with device_errors(), calibration_errors():
            calibrate_blind(wished, rig, params_file=params_file, overrides=chosen)
        return
    refuse_given(context, ("near_end", "params_file", "override"), "a calibration without --blind")
    if rig == "emulated":
        refuse_given(context, ("port", "board", "serial", "emulator"), "--rig emulated")
    known = _distances(distances)
    # The inner context comes first: a failed calibration is not a refused value.
    with device_errors(), calibration_errors():
        with _opened(rig, port, board, serial, emulator) as bench:
            limits = bench.camera.open()
            bench.lens.open()
            lens = bench.lens.info
            tried = range_to_try(lens, low, high)
            scanner = Scanner(bench.camera, bench.lens, SteadyClock())

            def expose() -> float:
                return bench.camera.set_exposure(exposure) if exposure else scanner.meter(limits)

            wanted = known or (EMULATED_DISTANCES_M if rig == "emulated" else ())
            placed = _placed(wanted, bench.place) if wanted else _ask()
            measured = _measure(scanner, placed, expose, tried, repeats)
            settle_s = (
                _settling_s(scanner, measured[-1].position, tried[0]) if settling and measured else None
            )
        _write(
            output, plot or output.with_suffix(".png"), (measured, lens), (focal_length, f_number), settle_s
        )


def _overrides(port: str, board: str, serial: str, emulator: Path | None) -> tuple[str, ...]:
    """The options of a Basler and a lens board as parameters of the drivers."""
    from dasha_ros.devices.optotune.icc.boards import icc_board

    named = {"lens_driver.port": port, "camera_driver.serial": serial}
    try:
        icc = icc_board(board)
    except ValueError as error:
        fail(str(error), Exit.REFUSED)
    if icc is not None:
        named["lens_driver.backend"] = "optotune_icc"
        named["lens_driver.icc_controller"] = icc.controller
        named["lens_driver.icc_channel"] = str(icc.channel)
    elif board == LENS_DRIVER_4:
        named["lens_driver.backend"] = "optotune"
    elif board != "flexiboard":
        named["lens_driver.board"] = board
    if emulator is not None:
        named["camera_driver.emulator"] = str(emulator)
    return tuple(f"{key}={value}" for key, value in named.items() if value)


def _distances(text: str) -> tuple[float, ...]:
    try:
        distances = tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        fail(f"--distances {text!r}: write metres with commas between, e.g. 0.4,0.8,1.6", Exit.REFUSED)
    if any(not distance > 0 for distance in distances) or len(set(distances)) == 1:
        fail(f"--distances {text!r}: two or more different positive distances are needed", Exit.REFUSED)
    if why := next(filter(None, map(_too_far, distances)), ""):
        fail(f"--distances {text!r}: {why}", Exit.REFUSED)
    return distances


def _too_far(distance_m: float) -> str:
    """Why a target can't be at this distance; empty if it can."""
    if not FARTHEST_M < distance_m < math.inf:
        return ""
    return (
        f"{distance_m:g} m is beyond {FARTHEST_M:g} m: give metres, not millimetres, and inf for what is as "
        "far as that"
    )


def _placed(distances: Iterable[float], place: Callable[[float], None]) -> Iterator[float]:
    """Yield known distances, each when the target is in place."""
    for distance_m in distances:
        place(distance_m)
        yield distance_m


def _ask() -> Iterator[float]:
    """Yield distances that a person enters with the target already in place."""
    while True:
        text = prompt("distance of the target in m (Enter: no more)")
        if not text:
            return
        try:
            distance = float(text.replace(",", "."))
        except ValueError:
            distance = 0.0
        if why := _too_far(distance):
            err().print(why)
        elif distance > 0:
            yield distance
        else:
            err().print(f"{text!r} is not a distance; write metres, e.g. 0.8")


@contextmanager
def _opened(rig: str, port: str, board: str, serial: str, emulator: Path | None) -> Iterator[_Rig]:
    if rig == "emulated":
        from dasha_ros.emulators.calibration_bench import CalibrationBench

        with CalibrationBench() as bench:
            yield _Rig(bench.camera, bench.lens, bench.place)
        return
    if rig != "hardware":
        fail(f"unknown rig {rig!r}; known: hardware, emulated", Exit.REFUSED)
    if not port:
        fail("give the lens's serial port with --port or DASHA_LENS_PORT", Exit.REFUSED)
    from dasha_ros.devices.bench import board_lens
    from dasha_ros.devices.pylon.camera import PylonCamera
    from dasha_ros.devices.pylon.device import PylonSettings

    with ExitStack() as stack:
        feed = picture_feed(emulator)
        if feed is not None:
            stack.callback(feed.close)
        # Safely long, because the settling time has not been measured yet.
        lens = board_lens(port, board, settle_s=0.2)
        camera = PylonCamera(PylonSettings(address=serial), listener=feed)
        stack.callback(lens.close)
        stack.callback(camera.close)
        yield _Rig(camera, lens, _ask_to_place)


def _ask_to_place(distance_m: float) -> None:
    prompt(f"put the target at {distance_m:g} m and press Enter")


def _measure(
    scanner: Scanner,
    distances: Iterable[float],
    expose: Callable[[], float],
    tried: tuple[float, float],
    repeats: int,
) -> list[Measurement]:
    from dasha_ros.devices.calibration.profile import Measurement

    measured: list[Measurement] = []
    for distance_m in distances:
        exposure_us = expose()
        for _ in range(repeats):
            peak = scanner.find_focus(*tried)
            measured.append(Measurement(peak.position, distance_m))
            err().print(f"{distance_m:g} m: {peak.position:.3f} {scanner.unit} at {exposure_us:,.0f} us")
    return measured


def _settling_s(scanner: Scanner, in_focus: float, low: float) -> float:
    """Measure how long a move takes, with the target where it is."""
    err().print("measuring how long a move takes ...", style="dim")
    delays = [step * SETTLING_STEP_S for step in range(round(SETTLING_MAX_S / SETTLING_STEP_S) + 1)]
    settle_s = scanner.settling_s(max(low, in_focus - SETTLING_STEPS * scanner.coarse_step), in_focus, delays)
    err().print(f"a move takes {settle_s * 1e3:.0f} ms")
    return settle_s


def _write(
    output: Path,
    plot: Path,
    measured: tuple[list[Measurement], LensInfo],
    optics: tuple[float, float],
    settle_s: float | None,
) -> None:
    from dasha_ros.devices.calibration.profile import fit, write_table
    from dasha_ros.devices.calibration.profile import plot as draw

    calibration = fit(*measured)
    try:
        write_table(output, calibration, focal_length_mm=optics[0], f_number=optics[1], settle_s=settle_s)
    except OSError as error:
        fail(f"{output} can't be written: {error.strerror}")
    _print(calibration)
    console = out()
    console.print(f"profile: {output}")
    try:
        draw(plot, calibration)
    except ImportError:
        err().print("no plot: pip install matplotlib", style="yellow")
    except (OSError, ValueError) as error:
        err().print(f"no plot: {error}", style="yellow")
    else:
        console.print(f"plot: {plot}")
    console.print(use_it(output))


def _print(calibration: Calibration) -> None:
    console, unit = out(), calibration.lens.unit
    for point in calibration.points:
        residual = (point.dioptres - calibration.line(point.position)) * 1e3
        console.print(
            f"{point.position:8.3f} {unit} {point.distance_m:8.3f} m {point.dioptres:7.3f} D"
            f" {residual:+7.1f} mD from the line"
        )
    for point in calibration.rejected:
        console.print(
            f"{point.position:8.3f} {unit} {point.distance_m:8.3f} m rejected as an outlier", style="yellow"
        )
    console.print(
        f"{calibration.dioptres_per_unit:.4f} D/{unit},"
        f" infinity at {calibration.infinity_position:.2f} {unit},"
        f" residual {calibration.residual_dioptres * 1e3:.1f} mD"
    )
