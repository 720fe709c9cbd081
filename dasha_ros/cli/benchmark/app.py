"""``dasha benchmark``: its commands."""

from __future__ import annotations

import typer

from dasha_ros.cli.benchmark.exposure import exposure
from dasha_ros.cli.benchmark.focus import focus
from dasha_ros.cli.benchmark.hold import hold
from dasha_ros.cli.benchmark.object_light import object_light
from dasha_ros.cli.benchmark.paper import paper
from dasha_ros.cli.benchmark.record import record
from dasha_ros.cli.benchmark.replay import replay
from dasha_ros.cli.benchmark.rig import rig
from dasha_ros.cli.benchmark.step import step
from dasha_ros.cli.benchmark.stress import stress
from dasha_ros.cli.benchmark.watch import watch

app = typer.Typer(help="Measure, and print a table or write JSON.", no_args_is_help=True)
for command in (
    focus,
    step,
    rig,
    exposure,
    object_light,
    watch,
    record,
    replay,
    hold,
    stress,
    paper,
):
    app.command()(command)
