"""Runs a training, or continues one, and prints the policy files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dasha_ros.cli.terminal.console import Exit, err, fail, out
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
    from dasha_ros.learning.training.run_folder import RunFolder
    from dasha_ros.learning.training.train import default_folder, plan, train

    if options.resume is not None:
        run = RunFolder(options.resume)
        info = run.info()
        if info.agent != agent:
            fail(f"{options.resume} is a run of {info.agent}: use `dasha train {info.agent}`", Exit.REFUSED)
        cache = _open(Path(info.cache), info.split)
    else:
        preset = load_preset(options.preset)
        cache = _open(options.cache, options.split)
        info = plan(agent, preset, cache, seed=options.seed, split=options.split, steps=options.steps)
        run = RunFolder(options.folder or default_folder(info))
        run.create(info)
    err().print(_title(agent, info, run.path), highlight=False)
    with training_progress() as (report_of, stopped):
        report, resumes = report_of(agent), options.resume is not None
        finished = train(run, info, cache, resume=resumes, report=report, stopped=stopped)
    if not finished:
        fail(f"stopped; continue with `dasha train {agent} --resume {run.path}`", Exit.INTERRUPTED)
    out().print(str(run.policy), markup=False)


def train_both(options: TrainOptions) -> None:
    """Train both agents, or continue their run."""
    from dasha_ros.learning.training.joint.run import JointFolder, plan_joint, train_joint
    from dasha_ros.learning.training.presets import load_preset
    from dasha_ros.learning.training.train import default_folder

    if options.resume is not None:
        run = JointFolder(options.resume)
        made = run.plan()
        cache = _open(Path(made.focus.cache), made.focus.split)
    else:
        preset = load_preset(options.preset)
        cache = _open(options.cache, options.split)
        made = plan_joint(preset, cache, seed=options.seed, split=options.split, steps=options.steps)
        run = JointFolder(options.folder or default_folder(made.focus))
        run.create(made)
    err().print(_title("both agents", made.focus, run.path), highlight=False)
    with training_progress() as (report_of, stopped):
        score = train_joint(
            run, cache, report=lambda agent, progress: report_of(agent)(progress), stopped=stopped
        )
    if score is None:
        fail(f"stopped; continue with `dasha train joint --resume {run.path}`", Exit.INTERRUPTED)
    err().print("in a row: " + numbers_text(asdict(score)), highlight=False)
    for part in (run.exposure, run.focus):
        out().print(str(part.policy), markup=False)


def _title(who: str, info: RunInfo, path: Path) -> str:
    return f"{who} of {info.preset['name']}, seed {info.seed}, split {info.split}: {path}"


def _open(path: Path | None, split: int) -> PerceptCache:
    from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
    from dasha_ros.learning.dataset.cache.places import found_cache

    return PerceptCache.open(found_cache(path), verify=False, split=split)
