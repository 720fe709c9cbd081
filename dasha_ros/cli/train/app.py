"""``dasha train``: its commands, which share their options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from dasha_ros.cli.terminal.given import refuse_all_given
from dasha_ros.cli.train.runs import TrainOptions, errors_explained, train_agent, train_both
from dasha_ros.cli.train.ship import ship

app = typer.Typer(help="Train an agent, or both, from a percept cache.", no_args_is_help=True)

Preset = Annotated[str, typer.Option(help="Preset by name, or its YAML file.")]
Cache = Annotated[
    Path | None,
    typer.Option(help="Folder of the percept cache, or its name in the default place; default: the newest."),
]
Folder = Annotated[Path | None, typer.Option("--out", help="Folder of the run; default: a new one in runs/.")]
Resume = Annotated[
    Path | None,
    typer.Option(
        help="Folder of a run to continue, as it was begun; beside it, --cache says where its cache is now."
    ),
]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of all random draws.")]
Split = Annotated[int, typer.Option(min=0, help="Number of the split by photograph.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Steps of training; default: the preset's.")]


def _add(name: str, text: str, train: Callable[[TrainOptions], None]) -> None:
    @app.command(name, help=text)
    def command(
        context: typer.Context,
        *,
        preset: Preset = "plus",
        cache: Cache = None,
        out_folder: Folder = None,
        resume: Resume = None,
        seed: Seed = 0,
        split: Split = 0,
        steps: Steps = None,
    ) -> None:
        if resume is not None:
            refuse_all_given(context, {"resume", "cache"}, "--resume: a run goes on as it was begun")
        with errors_explained():
            train(TrainOptions(preset, cache, out_folder, resume, seed, split, steps))


_add("exposure", "Train A^H, the agent of the exposure.", lambda options: train_agent("exposure", options))
_add("focus", "Train A^L, the agent of the lens.", lambda options: train_agent("focus", options))
_add(
    "joint",
    "Train both agents: A^H first, then A^L from where A^H ends; --steps is for each.",
    train_both,
)
app.command()(ship)
