"""Training from the percept cache: ``dasha train``.

A run depends on its `RunInfo` alone. If it is killed at any moment and resumed, it ends exactly where an
uninterrupted run ends, because checkpoints hold all of its state.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dasha_ros.estimation.readout import GRID_ENCODER
from dasha_ros.learning.dataset.cache.cells import Array, CellFeatures, Progress, cell_features
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.scenes import Split, splits
from dasha_ros.learning.training import checkpoint as train_checkpoint
from dasha_ros.learning.training.agents import (
    Trainee,
    check_readable,
    exposure_lookup,
    exposure_trainee,
    focus_lookup,
    focus_trainee,
)
from dasha_ros.learning.training.ppo import make_learner, says_diverged
from dasha_ros.learning.training.preset_models import Preset
from dasha_ros.learning.training.presets import preset_from
from dasha_ros.learning.training.run_folder import (
    RUN,
    Agent,
    RunFolder,
    RunInfo,
    TrainingError,
    going_on,
    locked,
    writing,
)
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.learned.network import PolicyNet
from dasha_ros.policies.learned.policy_file import PolicyFile, PolicyFileError

if TYPE_CHECKING:
    from dasha_ros.learning.training.callbacks import RunProgress

EVALUATIONS = 20
"""Number of evaluations in a run, evenly spaced."""


def plan(
    agent: Agent,
    preset: Preset,
    cache: PerceptCache,
    *,
    seed: int = 0,
    split: int = 0,
    steps: int | None = None,
) -> RunInfo:
    """Plan a run.

    Args:
        agent: The agent that learns.
        preset: How to train.
        cache: Percepts to train on.
        seed: Seed of the whole run.
        split: Number of the split by photograph.
        steps: Steps of training; the preset's if left out.

    Raises:
        TrainingError: There is no such split.
        CacheError: The cache was made with another lens than the preset's.
        ReadingError: The cache lacks what the preset reads.
    """
    chosen, lens = split_of(cache, split), lens_model(preset.lens)
    check_readable(agent, cache, preset, chosen.train)
    ppo = preset.focus.ppo if agent == "focus" else preset.exposure.ppo
    total = steps or (preset.focus.steps if agent == "focus" else preset.exposure.steps)
    update = ppo.n_envs * ppo.n_steps
    return RunInfo(
        agent=agent,
        preset=preset.model_dump(mode="json"),
        cache=str(cache.path.absolute()),
        cache_key=cache.meta.key,
        seed=seed,
        split=split,
        steps=total,
        evaluate_every=max(update, total // EVALUATIONS),
        exposures=exposure_table().id,
        lens=lens.id,
        scenes={
            part: [cache.views[v].name for v in getattr(chosen, part)]
            for part in ("train", "validation", "test")
        },
        pictures=dict(cache.meta.pictures),
    )


def split_of(cache: PerceptCache, number: int) -> Split:
    """A split of a cache's views by photograph.

    Raises:
        TrainingError: There is no such split.
    """
    folds = len({view.fold for view in cache.views})
    try:
        if number < 0:
            raise IndexError("splits are counted from 0")
        return splits(cache.views, number + 1)[number]
    except (ValueError, IndexError) as error:
        raise TrainingError(
            f"there is no split {number} of {cache.path}: its {len(cache.views)} views are in {folds} folds "
            f"({error})"
        ) from error


def train(
    folder: RunFolder,
    info: RunInfo,
    cache: PerceptCache,
    *,
    resume: bool = False,
    cells: CellFeatures | None = None,
    handed_over: Array | None = None,
    report: Callable[[RunProgress], None] = lambda news: None,
    progress: Progress | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> bool:
    """Train one agent, or resume a run.

    Args:
        folder: Folder of the run; `RunFolder.create` was called.
        info: Settings of the run.
        cache: The percept cache of ``info``.
        resume: Resume from the checkpoint; if there is none yet, begin.
        cells: Pooled latents, if the caller has them.
        handed_over: Exposures that A^H hands over (`hand_over`), for A^L of a joint run.
        report: Called with the progress of the run.
        progress: Called with the progress of reading latents.
        stopped: Asked often; returns whether to end early. The run can then be resumed.

    Returns:
        Whether the run came to its end.

    Raises:
        TrainingError: The checkpoint can't be used, the learner diverged, the disk is full, or another
            process trains in the folder.
        ReadingError: The cache lacks what the preset reads, or is damaged.
    """
    # The one that is behind would put an older policy in place of the best one.
    with locked(folder.path):
        return _train(
            folder, info, cache, resume=resume, cells=cells, handed_over=handed_over, report=report,
            progress=progress, stopped=stopped,
        )  # fmt: skip


def _train(
    folder: RunFolder,
    info: RunInfo,
    cache: PerceptCache,
    *,
    resume: bool,
    cells: CellFeatures | None,
    handed_over: Array | None,
    report: Callable[[RunProgress], None],
    progress: Progress | None,
    stopped: Callable[[], bool],
) -> bool:
    from dasha_ros.learning.training.callbacks import Watch, WatchState, diverged

    preset = preset_from(info.preset, "of the run")
    if cache.meta.key != info.cache_key:
        raise TrainingError(
            f"the run in {folder.path} was begun with another percept cache ({info.cache}) than "
            f"{cache.path}: give that one with --cache"
        )
    if info.handed_over != (handed_over is not None):
        raise TrainingError(f"{folder.path} is part of a joint run: go on with `{going_on(folder.path)}`")
    split = split_of(cache, info.split)
    if cells is None and preset.encoder == GRID_ENCODER:
        cells = cell_features(cache, progress)
    trainee = _trainee(info, preset, cache, split, cells, handed_over=handed_over)

    def keep(net: PolicyNet, evaluation: dict[str, float]) -> None:
        try:
            trainee.pack(net, evaluation).save(folder.policy)
        except PolicyFileError as error:
            raise TrainingError(f"{error}; mend that and go on with `--resume {folder.path}`") from error

    ppo = preset.focus.ppo if info.agent == "focus" else preset.exposure.ppo
    state = WatchState()
    goes_on = resume and folder.checkpoint.exists()
    if goes_on:
        checkpoint = train_checkpoint.read(folder.checkpoint)
        learner = train_checkpoint.resume(checkpoint, trainee.env)
        state = WatchState(**checkpoint.watch)
        if state.evaluations:
            _check_best(folder, info)
    else:
        learner = make_learner(trainee.env, ppo, info.seed, folder.tensorboard)
    watch = Watch(
        folder,
        trainee.score,
        keep,
        evaluate_every=info.evaluate_every,
        total=info.steps,
        state=state,
        report=report,
        stopped=stopped,
    )
    left = info.steps - learner.num_timesteps
    if left > 0:
        try:
            with writing(folder.path):
                learner.learn(left, callback=watch, reset_num_timesteps=not goes_on, tb_log_name="run")
        except ValueError as error:
            if not says_diverged(error):
                raise
            raise diverged(learner.num_timesteps, folder) from error
    else:
        watch.init_callback(learner)
    if watch.was_stopped:
        return False
    if not state.evaluations or state.evaluations[-1]["steps"] < learner.num_timesteps:
        watch.finish()
    return True


def _check_best(folder: RunFolder, info: RunInfo) -> None:
    """Refuse to go on without the best policy so far: no later step makes it again.

    Raises:
        TrainingError: It is missing or damaged.
    """
    try:
        PolicyFile.load(folder.policy, info.agent)
    except PolicyFileError as error:
        raise TrainingError(
            f"the best policy of the run in {folder.path} so far can't be read ({error}): put it back, or "
            f"begin the run anew in another folder; {folder.path / RUN} holds its settings and its command"
        ) from error


def _trainee(
    info: RunInfo,
    preset: Preset,
    cache: PerceptCache,
    split: Split,
    cells: CellFeatures | None,
    *,
    handed_over: Array | None = None,
) -> Trainee:
    if info.agent == "focus":
        table = focus_lookup(cache, preset, split.train, cells)
        table.handed_over = handed_over
        return focus_trainee(info, table, split)
    exposures = exposure_table().with_gain(preset.exposure.world.gain_db)
    return exposure_trainee(info, exposure_lookup(cache, preset, split.train, cells), exposures, split)


def default_folder(info: RunInfo, root: Path | None = None) -> Path:
    """The default folder of a run: ``runs/PRESET_AGENT_splitSPLIT_seedSEED`` with a number appended.

    A joint run's agent is ``joint``.
    """
    agent = "joint" if info.handed_over else info.agent
    base = (root or Path("runs")) / f"{info.preset['name']}_{agent}_split{info.split}_seed{info.seed}"
    number = 1
    while (folder := base.with_name(f"{base.name}_{number}")).exists():
        number += 1
    return folder
