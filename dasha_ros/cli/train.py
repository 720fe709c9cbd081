"""``dasha train``: agents that learn from a percept cache, in minutes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dasha_ros.cli.console import Exit, err, fail, out

if TYPE_CHECKING:
    from dasha_ros.rl.cache import PerceptCache
    from dasha_ros.rl.train_folder import RunFolder, RunInfo

app = typer.Typer(help="Train an agent from a percept cache.", no_args_is_help=True)

Preset = Annotated[str, typer.Option(help="Preset by name, or its YAML file.")]
Cache = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the percept cache, or its name below the default place; the newest if left out."
    ),
]
Folder = Annotated[Path | None, typer.Option("--out", help="Folder of the run; a new one below runs/.")]
Resume = Annotated[Path | None, typer.Option(help="Folder of a run to go on with.")]
Seed = Annotated[int, typer.Option(min=0, help="Of everything that is drawn.")]
Split = Annotated[int, typer.Option(min=0, help="Number of the split by photograph.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Of training; the preset's if left out.")]


@app.command()
def exposure(
    *,
    preset: Preset = "plus",
    cache: Cache = None,
    out_folder: Folder = None,
    resume: Resume = None,
    seed: Seed = 0,
    split: Split = 0,
    steps: Steps = None,
) -> None:
    """Train A^H, the agent of the exposure."""
    _run("exposure", preset, cache, folders=(out_folder, resume), numbers=(seed, split, steps))


@app.command()
def focus(
    *,
    preset: Preset = "plus",
    cache: Cache = None,
    out_folder: Folder = None,
    resume: Resume = None,
    seed: Seed = 0,
    split: Split = 0,
    steps: Steps = None,
) -> None:
    """Train A^L, the agent of the lens."""
    _run("focus", preset, cache, folders=(out_folder, resume), numbers=(seed, split, steps))


def _run(
    agent: Literal["exposure", "focus"],
    preset: str,
    cache: Path | None,
    *,
    folders: tuple[Path | None, Path | None],
    numbers: tuple[int, int, int | None],
) -> None:
    # One thread is fastest for networks this small, and must be said before numpy is loaded.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from dasha_ros.rl.cache import CacheError
    from dasha_ros.rl.cells import ReadingError
    from dasha_ros.rl.presets import PresetError, load_preset
    from dasha_ros.rl.train import default_folder, plan
    from dasha_ros.rl.train_folder import RunFolder, TrainingError

    folder, resume = folders
    try:
        if resume is not None:
            run = RunFolder(resume)
            info = run.info()
            if info.agent != agent:
                fail(f"{resume} is a run of {info.agent}: use `dasha train {info.agent}`", Exit.REFUSED)
            opened = _open(Path(info.cache))
        else:
            opened = _open(cache)
            seed, split, steps = numbers
            info = plan(agent, load_preset(preset), opened, seed=seed, split=split, steps=steps)
            run = RunFolder(folder or default_folder(info))
            run.create(info)
        finished = _train(run, info, opened, resume is not None)
    except (CacheError, ReadingError, PresetError, TrainingError) as error:
        fail(str(error))
    except ImportError as error:
        fail(f"training needs PyTorch and stable-baselines3 ({error}): run `scripts/setup --torch`")
    if not finished:
        fail(f"stopped; go on with `dasha train {agent} --resume {run.path}`", Exit.INTERRUPTED)
    out().print(str(run.policy), markup=False)


def _open(path: Path | None) -> PerceptCache:
    from dasha_ros.rl.cache import CacheError, PerceptCache, cache_root

    if path is None:
        found = sorted(cache_root().glob("*/meta.json"), key=lambda file: file.stat().st_mtime)
        if not found:
            raise CacheError("there is no percept cache yet: make one with `dasha cache build`")
        path = found[-1].parent
    if not path.exists() and (cache_root() / path).exists():
        path = cache_root() / path
    return PerceptCache.open(path, verify=False)


def _train(run: RunFolder, info: RunInfo, cache: PerceptCache, resume: bool) -> bool:
    import signal
    import threading

    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from dasha_ros.rl.train import train
    from dasha_ros.rl.train_watch import News

    console = err()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} steps"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console.print(f"{info.agent} of {info.preset['name']}, seed {info.seed}, split {info.split}: {run.path}")
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bars:
        bar = bars.add_task("training", total=info.steps)

        def report(news: News) -> None:
            bars.update(bar, completed=min(news.steps, news.total))
            if news.evaluation is not None:
                shown = "  ".join(f"{k} {v:.3f}" for k, v in news.evaluation.items() if k != "steps")
                console.print(f"{news.steps:>8}  {shown}{'  best' if news.is_best else ''}", highlight=False)

        return train(run, info, cache, resume=resume, report=report, stopped=stop.is_set)
