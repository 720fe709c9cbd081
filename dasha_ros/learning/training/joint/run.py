"""Training both agents, decentralised: ``dasha train joint``.

A^H learns first. Then A^L learns in episodes that begin with the exposures that A^H hands over. The
agents share nothing else: no weights, no memory, no reward. At the end both play one after the other,
as deployed, on the validation views; `dasha evaluate` uses the test views.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dasha_ros.estimation.readout import GRID_ENCODER
from dasha_ros.files.documents import read_json
from dasha_ros.learning.dataset.cache.cells import Array, CellFeatures, Progress, cell_features
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.evaluation.arenas import CacheArena
from dasha_ros.learning.training.agents import exposure_lookup
from dasha_ros.learning.training.joint.hand_over import hand_over
from dasha_ros.learning.training.joint.score import EPISODES, JointScore, score_joint
from dasha_ros.learning.training.preset_models import Preset
from dasha_ros.learning.training.presets import preset_from
from dasha_ros.learning.training.run_folder import (
    JOINT_PLAN,
    Agent,
    RunFolder,
    RunInfo,
    TrainingError,
    beginning,
    damaged,
    nothing_to_resume,
)
from dasha_ros.learning.training.train import plan, split_of, train
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.policies.learned.exposure import LearnedExposure
from dasha_ros.policies.learned.focus import LearnedFocus
from dasha_ros.policies.learned.policy_file import PolicyFile

if TYPE_CHECKING:
    from dasha_ros.learning.training.callbacks import RunProgress

PLAN, RESULT = JOINT_PLAN, "result.json"


@dataclass(frozen=True)
class JointPlan:
    """All settings of a joint run: a run of each agent."""

    exposure: RunInfo
    focus: RunInfo


def plan_joint(
    preset: Preset, cache: PerceptCache, *, seed: int = 0, split: int = 0, steps: int | None = None
) -> JointPlan:
    """Plan a joint run.

    Args:
        preset: How to train.
        cache: Percepts to train on.
        seed: Seed of the whole run.
        split: Number of the split by photograph.
        steps: Steps of training of either agent; the preset's if left out.

    Raises:
        TrainingError: There is no such split.
    """
    exposure = plan("exposure", preset, cache, seed=seed, split=split, steps=steps)
    focus = plan("focus", preset, cache, seed=seed, split=split, steps=steps)
    return JointPlan(exposure, replace(focus, handed_over=True))


class JointFolder:
    """A joint run's folder: ``joint.json``, a run folder for each agent, and ``result.json``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.exposure, self.focus = RunFolder(path / "exposure"), RunFolder(path / "focus")
        self._own = RunFolder(path)

    def create(self, made: JointPlan) -> None:
        """Begin a run.

        Raises:
            TrainingError: The folder already holds one, can't be written, or another process uses it.
        """
        with beginning(self.path):
            self._write(PLAN, asdict(made))

    def plan(self) -> JointPlan:
        """Read the plan of the folder's run.

        Raises:
            TrainingError: There is none, or it can't be read.
        """
        path = self.path / PLAN
        if not path.exists():
            raise nothing_to_resume(self.path, "joint run")
        try:
            document = read_json(path)
            return JointPlan(*(_part(document, agent) for agent in ("exposure", "focus")))
        except (ValueError, KeyError, TypeError) as error:
            raise damaged(path, error) from error

    def write_result(self, score: JointScore) -> None:
        """Write the score of both agents together.

        Raises:
            TrainingError: The disk is full, or the folder can't be written.
        """
        self._write(RESULT, asdict(score))

    def _write(self, name: str, document: dict[str, Any]) -> None:
        self._own.write(name, json.dumps(document, indent=1).encode())


def _part(document: Any, agent: str) -> RunInfo:
    """The plan of one agent; raises what `RunInfo.from_dict` does."""
    info = RunInfo.from_dict(document[agent])
    if info.agent != agent:
        raise ValueError(f"{agent}.agent = {info.agent!r}")
    return info


def train_joint(
    folder: JointFolder,
    cache: PerceptCache,
    *,
    report: Callable[[Agent, RunProgress], None] = lambda agent, news: None,
    progress: Progress | None = None,
    stopped: Callable[[], bool] = lambda: False,
    episodes: int = EPISODES,
) -> JointScore | None:
    """Train both agents, or resume their training.

    Args:
        folder: Folder of the run; `JointFolder.create` was called.
        cache: Cache of percepts; that of the plan.
        report: Called with the agent and the progress of its run.
        progress: Called with the progress of reading latents.
        stopped: Asked often; returns whether to end early. The run can then be resumed.
        episodes: Episodes of the evaluation at the end.

    Returns:
        The score of both agents together; ``None`` if the run was stopped.

    Raises:
        TrainingError: See `train`.
        ReadingError: See `train`.
    """
    made = folder.plan()
    preset = preset_from(made.exposure.preset, "of the run")
    cells = cell_features(cache, progress) if preset.encoder == GRID_ENCODER else None

    def learn(run: RunFolder, info: RunInfo, **more: Any) -> bool:
        goes_on = run.holds_run
        if not goes_on:
            run.create(info)
        elif run.info() != info:
            raise TrainingError(
                f"{run.path} holds another run than {folder.path / PLAN} plans: move it away, and go on with "
                f"`dasha train joint --resume {folder.path}`"
            )
        return train(
            run,
            info,
            cache,
            resume=goes_on,
            cells=cells,
            report=lambda news: report(info.agent, news),
            stopped=stopped,
            **more,
        )

    if not learn(folder.exposure, made.exposure):
        return None
    handed_over = _handed_over(folder, made, preset, cache, cells)
    if not learn(folder.focus, made.focus, handed_over=handed_over):
        return None
    score = score_joint(
        CacheArena(cache),
        preset,
        split_of(cache, made.focus.split).validation.tolist(),
        LearnedExposure(folder.exposure.policy),
        LearnedFocus(folder.focus.policy),
        episodes=episodes,
    )
    folder.write_result(score)
    return score


def _handed_over(
    folder: JointFolder, made: JointPlan, preset: Preset, cache: PerceptCache, cells: CellFeatures | None
) -> Array:
    """The exposures that A^H's best policy hands over; the same at every call."""
    table = exposure_lookup(cache, preset, split_of(cache, made.exposure.split).train, cells)
    net = PolicyFile.load(folder.exposure.policy, "exposure").net
    exposures = exposure_table().with_gain(preset.exposure.world.gain_db)
    return hand_over(net, table, exposures, preset, seed=made.exposure.seed)
