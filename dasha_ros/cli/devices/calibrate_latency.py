"""``dasha calibrate latency``: measures how many frames a webcam's picture lags behind its settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dasha_ros.cli.devices.hardware import device_errors
from dasha_ros.cli.terminal.console import err, fail, out
from dasha_ros.cli.terminal.files import refuse_unwritable
from dasha_ros.cli.terminal.progress import progress


def calibrate_latency(
    webcam: Annotated[
        str, typer.Argument(help="Serial number, name, bus path or /dev path; left out: the only webcam.")
    ] = "",
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; default: the one of this model.")
    ] = None,
    focus: Annotated[
        bool, typer.Option("--focus/--no-focus", help="Whether the focus is measured, too.")
    ] = True,
) -> None:
    """Measure in which frame a webcam's picture answers a new exposure and a new focus.

    Put something still with fine texture before it, such as a newspaper, in steady light. It takes about
    a minute. The drivers find the result by themselves, for every webcam of this model.
    """
    from dasha_ros.devices.lag.latency import file_of, write_latency
    from dasha_ros.devices.lag.measurement import LagError, measure
    from dasha_ros.devices.v4l2.lag_bench import WebcamLagBench
    from dasha_ros.freshness.clock import SteadyClock

    if output is not None:
        refuse_unwritable(output)
    with device_errors(), WebcamLagBench(webcam) as bench:
        err().print(f"measuring {bench.model} ...", markup=False)
        try:
            with progress(err()) as report:
                latency = measure(bench, SteadyClock(), report, with_focus=focus)
        except LagError as error:
            fail(str(error))
    path = output or file_of(latency.model)
    try:
        write_latency(path, latency)
    except OSError as error:
        fail(f"{path} can't be written: {error.strerror}")
    console = out()
    console.print(f"exposure: {latency.exposure_frames} frames", markup=False)
    lag = "not measured" if latency.focus_frames is None else f"{latency.focus_frames} frames"
    console.print(f"focus: {lag}", markup=False)
    console.print(f"time between two frames: {latency.frame_s * 1e3:.1f} ms", markup=False)
    console.print(f"kept in {path}", markup=False)
