"""Floor 12. The ``dasha`` command.

Every command is a module of its own. It imports what it needs inside its function, so that ``dasha --help``
is fast and ``dasha config`` needs no ROS.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from dasha_ros.bringup.environment import settle_middleware
from dasha_ros.cli import (
    assets,
    cache,
    config,
    doctor,
    echo,
    explain,
    focus,
    get,
    set,
    soak,
    version,
    watch,
)
from dasha_ros.cli.benchmark import app as benchmark
from dasha_ros.cli.demo import command as demo
from dasha_ros.cli.devices import calibrate, camera, emulate, lens
from dasha_ros.cli.devices.setup import command as setup
from dasha_ros.cli.evaluation import evaluate
from dasha_ros.cli.graph import up
from dasha_ros.cli.recording import record, replay
from dasha_ros.cli.studies import app as studies
from dasha_ros.cli.terminal.home import take_home
from dasha_ros.cli.terminal.negative_numbers import TAKES_THEM, WithNegativeNumbers
from dasha_ros.cli.terminal.root import Root
from dasha_ros.cli.train import app as train
from dasha_ros.system.streams import output_told, take_every_character

app = typer.Typer(
    cls=Root,
    name="dasha",
    help="A camera that exposes and focuses itself until a detector finds what you asked for.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
    pretty_exceptions_enable=False,
    # Joins the lines of a paragraph, which would otherwise be wrapped twice.
    rich_markup_mode="markdown",
)
app.command("setup-camera")(setup.setup_camera)
app.command()(up.up)
app.command()(watch.watch)
app.command()(record.record)
app.command()(replay.replay)
app.command()(focus.focus)
app.command()(demo.demo)
app.command()(echo.echo)
app.command()(get.get)
app.command("set", cls=WithNegativeNumbers, context_settings=TAKES_THEM)(set.set_parameter)
app.command()(evaluate.evaluate)
app.command()(explain.explain)
app.command()(doctor.doctor)
app.command()(soak.soak)
app.command()(config.config)
app.command()(version.version)
app.add_typer(emulate.app, name="emulate")
app.add_typer(lens.app, name="lens")
app.add_typer(camera.app, name="camera")
app.add_typer(calibrate.app, name="calibrate")
app.add_typer(assets.app, name="assets")
app.add_typer(benchmark.app, name="benchmark")
app.add_typer(cache.app, name="cache")
app.add_typer(train.app, name="train")
app.add_typer(studies.app, name="study")
take_home(app)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command and exit with its code."""
    take_every_character()
    if os.environ.get("COLUMNS") == "0":
        # Whoever sets it so does not know the width, and rich would print nothing.
        del os.environ["COLUMNS"]
    settle_middleware()
    with output_told():
        app(args=list(sys.argv[1:] if args is None else args), prog_name="dasha")


__all__ = ["app", "main"]
