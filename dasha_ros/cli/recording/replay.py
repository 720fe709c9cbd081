"""``dasha replay``: the whole graph, with a recording as camera and lens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dasha_ros.cli.graph.up import up
from dasha_ros.cli.terminal import options
from dasha_ros.cli.terminal.console import Exit, err, fail


def replay(
    recording: Annotated[Path, typer.Argument(help="A file, or a folder of `dasha record`.")],
    *,
    show: Annotated[bool, typer.Option("--show", help="Only say what is in it.")] = False,
    namespace: options.Namespace = "/dasha",
    params_file: options.ParamsFile = None,
    override: options.Override = None,
    encoder: options.Encoder = None,
    detector: options.Detector = None,
    exposure_policy: options.ExposurePolicy = None,
    focus_policy: options.FocusPolicy = None,
    log_level: options.LogLevel = "info",
    log_dir: options.LogDir = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only warnings and errors.")] = False,
) -> None:
    """Start the graph on a recording: its pictures at its lens positions and exposures, until Ctrl-C."""
    try:
        from dasha_ros.devices.replay.recorded import Replay, ReplayError
    except ImportError as error:
        fail(f"{error}. `dasha replay` needs the packages mcap and mcap-ros2-support: run ./scripts/setup")
    try:
        found = Replay(recording)
    except ReplayError as error:
        fail(str(error), Exit.REFUSED)
    troubles = found.recording.troubles
    for sentence in troubles:
        err().print(f"warning: {sentence}", style="yellow")
    for sentence in found.notes[len(troubles) :]:
        err().print(sentence)
    if show:
        return
    up(
        namespace=namespace,
        rig="replay",
        params_file=params_file,
        override=[*(override or ()), f"camera_driver.recording={recording.absolute()}"],
        encoder=encoder,
        detector=detector,
        exposure_policy=exposure_policy,
        focus_policy=focus_policy,
        log_level=log_level,
        log_dir=log_dir,
        quiet=quiet,
    )
