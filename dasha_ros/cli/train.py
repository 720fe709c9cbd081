"""``dasha train``: agents that learn from a percept cache, in minutes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from dasha_ros.cli.terminal.console import Exit, err, fail, out

if TYPE_CHECKING:
    from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
    from dasha_ros.learning.training.callbacks import RunProgress
    from dasha_ros.learning.training.run_folder import RunInfo

    Report: TypeAlias = Callable[[RunProgress], None]
    Stopped: TypeAlias = Callable[[], bool]

app = typer.Typer(help="Train an agent, or both, from a percept cache.", no_args_is_help=True)

Preset = Annotated[str, typer.Option(help="Preset by name, or its YAML file.")]
Cache = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the percept cache, or its name below the default place; the newest if left out."
    ),
]
Folder = Annotated[Path | None, typer.Option("--out", help="Folder of the run; a new one below runs/.")]
Resume = Annotated[Path | None, typer.Option(help="Folder of a run to go on with.")]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of everything that is drawn.")]
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
    with _sentences():
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
    with _sentences():
        _run("focus", preset, cache, folders=(out_folder, resume), numbers=(seed, split, steps))


@app.command()
def joint(
    *,
    preset: Preset = "plus",
    cache: Cache = None,
    out_folder: Folder = None,
    resume: Resume = None,
    seed: Seed = 0,
    split: Split = 0,
    steps: Steps = None,
) -> None:
    """Train both agents: A^H first, then A^L from what A^H leaves behind; --steps is for each."""
    with _sentences():
        _run_joint(preset, cache, folders=(out_folder, resume), numbers=(seed, split, steps))


@contextmanager
def _sentences() -> Iterator[None]:
    """Errors as sentences, and one thread: the fastest for networks this small."""
    # Must be said before numpy is loaded.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from dasha_ros.learning.dataset.cache.cells import ReadingError
    from dasha_ros.learning.dataset.cache.store import CacheError
    from dasha_ros.learning.training.presets import PresetError
    from dasha_ros.learning.training.run_folder import TrainingError

    try:
        yield
    except (CacheError, ReadingError, PresetError, TrainingError) as error:
        fail(str(error))
    except ImportError as error:
        fail(f"training needs PyTorch and stable-baselines3 ({error}): run `scripts/setup --torch`")


def _run(
    agent: Literal["exposure", "focus"],
    preset: str,
    cache: Path | None,
    *,
    folders: tuple[Path | None, Path | None],
    numbers: tuple[int, int, int | None],
) -> None:
    from dasha_ros.learning.training.presets import load_preset
    from dasha_ros.learning.training.run_folder import RunFolder
    from dasha_ros.learning.training.train import default_folder, plan, train

    folder, resume = folders
    if resume is not None:
        run = RunFolder(resume)
        info = run.info()
        if info.agent != agent:
            fail(f"{resume} is a run of {info.agent}: use `dasha train {info.agent}`", Exit.REFUSED)
        opened = _open(Path(info.cache), info.split)
    else:
        seed, split, steps = numbers
        opened = _open(cache, split)
        info = plan(agent, load_preset(preset), opened, seed=seed, split=split, steps=steps)
        run = RunFolder(folder or default_folder(info))
        run.create(info)
    err().print(_title(agent, info, run.path), highlight=False)
    with _shown() as (report_of, stopped):
        report = report_of(agent)
        finished = train(run, info, opened, resume=resume is not None, report=report, stopped=stopped)
    if not finished:
        fail(f"stopped; go on with `dasha train {agent} --resume {run.path}`", Exit.INTERRUPTED)
    out().print(str(run.policy), markup=False)


def _run_joint(
    preset: str,
    cache: Path | None,
    *,
    folders: tuple[Path | None, Path | None],
    numbers: tuple[int, int, int | None],
) -> None:
    from dasha_ros.learning.training.joint import JointFolder, plan_joint, train_joint
    from dasha_ros.learning.training.presets import load_preset
    from dasha_ros.learning.training.train import default_folder

    folder, resume = folders
    if resume is not None:
        run = JointFolder(resume)
        made = run.plan()
        opened = _open(Path(made.focus.cache), made.focus.split)
    else:
        seed, split, steps = numbers
        opened = _open(cache, split)
        made = plan_joint(load_preset(preset), opened, seed=seed, split=split, steps=steps)
        run = JointFolder(folder or default_folder(made.focus))
        run.create(made)
    err().print(_title("both agents", made.focus, run.path), highlight=False)
    with _shown() as (report_of, stopped):
        score = train_joint(run, opened, report=lambda agent, news: report_of(agent)(news), stopped=stopped)
    if score is None:
        fail(f"stopped; go on with `dasha train joint --resume {run.path}`", Exit.INTERRUPTED)
    err().print("in a row: " + _numbers(asdict(score)), highlight=False)
    for part in (run.exposure, run.focus):
        out().print(str(part.policy), markup=False)


def _title(who: str, info: RunInfo, path: Path) -> str:
    return f"{who} of {info.preset['name']}, seed {info.seed}, split {info.split}: {path}"


def _numbers(values: dict[str, float]) -> str:
    return "  ".join(f"{key} {value:.4g}" for key, value in values.items())


def _open(path: Path | None, split: int) -> PerceptCache:
    from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
    from dasha_ros.learning.dataset.cache.places import found_cache

    return PerceptCache.open(found_cache(path), verify=False, split=split)


@contextmanager
def _shown() -> Iterator[tuple[Callable[[str], Report], Stopped]]:
    """A bar for each agent with the time left, its evaluations, and Ctrl-C as a question to be asked."""
    import signal
    import threading

    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = err()
    stop = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} steps"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    shown: dict[str, TaskID] = {}
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bars:

        def report_of(agent: str) -> Report:
            def report(news: RunProgress) -> None:
                if agent not in shown:
                    shown[agent] = bars.add_task(agent, total=news.total)
                bars.update(shown[agent], completed=min(news.steps, news.total))
                if news.evaluation is not None:
                    numbers = _numbers({k: v for k, v in news.evaluation.items() if k != "steps"})
                    best = "  best" if news.is_best else ""
                    console.print(f"{news.steps:>8}  {numbers}{best}", highlight=False)

            return report

        try:
            yield report_of, stop.is_set
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
