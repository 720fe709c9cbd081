"""``dasha calibrate lens --blind``: a profile from any still scene, without a tape measure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from dasha_ros.cli.devices.rig_devices import range_to_try, rig_devices
from dasha_ros.cli.terminal.console import Exit, err, fail, out
from dasha_ros.cli.terminal.progress import progress

if TYPE_CHECKING:
    from dasha_ros.devices.calibration.blind.measure import BlindCalibration

NEAR_ENDS = ("greatest", "least")


@dataclass(frozen=True)
class Wanted:
    """The options of a blind calibration."""

    output: Path
    plot: Path
    low: float | None = None
    high: float | None = None
    exposure_us: float = 0.0
    """0: metered."""
    settling: bool = True
    near_end: str = "greatest"
    """Which end of the lens's range focuses nearest: `NEAR_ENDS`."""


def calibrate_blind(
    wanted: Wanted, rig: str, *, params_file: Path | None = None, overrides: Sequence[str] = ()
) -> None:
    """Scan, fit, and write profile and plot. The lens returns to where it was before."""
    from dasha_ros.devices.calibration.blind.measure import measure
    from dasha_ros.devices.calibration.blind.profile import write_profile
    from dasha_ros.devices.calibration.blind.scan import BlindScan
    from dasha_ros.devices.errors import DeviceError

    if wanted.near_end not in NEAR_ENDS:
        fail(f"--near-end {wanted.near_end!r}: it is greatest or least", Exit.REFUSED)
    with rig_devices(rig, params_file, overrides) as devices, progress(err()) as report:
        lens, camera = devices.lens, devices.camera
        tried = range_to_try(lens.info, wanted.low, wanted.high)
        before = lens.read().position
        scan = BlindScan(camera, lens, devices.clock, devices.limits, tried=tried, report=report)
        try:
            if wanted.exposure_us:
                camera.set_exposure(wanted.exposure_us)
            else:
                scan.meter()
            found = measure(scan, lens.info, tried, settling=wanted.settling)
        finally:
            # What went wrong is told, and not that the way back failed, too.
            with suppress(DeviceError):
                if lens.info.admits(before):
                    lens.move(before)
    try:
        write_profile(wanted.output, found, tried, nearer_above=wanted.near_end == "greatest")
    except OSError as error:
        fail(f"{wanted.output} can't be written: {error.strerror}")
    _print(found)
    out().print(f"profile: {wanted.output}")
    _draw(wanted.plot, found)
    out().print(use_it(wanted.output))


def use_it(profile: Path) -> str:
    """How a graph gets a profile, as a shell takes it."""
    return f"use it with: --set {quote(f'lens_driver.profile={profile}')}"


@contextmanager
def calibration_errors() -> Iterator[None]:
    """Turn a calibration that failed into its sentence and exit code 1."""
    from dasha_ros.devices.calibration.profile import CalibrationError

    try:
        yield
    except CalibrationError as error:
        fail(str(error))


def _draw(path: Path, found: BlindCalibration) -> None:
    from dasha_ros.devices.calibration.blind.profile import plot

    try:
        plot(path, found)
    except ImportError:
        err().print("no plot: pip install matplotlib", style="yellow")
    except (OSError, ValueError) as error:
        err().print(f"no plot: {error}", style="yellow")
    else:
        out().print(f"plot: {path}")


def _print(found: BlindCalibration) -> None:
    vee, unit, console = found.vee, found.lens.unit, out()
    step = found.lens.resolution
    console.print(f"blur: {vee.slope:.4g} px a {unit} at 640 px of width")
    if step:
        console.print(f"step: {step:g} {unit}, {vee.slope * step:.3g} px")
    if found.steps is not None and found.steps.real:
        console.print(f"it really moves in steps of {found.steps.real:.3g} {unit}")
    elif found.steps is not None:
        console.print(
            f"no coarser steps than its own: such from {found.steps.told_from:.2g} {unit} on would be seen",
        )
    play = (
        f"play {found.play:.3g} {unit}" if found.play else f"no play above {2.0 * found.scatter:.2g} {unit}"
    )
    console.print(f"sharpest at {vee.sharpest:.5g} {unit}, {play}")
    console.print(f"{vee.readings} readings, {vee.residual_px:.3f} px from the fit; camera: {found.tone}")
    if found.settle_s is not None and found.short_settle_s is not None:
        long_ms, short_ms = found.settle_s * 1e3, found.short_settle_s * 1e3
        console.print(f"a long move takes {long_ms:.0f} ms, a short one {short_ms:.0f} ms")
