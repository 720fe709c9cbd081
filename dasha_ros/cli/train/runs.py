"""Runs a training, or continues one, and prints the policy files."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

from dasha_ros.cli.terminal.console import Exit, err, fail, out, signalled
from dasha_ros.cli.train.progress import numbers_text, training_progress

if TYPE_CHECKING:
    from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
    from dasha_ros.learning.training.run_folder import RunInfo


@dataclass(frozen=True)
class TrainOptions:
    """What a training is asked for."""

    preset: str
    cache: Path | None
    folder: Path | None
    """Of a new run; `None`: chosen."""
    resume: Path | None
    """Of a run to continue; the other options then come from that run."""
    seed: int
    split: int
    steps: int | None


@contextmanager
def errors_explained() -> Iterator[None]:
    """Turn errors into sentences, and use one thread: the fastest for networks this small."""
    # Must be set before numpy is loaded.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from dasha_ros.learning.dataset.cache.cells import ReadingError
    from dasha_ros.learning.dataset.cache.store import CacheError
    from dasha_ros.learning.training.presets import PresetError
    from dasha_ros.learning.training.run_folder import TrainingError

    try:
        yield
    except PresetError as error:
        fail(str(error), Exit.REFUSED)
    except (CacheError, ReadingError, TrainingError) as error:
        fail(str(error))
    except ImportError as error:
        if str(error.name).startswith("dasha_ros"):
            raise
        fail(f"training needs PyTorch and stable-baselines3 ({error}): run `scripts/setup --torch`")


def train_agent(agent: Literal["exposure", "focus"], options: TrainOptions) -> None:
    """Train one agent, or continue its run."""
    from dasha_ros.learning.training.presets import load_preset
    from dasha_ros.learning.training.run_folder import RUN, RunFolder, going_on
    from dasha_ros.learning.training.train import default_folder, plan, train

    if options.resume is not None:
        run = RunFolder(options.resume)
        info = run.info()
        if info.agent != agent:
            fail(
                f"{options.resume} is a run of {info.agent}: go on with `{going_on(run.path)}`", Exit.REFUSED
            )
        cache = _cache_of(run.path / RUN, info, options.cache)
    else:
        preset = load_preset(options.preset)
        cache = _open(options.cache, options.split)
        info = plan(agent, preset, cache, seed=options.seed, split=options.split, steps=options.steps)
        run = RunFolder(options.folder or default_folder(info))
        run.create(info)
    err().print(_title(agent, info, run.path))
    with training_progress() as (report_of, signals):
        report, resumes = report_of(agent), options.resume is not None
        finished = train(run, info, cache, resume=resumes, report=report, stopped=lambda: bool(signals))
    if not finished:
        _stopped(run.path, options, signals)
    out().print(str(run.policy))


def train_both(options: TrainOptions) -> None:
    """Train both agents, or continue their run."""
    from dasha_ros.learning.training.joint.run import PLAN, JointFolder, plan_joint, train_joint
    from dasha_ros.learning.training.presets import load_preset
    from dasha_ros.learning.training.train import default_folder

    if options.resume is not None:
        run = JointFolder(options.resume)
        made = run.plan()
        cache = _cache_of(run.path / PLAN, made.focus, options.cache)
    else:
        preset = load_preset(options.preset)
        cache = _open(options.cache, options.split)
        made = plan_joint(preset, cache, seed=options.seed, split=options.split, steps=options.steps)
        run = JointFolder(options.folder or default_folder(made.focus))
        run.create(made)
    err().print(_title("both agents", made.focus, run.path))
    with training_progress() as (report_of, signals):
        score = train_joint(
            run,
            cache,
            report=lambda agent, progress: report_of(agent)(progress),
            stopped=lambda: bool(signals),
        )
    if score is None:
        _stopped(run.path, options, signals)
    err().print("in a row: " + numbers_text(asdict(score)))
    for part in (run.exposure, run.focus):
        out().print(str(part.policy))


def _title(who: str, info: RunInfo, path: Path) -> str:
    return f"{who} of {info.preset['name']}, seed {info.seed}, split {info.split}: {path}"


def _stopped(folder: Path, options: TrainOptions, signals: Sequence[int]) -> NoReturn:
    from dasha_ros.learning.training.run_folder import going_on

    command = going_on(folder)
    if options.resume is not None and options.cache is not None:
        command += f" --cache {shlex.quote(str(options.cache))}"
    fail(f"stopped; continue with `{command}`", signalled(signals))


def _cache_of(settings: Path, info: RunInfo, given: Path | None) -> PerceptCache:
    """The percept cache of a run that goes on: where it was, or where the user says that it is now."""
    if given is None and not Path(info.cache).is_dir():
        fail(
            f"{settings} names the percept cache {info.cache}, which is not there any more: say with --cache "
            "where it is now"
        )
    return _open(given or Path(info.cache), info.split)


def _open(path: Path | None, split: int) -> PerceptCache:
    from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
    from dasha_ros.learning.dataset.cache.places import found_cache

    return PerceptCache.open(found_cache(path), split=split)
