"""``dasha calibrate latency``: measures how many frames a picture lags behind its device's settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dasha_ros.cli.devices.hardware import device_errors
from dasha_ros.cli.terminal.console import Exit, err, fail, out
from dasha_ros.cli.terminal.files import refuse_unwritable
from dasha_ros.cli.terminal.progress import progress

if TYPE_CHECKING:
    from dasha_ros.devices.lag.measurement import LagBench


def calibrate_latency(
    webcam: Annotated[
        str, typer.Argument(help="Serial number, name, bus path or /dev path; left out: the only webcam.")
    ] = "",
    *,
    driver: Annotated[
        str, typer.Option(help="A camera node of ROS instead: camera_ros, ..., or a file that describes it.")
    ] = "",
    driver_node: Annotated[
        str, typer.Option(help="Its name in the graph, with its namespace; left out: the usual one.")
    ] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; default: the one of this model.")
    ] = None,
    focus: Annotated[
        bool, typer.Option("--focus/--no-focus", help="Whether the focus is measured, too.")
    ] = True,
) -> None:
    """Measure in which frame the picture of a webcam or of a camera node answers a new exposure and focus.

    Put something still with fine texture before it, such as a newspaper, in steady light. It takes about
    a minute. The drivers find the result by themselves, for every webcam of this model.
    """
    from dasha_ros.devices.lag.latency import file_of, write_latency
    from dasha_ros.devices.lag.measurement import LagError, measure
    from dasha_ros.freshness.clock import SteadyClock

    if output is not None:
        refuse_unwritable(output)
    if webcam and driver:
        fail("name a webcam or a driver, not both", Exit.REFUSED)
    with device_errors(), _driver(driver, driver_node) if driver else _webcam(webcam) as bench:
        err().print(f"measuring {bench.model} ...")
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
    console.print(f"exposure: {latency.exposure_frames} frames")
    lag = "not measured" if latency.focus_frames is None else f"{latency.focus_frames} frames"
    console.print(f"focus: {lag}")
    console.print(f"time between two frames: {latency.frame_s * 1e3:.1f} ms")
    console.print(f"kept in {path}")


@contextmanager
def _webcam(name: str) -> Iterator[LagBench]:
    from dasha_ros.devices.v4l2.lag_bench import WebcamLagBench

    with WebcamLagBench(name) as bench:
        yield bench


@contextmanager
def _driver(name: str, node: str) -> Iterator[LagBench]:
    from dasha_ros.bringup.graph_client import GraphClient
    from dasha_ros.ros.driver.lag_bench import DriverLagBench
    from dasha_ros.ros.driver.ros_port import RosDriverPort
    from dasha_ros.ros.driver.table import driver_named
    from dasha_ros.ros.driver.taken import notes_folder
    from dasha_ros.ros.transport.stamps import RosClock

    try:
        description = driver_named(name)
    except ValueError as error:
        fail(str(error), Exit.REFUSED)
    with GraphClient() as client:
        clock = RosClock(client.node.get_clock())

        def port() -> RosDriverPort:
            return RosDriverPort(client.node, clock, description, node)

        notes = notes_folder(client.node.context.get_domain_id())
        with DriverLagBench(description, port, node, notes) as bench:
            yield bench
