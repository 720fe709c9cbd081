"""``dasha setup-camera``: the command."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from dasha_ros.cli.devices.setup.asking import Answer, Asking
from dasha_ros.cli.devices.setup.steps import CAMERA, STEPS, Step, Wishes
from dasha_ros.cli.terminal.console import Exit, err, fail, interrupted, out
from dasha_ros.cli.terminal.files import refuse_unwritable

if TYPE_CHECKING:
    from dasha_ros.cli.devices.setup.file import SetupFile

_NAMES = ", ".join(step.name for step in STEPS)


def setup_camera(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Parameter file to write, or to go on with.")
    ] = Path("camera.yaml"),
    *,
    camera: Annotated[
        str,
        typer.Option(
            help="webcam[:NAME], pylon[:SERIAL], aravis[:SERIAL], ros:DRIVER[@/node], twin, emulated; "
            "default: found."
        ),
    ] = "",
    lens: Annotated[
        str,
        typer.Option(
            help="own (of the camera), varioptic:PORT, optotune:PORT, optotune_icc:PORT or indi[:HOST:PORT];"
            " default: found."
        ),
    ] = "",
    label: Annotated[str, typer.Option(help="Object of the first goal; default: any.")] = "",
    low: Annotated[
        float | None, typer.Option(help="Least position that the calibration tries, in the lens's unit.")
    ] = None,
    high: Annotated[float | None, typer.Option(help="Greatest position that it tries.")] = None,
    near_end: Annotated[
        str, typer.Option(help="Which end of the lens's range focuses nearest: greatest or least.")
    ] = "greatest",
    skip: Annotated[list[str] | None, typer.Option(help=f"Step to leave out: {_NAMES}; repeatable.")] = None,
    again: Annotated[list[str] | None, typer.Option(help=f"Step to do again: {_NAMES}; repeatable.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing; do every step.")] = False,
) -> None:
    """Find a camera, measure its lag and its lens, write a parameter file, and reach a first goal.

    Each step says what it will do. What is done stands in the file: call the command again to go on after
    an interruption.
    """
    from dasha_ros.cli.devices.setup.file import SetupFile
    from dasha_ros.config import ConfigError

    refuse_unwritable(output)
    for name in (*(skip or ()), *(again or ())):
        if name not in {step.name for step in STEPS}:
            fail(f"unknown step {name!r}; known: {_NAMES}", Exit.REFUSED)
    if both := set(skip or ()) & set(again or ()):
        fail(f"step {', '.join(sorted(both))}: --skip and --again exclude each other", Exit.REFUSED)
    try:
        file = SetupFile(output)
    except ConfigError as error:
        fail(str(error), Exit.REFUSED)
    if camera and file.camera not in ("", camera) and CAMERA not in (again or ()):
        fail(
            f"{output} is of the camera {file.camera}: give another --output, or --again camera", Exit.REFUSED
        )
    asking = Asking(yes=yes)
    wishes = Wishes(camera, lens, label, low, high, near_end)
    try:
        for number, step in enumerate(STEPS, 1):
            _head(number, step)
            if step.name in file.done and step.name not in (again or ()):
                err().print(f"done before; --again {step.name} does it again", style="dim")
            elif step.name in (skip or ()) or not _do(step, file, wishes, asking):
                err().print("skipped", style="dim")
            if not file.camera:
                fail("nothing more can be done without a camera", Exit.REFUSED)
    except KeyboardInterrupt as reason:
        err().print(f"\ninterrupted; `dasha setup-camera -o {quote(str(output))}` goes on here")
        raise typer.Exit(interrupted(reason)) from None
    except OSError as error:
        # A photograph of the twin that is not there says itself what to do.
        fail(f"{output} can't be written: {error.strerror}" if error.strerror else str(error))
    _conclude(output, file.rig)


def _do(step: Step, file: SetupFile, wishes: Wishes, asking: Asking) -> bool:
    """Do a step, as often as a person wants to try; returns whether it is done.

    Raises:
        typer.Exit: The person stops, or the step failed and nobody is there to ask.
    """
    while True:
        answer = asking.step()
        if answer is Answer.STOP:
            err().print(f"`dasha setup-camera -o {quote(str(file.path))}` goes on here")
            raise typer.Exit(Exit.OK)
        if answer is Answer.SKIP:
            return False
        try:
            step.run(file, wishes, asking)
        except typer.Exit:
            if asking.yes:
                raise
            err().print("that did not work; mend it and try again, skip it, or stop", style="yellow")
            continue
        return True


def _head(number: int, step: Step) -> None:
    err().print(f"\n{number} of {len(STEPS)}, {step.name}: {step.says}", style="bold")


def _conclude(path: Path, rig: str) -> None:
    console, named = out(), f" --rig {rig}" if rig else ""
    launched = f" rig:={rig}" if rig else ""
    console.print(f"parameters: {path}")
    console.print(f"start it: dasha up{named} --params-file {quote(str(path))}")
    console.print(
        f"or on ROS: ros2 launch dasha_ros dasha.launch.py{launched} "
        f"{quote(f'params_file:={path.absolute()}')}"
    )
